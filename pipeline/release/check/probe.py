"""Inputs of the exported model over a sample of every candidate there is: do its ids cover what it will be asked?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind, Side
from pipeline.days import Day
from pipeline.features.arrays.assemble import bag_widths, package_lists
from pipeline.features.arrays.look_up import Indices
from pipeline.features.arrays.raw_values import bag_width, raw_inputs
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.rows.impressions import item_frame
from pipeline.job import JobContext
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.homework import candidate_pool

SAMPLED = 500
"""Candidates of the sample."""
_REQUESTS = 8


@dataclass(frozen=True)
class Probe:
    """Some requests, each with the same sample of all candidates.

    Attributes:
        inputs: of the model, ``[requests, …]`` and ``[requests, candidates, …]``.
        fields: the candidates' features with ids.
        candidates: how many there are in all.
    """

    inputs: dict[str, NDArray[Any]]
    fields: list[str]
    candidates: int


def candidate_items(here: AsOf) -> tuple[dict[str, NDArray[Any]], int]:
    """Raw inputs of the features on the candidates' side for an even sample of all candidates; how many there are."""
    plan = here.plan
    if not plan.ranking:
        settings = here.config.impressions
        assert settings is not None
        since = here.day.plus(1 - settings.candidate_days)
        shown = here.state.catalogue.seen_since(since)
        sample = shown[:: max(1, -(-len(shown) // SAMPLED))]
        frame = item_frame(settings, plan.request.item_columns, here.tables, here.raw(plan.item_space, sample))
        chosen = plan.of_frame("item")
        return raw_inputs(chosen, frame, plan.spaces, bag_widths(plan, chosen, frame), here.day.next()), len(shown)
    pool = candidate_pool(here)
    packages = np.arange(len(pool.keys))[:: max(1, -(-len(pool.keys) // SAMPLED))]
    look, found = Indices(here.maps), dict[str, NDArray[Any]]()
    for planned in plan.of_frame("item"):
        space = planned.feature.space or ""
        if planned.column == "key":
            found[planned.name] = here.raw(space, pool.keys[packages])
            continue
        lists = package_lists(plan, planned, pool.roles, look).take(packages)
        width = _width(planned, int(lists.lengths.max(initial=0)))
        raw = look.raw(space, lists.padded(width, look.padding(space)))
        found[planned.name] = raw[:, 0] if planned.feature.kind is Kind.CATEGORICAL else raw
    return found, len(pool.keys)


def _width(planned: PlannedFeature, longest: int) -> int:
    if planned.feature.kind is Kind.BAG:
        return bag_width(longest, planned.feature.values)
    return planned.feature.steps if planned.feature.kind is Kind.SEQUENCE else 1


def probe(
    context: JobContext,
    experiment: str,
    golden: Mapping[str, NDArray[Any]],
    items: Mapping[str, NDArray[Any]],
    count: int,
) -> Probe | None:
    """Golden requests that were not made up, with the sampled candidates; ``None`` if there are none.

    Values of request and candidate together are those of golden rows, dealt out in turn.
    """
    size = len(next(iter(items.values()))) if items else 0
    if not size:
        return None
    inputs: dict[str, NDArray[Any]] = {}
    fields = []
    sampled = np.flatnonzero(~golden["special"])
    if not len(sampled):
        return None
    # Over the whole day: its first requests are alike in what grows with the hours.
    rows = sampled[np.unique(np.linspace(0, len(sampled) - 1, _REQUESTS).astype(int))]
    for feature in context.config.experiment_schema(experiment).features:
        name = feature.name
        if feature.side is Side.REQUEST:
            inputs[name] = golden[name][rows]
        elif feature.side is Side.PAIR:
            values = golden[name].reshape(-1, feature.size)
            real = values[~np.isnan(values).all(axis=1)]
            dealt = real if len(real) else values
            turns = np.arange(len(rows) * size) % len(dealt)
            inputs[name] = dealt[turns].reshape(len(rows), size, feature.size)
        else:
            inputs[name] = np.repeat(_stored(items[name][None]), len(rows), axis=0)
            if feature.has_ids:
                fields.append(name)
    return Probe(inputs, fields, count)


def _stored(values: NDArray[Any]) -> NDArray[Any]:
    """As an ``npz`` file without pickles can hold it."""
    return values.astype(str) if values.dtype.kind == "O" else values


def day_items(context: JobContext, day: Day) -> tuple[dict[str, NDArray[Any]], int]:
    """``candidate_items`` of a day, made once for all of its experiments."""
    return candidate_items(AsOf(context, context.config, day))


