"""A sample of all packages, as raw inputs of the exported model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind
from pipeline.features.arrays.assemble import package_lists
from pipeline.features.arrays.look_up import Indices
from pipeline.features.arrays.raw_values import bag_width
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.homework import candidate_pool


def sampled_packages(here: AsOf, request: HomeworkPlan, most: int) -> tuple[dict[str, NDArray[Any]], int]:
    """Raw inputs of the features on the candidates' side for an even sample of all packages; how many there are."""
    plan, pool = here.plan, candidate_pool(here)
    packages = np.arange(len(pool.keys))[:: max(1, -(-len(pool.keys) // most))]
    look, found = Indices(here.maps), dict[str, NDArray[Any]]()
    for planned in request.features.of_frame("item"):
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
