"""What one section of a job's YAML says of another must be true: names, measures, types of columns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from models.schema import Kind, Side
from pipeline.config.alerts import Alerts
from pipeline.config.bags import OverBag
from pipeline.config.experiment import Experiment, Measures, Release
from pipeline.config.features import FeatureSettings
from pipeline.config.labels import Labels
from pipeline.config.measures import Measure, Use, allowed, split
from pipeline.config.retention import Retention
from pipeline.config.tables import Table, Validation

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST = 190
"""Letters of a name: Airflow's ids are made of it (`train_NAME`), which end at 250, those of groups at 200."""
_WIDEST = 1024
_GROUPS = ("new_user", "new_owner", "known", "no_history")
"""Groups of requests by what is known of who asks."""
_MOVES = (
    "has `bins`, whose limits move, so that what was counted would be read as of other numbers; name a feature with "
    "`buckets`"
)
_MOST_SHARDS = 1024
"""Each costs files, and the start of its work."""
_MONTH = 31
"""The first checkpoint of each month is kept: a re-chain starts at most so many days before the day it is about."""


def check_names(section: str, names: Iterable[str]) -> None:
    """Names become folders, files, tensors and tasks of Airflow."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{section}: '{name}' must be lower-case letters, digits and _, a letter first")
        if len(name) > _LONGEST:
            told = f"'{name[:20]}…' has {len(name)} letters; {_LONGEST} are the most"
            raise ValueError(f"{section}: {told} (Airflow's tasks are called after it): call it something shorter")


def check_measures(
    known: Mapping[str, Measure], unmeasured: Mapping[str, str], release: Release, measures: Measures, alerts: Alerts
) -> None:
    """Measures are named only where they have a meaning, with values that can act.

    Args:
        unmeasured: measures of the kind that the job's settings rule out, and what would have to be declared.
    """
    gate = release.gate
    _check_named(known, "margin", "release.gate.margins", gate.margins)
    _check_named(known, "floor", "release.gate.floors", gate.floors)
    _check_named(known, "primary", "measures.primary", filter(None, [measures.primary]))
    _check_named(known, "alert", "alerts.measure", filter(None, [alerts.measure]))
    named = {
        **{f"release.gate.margins.{name}": name for name in gate.margins},
        **{f"release.gate.floors.{name}": name for name in gate.floors},
        "measures.primary": measures.primary, "alerts.measure": alerts.measure,
    }  # fmt: skip
    for place, name in named.items():
        if name is not None and split(name)[1] in unmeasured:
            raise ValueError(f"{place}: '{name}' cannot be told of this job: {unmeasured[split(name)[1]]}")
    weights = measures.composite
    if any(k < 1 or not 0 <= weight < math.inf for k, weight in weights.items()) or not sum(weights.values()):
        raise ValueError(
            f"measures.composite: {dict(weights)} is no mean of hit rates; write {{k: weight}} with k from 1 on, "
            "no weight below 0 and one above"
        )
    for name, margin in gate.margins.items():
        most = known[name].most(weights)
        if not 0 <= margin < most:
            within = f"and below {most:g}, the most that it can be" if most < math.inf else "and finite"
            raise ValueError(f"release.gate.margins.{name}: {margin:g} can never act; it must be at least 0 {within}")
    for name, floor in gate.floors.items():
        most = known[name].most(weights)
        if not 0 <= floor <= most or not math.isfinite(floor):
            within = f"lies between 0 and {most:g}" if most < math.inf else "is 0 or more"
            raise ValueError(f"release.gate.floors.{name}: {floor:g} is no value of it, which {within}")
    low, high = gate.calibration
    if not 0 <= low < high:
        raise ValueError(
            f"release.gate.calibration: [{low}, {high}] holds no value; write [lowest, highest], from 0 on"
        )


def _check_named(known: Mapping[str, Measure], use: Use, place: str, names: Iterable[str]) -> None:
    for name in names:
        measure = known.get(name)
        if measure is None or use not in measure.uses:
            why = "is no measure of this job" if measure is None else f"cannot be named here, as {measure.why_not}"
            raise ValueError(f"{place}: '{name}' {why}; one of {', '.join(allowed(known, use))}")


def check_night(deadline_hours: float, by: str | None, labels: Labels | None) -> None:
    """A day that comes at its deadline can be released by ``release.by``; of held days that counts from maturity."""
    if by is None:
        return
    hours, minutes = map(int, by.split(":"))
    held = labels.held_days if labels is not None else 0
    if deadline_hours > 24 * held + hours + minutes / 60:
        raise ValueError(
            f"release.by: '{by}' is before the deadline of the day's data, {deadline_hours:g} hours after the day's "
            "end (deadline_hours): a day that comes last would always be late; wait for less long, or release later"
        )


def check_retention(
    retention: Retention, labels: Labels | None, validation: Validation, release: Release,
    experiments: Mapping[str, Experiment],
) -> None:  # fmt: skip
    """What is read again before long is kept until then."""
    back = validation.repeated_days
    needs = [("validated_days", retention.validated_days, back,
              f"validation.repeated_days: a day's rows are looked for in the {back} days before it")]  # fmt: skip
    needs += [
        ("feature_days", retention.feature_days, each.window,
         f"experiments.{name}.window: {each.window} days are trained every day")
        for name, each in experiments.items() if each.window > 1
    ]  # fmt: skip
    if labels is not None and not labels.held_days:
        delay = labels.delay_days
        older = 0 if release.keep_checkpoints > delay else _MONTH
        needs += [
            ("extract_days", retention.extract_days, delay,
             f"labels.delay_days: {delay} days later a day is read again and compared"),
            ("validated_days", retention.validated_days, delay + back,
             f"labels.delay_days: {delay} days later a day is validated again, and its rows are looked for in the "
             f"{back} days before it (validation.repeated_days)"),
            ("validated_days", retention.validated_days, delay + older,
             f"labels.delay_days: {delay} days later a day is trained again, from at most {older} days before it"),
        ]  # fmt: skip
    for name, kept, needed, why in needs:
        if kept != "all" and kept <= needed:
            raise ValueError(f"retention.{name}: {kept} is too few for {why}; keep more than {needed}, or all")


def check_keys(name: str, feature: FeatureSettings, features: Mapping[str, FeatureSettings]) -> None:
    """The features that key a counter hold ids which stay what they are, and are on its side."""
    for key in feature.counter.key if feature.counter else ():
        if key not in features:
            raise ValueError(f"features.{name}.counter.key: '{key}' is not a feature")
        if features[key].kind not in (Kind.CATEGORICAL, Kind.BAG):
            raise ValueError(f"features.{name}.counter.key: '{key}' is a {features[key].kind}")
        if features[key].bins is not None:
            raise ValueError(f"features.{name}.counter.key: '{key}' {_MOVES}")
        if feature.side is not Side.PAIR and features[key].side is not feature.side:
            raise ValueError(f"features.{name}: on the {feature.side}'s side, but its key '{key}' is not")


def check_bins(
    name: str, feature: FeatureSettings, features: Mapping[str, FeatureSettings], spaces: Mapping[str, str]
) -> None:
    """Bins have numbers, in a space that has no ids besides."""
    space = feature.space or ""
    if spaces[space] != "int":
        raise ValueError(f"features.{name}.space: '{space}' is of str, and bins are numbered: int")
    others = [each for each, other in features.items() if other.space == space and other.bins is None]
    if others:
        raise ValueError(
            f"features.{name}.space: '{space}' holds the ids of features.{others[0]}, and a bin's number would be one "
            f"of them; declare a space of its own, such as spaces.{name}: int"
        )


def check_over_bag(setting: str, counter: OverBag, features: Mapping[str, FeatureSettings]) -> None:
    """What a counter over bags names are features that can be what it takes them for."""
    for part, name in (("bag", counter.bag), ("context", counter.context), ("owner", counter.owner)):
        if name is not None and name not in features:
            raise ValueError(f"{setting}.{part}: '{name}' is not a feature")
        if name is not None and features[name].bins is not None:
            raise ValueError(f"{setting}.{part}: '{name}' {_MOVES}")
    bag, context = features[counter.bag], features[counter.context]
    if bag.kind is not Kind.BAG or bag.side is not Side.ITEM:
        raise ValueError(f"{setting}.bag: '{counter.bag}' is a {bag.kind} of the {bag.side}; name a bag of the item")
    if context.kind not in (Kind.CATEGORICAL, Kind.BAG):
        raise ValueError(f"{setting}.context: '{counter.context}' is a {context.kind}; name a categorical or a bag")
    owner = features[counter.owner] if counter.owner is not None else None
    if owner is not None and (owner.kind is not Kind.CATEGORICAL or owner.side is not Side.REQUEST):
        raise ValueError(
            f"{setting}.owner: '{counter.owner}' is a {owner.kind} of the {owner.side}; "
            "name a categorical of the request"
        )


def check_several(kind: str, measures: Measures, features: Mapping[str, FeatureSettings]) -> None:
    """Groups of requests by what was taken are of a bag of the item, and not called as others are."""
    check_names("measures.several", measures.several)
    for name, bag in measures.several.items():
        if kind != "ranking":
            raise ValueError("measures.several: is of requests that have candidates (`kind: ranking`)")
        if name in _GROUPS:
            raise ValueError(f"measures.several.{name}: is what another group is called; take another name")
        if bag not in features or features[bag].kind is not Kind.BAG or features[bag].side is not Side.ITEM:
            raise ValueError(f"measures.several.{name}: '{bag}' is no bag of the item among the features")


def check_widths(experiments: Mapping[str, Experiment]) -> None:
    """Embedding widths by space are within the bounds of ``dim``."""
    for name, experiment in experiments.items():
        for space, width in experiment.dims.items():
            if not 1 <= width <= _WIDEST:
                raise ValueError(f"experiments.{name}.dims.{space}: {width} is not between 1 and {_WIDEST}")


def check_tables(tables: Mapping[str, Table]) -> None:
    """``day`` and ``time`` name columns of these types, and a column's limits leave room for a value."""
    for name, table in tables.items():
        for what, column in (("day", table.day), ("time", table.time)):
            if column is not None and table.columns[column].type != what:
                raise ValueError(
                    f"tables.{name}.{what}: '{column}' is declared as {table.columns[column].type}; "
                    f"name a column of type {what}"
                )
        for column, declared in table.columns.items():
            if declared.min is not None and declared.max is not None and declared.min > declared.max:
                raise ValueError(
                    f"tables.{name}.columns.{column}: min {declared.min} is above max {declared.max}: no value passes"
                )


def check_shards(kind: str, shards: int | str, features: Mapping[str, FeatureSettings]) -> None:
    """Raises ``ValueError`` where a job's days are one part, but more are asked for."""
    if shards in ("auto", 1):
        return
    if not isinstance(shards, int) or not 1 < shards <= _MOST_SHARDS:
        raise ValueError(f"shards: is `auto`, or a number from 1 to {_MOST_SHARDS} (got {shards})")
    if kind == "ranking":
        raise ValueError(
            "shards: a day of homework is joined across its tables and is one part; leave `shards` out (its tables are "
            "validated in parts by their size)"
        )
    drawn = next((name for name, feature in features.items() if feature.negatives is not None), None)
    if drawn is not None:
        raise ValueError(
            f"shards: features.{drawn}.negatives are drawn of all rows of a day, which therefore is one part; leave "
            "`shards` out, or `negatives`"
        )
