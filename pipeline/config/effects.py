"""Settings that could do nothing where they stand: told before a chain is trained with what nobody reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from models.optimizer_settings import read_optimizers
from models.options import meant
from models.schema import Kind
from pipeline.config.blends import OWN as OWN_OF_BLENDS
from pipeline.config.column_effects import check_values, idle_of_tables
from pipeline.config.experiment import Experiment
from pipeline.config.features import OF_LISTS, Counter, FeatureSettings
from pipeline.config.job import JobConfig

_IDS = (Kind.CATEGORICAL, Kind.BAG, Kind.SEQUENCE, Kind.BAG_SEQUENCE, Kind.SESSIONS)
_STEPS = (Kind.SEQUENCE, Kind.BAG_SEQUENCE, Kind.SESSIONS)
_SMOOTHED = ("rate", "mean", "share")
_KINDS: Mapping[str, Collection[Kind]] = {
    "steps": (*_STEPS, Kind.AGES),
    "of": _STEPS,
    "stand_in": _STEPS,
    "negatives": _STEPS,
    "levels": (Kind.SEQUENCE, Kind.SESSIONS),
    "values": (Kind.BAG, Kind.BAG_SEQUENCE),
    "buckets": _IDS,
    "part": _IDS,
    "unit": (Kind.AGES,),
    "size": (Kind.DENSE, Kind.VECTOR),
    "normalise": (Kind.DENSE,),
    "log": (Kind.DENSE,),
    "flag": (Kind.DENSE,),
}
"""Settings of a feature that only these kinds of it read."""


def check_effects(config: JobConfig) -> None:
    """Every setting that was written can act.

    Asked of what a person has written only: the settings in a release were written for an earlier version perhaps, and
    hold every default as if it were given.

    Raises:
        ValueError: names the setting, and says what it lacks.
    """
    for name, experiment in config.experiments.items():
        config.request.check_experiment(name, experiment)
    check_values(config.tables)
    alerts = config.alerts
    if alerts.least_days > alerts.days:
        raise ValueError(
            f"alerts.least_days: {alerts.least_days} days with a figure are never among the last {alerts.days} "
            "(`alerts.days`), so nothing would ever be told; give no more than these"
        )
    for setting, why in _idle(config):
        raise ValueError(f"{setting}: would have no effect: {why}; leave it out")


def _idle(config: JobConfig) -> Iterator[tuple[str, str]]:
    yield from idle_of_tables(config.tables)
    yield from config.request.idle(config.history, lambda setting: _is_given(config, setting))
    for name, feature in config.features.items():
        yield from ((f"features.{name}.{setting}", why) for setting, why in _idle_of_feature(feature))
        yield from ((f"features.{name}.{setting}", why) for setting, why in _idle_of_sessions(config, feature))
    yield from _idle_groups(config.features)
    for name, experiment in config.experiments.items():
        idle = [*config.request.idle_of(experiment), *_idle_of_others(experiment), *_unseen_histories(config, name)]
        read = {config.features[each].space for each in config.inputs(name)} - {None}
        for space in sorted(set(experiment.dims) - read):
            idle.append((f"dims.{space}", f"no feature of this experiment has the id space '{space}'"))
        if "dim" in experiment.model_fields_set and read and read <= set(experiment.dims):
            idle.append(("dim", "every id space of this experiment has a width of its own in `dims`"))
        if experiment.pairwise and not config.request.pairs_rows:
            idle.append(("pairwise", "it is of each two impressions of a user (`kind: impressions`)"))
        if experiment.only is None:
            unseen = [each for each in experiment.without if not config.features[each].input]
            idle += [("without", f"'{each}' is no input of models (`input: false`)") for each in unseen]
        yield from ((f"experiments.{name}.{setting}", why) for setting, why in idle)


def _is_given(config: JobConfig, setting: str) -> bool:
    section: Any = config
    *path, last = setting.split(".")
    for name in path:
        section = getattr(section, name)
    return last in section.model_fields_set and getattr(section, last) is not None


def _idle_of_feature(feature: FeatureSettings) -> Iterator[tuple[str, str]]:
    for setting, kinds in _KINDS.items():
        if getattr(feature, setting) != FeatureSettings.model_fields[setting].default and feature.kind not in kinds:
            yield setting, f"a {feature.kind} does not read it, only {_either(kinds)} does"
    if feature.counter is not None:
        for setting, measures in _idle_of_counter(feature.counter):
            yield f"counter.{setting}", f"`{feature.counter.measure}` does not read it, only {_either(measures)} does"
    for name, over in (("bag_counter", feature.bag_counter), ("collaborative", feature.collaborative)):
        if over is not None:
            yield from ((f"{name}.{setting}", why) for setting, why in over.idle())


def _idle_of_sessions(config: JobConfig, feature: FeatureSettings) -> Iterator[tuple[str, str]]:
    """More than the state keeps: sessions or steps that would always be empty, or too many to be one at all."""
    kept = config.request.kept(config.history)
    if feature.sessions is None or kept is None:
        return
    sessions, steps = kept
    least = feature.sessions.least
    if least > steps.most:
        yield "sessions.least", f"no session could have {least} steps: {steps.most} are kept (`{steps.setting}`)"
    elif (feature.steps or 1) > steps.most:
        yield "steps", f"a session has no more than the {steps.most} steps that are kept (`{steps.setting}`)"
    places = sessions.most // least if sessions == steps else sessions.most
    if least <= steps.most and feature.sessions.most > places:
        why = f"what is kept has no more than {places} sessions (`{sessions.setting}: {sessions.most}`)"
        yield "sessions.most", why


def _idle_groups(features: Mapping[str, FeatureSettings]) -> Iterator[tuple[str, str]]:
    """A group of one beside another of nearly its name: what belongs together would be read apart."""
    groups = {name: feature.group for name, feature in features.items() if feature.group is not None}
    for name, group in groups.items():
        alike = meant(group, set(groups.values()) - {group})
        if alike and list(groups.values()).count(group) == 1:
            yield f"features.{name}.group", f"no other history is of the group '{group}'{alike}"


def _idle_of_others(experiment: Experiment) -> Iterator[tuple[str, str]]:
    given = experiment.model_fields_set
    if experiment.members:
        for setting in sorted(given - set(OWN_OF_BLENDS)):
            yield setting, "a blend is asked, fed and trained as its members are; give it to these"
        return
    for setting in ("replay_weight", "replay_order"):
        if setting in given and experiment.replay == "off":
            yield setting, "nothing is replayed (`replay: off`)"
    if "floor" in given and experiment.decay == 1:
        yield "floor", "the learning rate does not fall (`decay: 1`)"
    if experiment.decay < 1 and experiment.floor >= experiment.learning_rate:
        yield "decay", f"the rate of {experiment.learning_rate:g} is not above its `floor` of {experiment.floor:g}"
    moved_by = read_optimizers(experiment.optimizer)
    of_others = () if "*" in moved_by.named else (moved_by.tables,)
    own = all(each.rate is not None for each in (*of_others, moved_by.dense, *moved_by.named.values()))
    if "learning_rate" in given and own and experiment.decay == 1:
        yield "learning_rate", "every optimiser has a `rate` of its own, and none falls (`decay: 1`)"
    if "first_output" in given and experiment.loss not in ("binary", None):
        yield "first_output", f"{experiment.loss} looks at differences of scores alone"
    if experiment.only is not None:
        for feature in sorted(set(experiment.without) - set(experiment.only)):
            yield "without", f"'{feature}' is not among `only`"


def _idle_of_counter(counter: Counter) -> Iterator[tuple[str, Collection[str]]]:
    if counter.smoothing != Counter.model_fields["smoothing"].default and counter.measure not in (*_SMOOTHED, "trend"):
        yield "smoothing", (*_SMOOTHED, "trend")
    if counter.positives and counter.measure in (*OF_LISTS, *_SMOOTHED, "sum"):
        yield "positives", ("count", "days_since", "seen", "trend")


def _unseen_histories(config: JobConfig, name: str) -> Iterator[tuple[str, str]]:
    """Histories that the job has, named among the experiment's encoders, which does not see them."""
    experiment, seen = config.experiments[name], config.inputs(name)
    named = experiment.options.get("encoders")
    histories = {each: f.group or each for each, f in config.features.items() if f.kind in _STEPS and f.input}
    known = {histories[each] for each in set(histories) & seen}
    for title in named if isinstance(named, Mapping) else ():
        if title in set(histories.values()) - known:
            parts = {each for each, of in histories.items() if of == title}
            why = "`without` names it" if parts & set(experiment.without) else "`only` does not name it"
            yield f"options.encoders.{title}", f"the experiment does not see this history ({why})"


def _either(names: Collection[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)
