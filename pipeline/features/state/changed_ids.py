"""What earlier days were counted by must go on as the same ids: by another space or rule others would add to them."""

from __future__ import annotations

import json

from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.features.plan.levels import PART
from pipeline.features.plan.plan import Plan
from pipeline.features.records import MapsRecord
from pipeline.features.state.day_order import state_before
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import MAPS

_KEPT, _CLICKS = "histories are of", "clicks"
"""What histories keep of a day's impressions, and what they keep where nothing is recorded of it."""


def indexed(plan: Plan) -> dict[str, str]:
    """By what the state counts or keeps, the id space that it is of and the rule that makes its ids."""
    found = {f"histories: {part}": space for part, space in plan.request.history_parts.items()}
    kept = plan.config.history.kept
    if "of" in kept:
        found[_KEPT] = kept["of"]
    if "outcome" in kept:
        found[f"histories: {PART}"] += f", levels {json.dumps(kept['outcome'])}"
    for name in (*plan.key_features, *plan.bag_features):
        planned = plan.features[name]
        rules = {"buckets", "part", "digits", "compose", *(("source",) if planned.settings.compose is not None else ())}
        rule = planned.settings.model_dump(mode="json", include=rules)
        told = {key: value for key, value in rule.items() if value is not None}
        found[f"features.{name}"] = f"space {planned.feature.space}, {json.dumps(told, sort_keys=True)}"
    for name, bins in plan.bins.items():
        found[f"features.{name}"] = f"{bins.count} bins of {plan.features[name].keys[0]}"
    for name, value in plan.config.values.items():
        found[f"values.{name}"] = json.dumps(value.model_dump(mode="json"))
    return found


def guard_indexed(context: JobContext, plan: Plan, day: Day) -> None:
    """Raises ``ChainError`` where what earlier days counted would go on under other ids."""
    before = state_before(context, day)
    mapped = context.store.current(Ref(MAPS, context.job, before.ref.day)) if before is not None else None
    known = MapsRecord.of(mapped).indexed if mapped is not None else {}
    given = indexed(plan)
    if known and known.get(_KEPT, _CLICKS) != given.get(_KEPT, _CLICKS):
        was = known.get(_KEPT, _CLICKS)
        raise ChainError(
            f"{context.job} {day}: `history.of` is {given.get(_KEPT, _CLICKS)}, but the histories of the days before "
            f"are of {was}; write `of: {was}`, or build the chain anew in another DAYSPRING_ROOT"
        )
    lacking = [name for name in given if known and name.startswith("histories: ") and name not in known]
    if lacking:
        raise ChainError(
            f"{context.job} {day}: {', '.join(lacking)}: the days before were kept without this part; leave it out, or "
            "build the chain anew in another DAYSPRING_ROOT"
        )
    for name, now in given.items():
        if known.get(name, now) != now:
            raise ChainError(
                f"{context.job} {day}: {name} is of {now}, but the state of the days before is of {known[name]}: what "
                "was counted then would be read as of other ids. Give the changed feature another name, so that it "
                "counts anew, or build the chain anew in another DAYSPRING_ROOT"
            )
