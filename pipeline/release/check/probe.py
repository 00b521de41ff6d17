"""Inputs of the exported model over a sample of every candidate there is: do its ids cover what it will be asked?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Side
from pipeline.config.requests import Kind
from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.release.check.homework import sampled_packages
from pipeline.release.check.impressions import sampled_items
from pipeline.release.contents.as_of import AsOf

CANDIDATES: Mapping[Kind, Callable[[AsOf, Any, int], tuple[dict[str, NDArray[Any]], int]]] = {
    "ranking": sampled_packages, "impressions": sampled_items, "rows": lambda here, request, most: ({}, 0),
}  # fmt: skip
"""What samples the candidates of a kind of request; each takes the plan of its kind. Labelled rows have none:
the golden rows are all that their model will be asked."""
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
    for feature in context.config.experiment_schema(experiment).asked.features:
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
    """Raw inputs of the features on the candidates' side for an even sample of all candidates; how many there are.

    Made once for all experiments of a day.
    """
    here = AsOf(context, context.config, day)
    return CANDIDATES[context.config.kind](here, here.plan.request, SAMPLED)


