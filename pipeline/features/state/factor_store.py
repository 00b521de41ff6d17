"""Fitted vectors on disk: what was fitted of the feature state as of the end of a day, made when it is first needed.

Kind ``factors``: the vectors of every setting that is fitted on that day. Made of the state alone, they can be made
again of it, so few days are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pipeline.config.bags import Collaborative
from pipeline.days import Day
from pipeline.features.frames.frame import Array
from pipeline.features.state.day_order import start_of, state_before
from pipeline.features.state.delta import names
from pipeline.features.state.factors import Factors
from pipeline.features.state.in_memory import states_of
from pipeline.features.state.neighbours import Neighbours
from pipeline.features.state.store import FILE, StateStore
from pipeline.job import JobContext
from pipeline.storage import array_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import FACTORS
from pipeline.storage.digests import content_digest

_KEPT = 2


Fitted = Factors | Neighbours


def kind_of(settings: Collaborative) -> type[Factors] | type[Neighbours]:
    """What its settings make."""
    return Neighbours if settings.method == "cosine" else Factors


class FittedFactors(dict[str, Fitted]):
    """By name of its settings, what this process has last read or fitted, and as of which state."""

    of: dict[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.of = {}


def fitted_on(settings: Collaborative, day: Day) -> Day:
    """The day as of whose end the vectors were fitted that ``day`` reads: one that the calendar gives, before it."""
    before = day.previous()
    return before.plus(-(before.ordinal % settings.every))


def commit_factors(context: JobContext, day: Day) -> list[Artifact]:
    """What ``day`` reads of fitted vectors, committed; nothing of days from before the feature state."""
    by_day: dict[Day, list[Collaborative]] = {}
    declared = [each.collaborative for each in context.config.features.values() if each.collaborative is not None]
    for settings in {each.name: each for each in declared}.values():
        by_day.setdefault(fitted_on(settings, day), []).append(settings)
    if not by_day:
        return []
    found = (_committed(context, fit, wanted) for fit, wanted in sorted(by_day.items()))
    made = [artifact for artifact in found if artifact is not None]
    _thin(context, set(by_day))
    return made


def _committed(context: JobContext, day: Day, wanted: Collection[Collaborative]) -> Artifact | None:
    start, state = start_of(context), state_before(context, day.next())
    if start is None or day < start or state is None:
        return None
    # Of no settings: what is declared later is fitted where it is read, and days that were trained keep what they read.
    with context.making(Ref(FACTORS, context.job, day), [state.as_input()], settings="") as made:
        if made.stands is not None:  # pruned perhaps: whoever needs the vectors fits them again
            return made.stands
        arrays: dict[str, Array] = {}
        held = context.kept(FittedFactors, FittedFactors)
        for each in wanted:
            # The release of the eve may have fitted them already.
            fitted = held[each.name] if held.of.get(each.name) == _made_of(day, state) else None
            fitted = fitted or _fit(states_of(context), [each], day)[each.name]
            arrays |= {f"{each.name}/{name}": values for name, values in fitted.arrays().items()}
        array_file.write(made.path / FILE, arrays)
        return made.commit(content_digest(arrays), timings={"fit": made.seconds})


def _thin(context: JobContext, read: Collection[Day]) -> None:
    """Keep the vectors of the days that are read, and of the newest ones."""
    for day in context.store.days(FACTORS, context.job)[:-_KEPT]:
        found = context.store.current(Ref(FACTORS, context.job, day))
        if day not in read and found is not None and not found.manifest.pruned:
            context.store.prune(found)


def factors_for(
    context: JobContext, states: StateStore, wanted: Iterable[Collaborative], day: Day
) -> dict[str, Fitted]:
    """By name of its settings, the vectors that ``day`` reads: as they are committed, else fitted here."""
    out: dict[str, Fitted] = {}
    held = context.kept(FittedFactors, FittedFactors)
    for each in wanted:
        fit = fitted_on(each, day)
        state, start = state_before(context, fit.next()), start_of(context)
        if state is None or start is None or fit < start:
            out[each.name] = kind_of(each).none(each)
            continue
        made_of = _made_of(fit, state)
        if held.of.get(each.name) != made_of:
            stored = context.store.current(Ref(FACTORS, context.job, fit))
            held[each.name] = _read(stored, state, each) or _fit(states, [each], fit)[each.name]
            held.of[each.name] = made_of
        out[each.name] = held[each.name]
    return out


def _made_of(day: Day, state: Artifact) -> str:
    return f"{day} {state.manifest.digest}"


def _read(stored: Artifact | None, state: Artifact, settings: Collaborative) -> Fitted | None:
    """The vectors as an artefact holds them, if they are of this state."""
    if stored is None or stored.manifest.pruned or stored.manifest.inputs[0].digest != state.manifest.digest:
        return None
    arrays, _ = array_file.read(stored.file(FILE))
    found = {name: arrays[f"{settings.name}/{name}"] for name in names(arrays, settings.name)}
    return kind_of(settings).from_arrays(found) if found else None


def _fit(states: StateStore, wanted: Iterable[Collaborative], day: Day) -> Mapping[str, Fitted]:
    state = states.as_of(day)
    return {
        each.name: kind_of(each).fit(each, state.bags[each.context, each.bag].own[each.owner], day) for each in wanted
    }
