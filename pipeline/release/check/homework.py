"""A sample of all packages, as raw inputs of the exported model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.homework_arrays import HomeworkArrays
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.look_up import Indices
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.homework import candidate_pool


def sampled_packages(here: AsOf, request: HomeworkPlan, most: int) -> tuple[dict[str, NDArray[Any]], int]:
    """Raw inputs of the features on the candidates' side for an even sample of all packages; how many there are."""
    pool, look = candidate_pool(here, request), Indices(here.maps)
    chosen = np.arange(len(pool.keys))[:: max(1, -(-len(pool.keys) // most))]
    keys, none = pool.keys[chosen], np.zeros(0, np.int64)
    items = DayItems(
        none, none.astype(np.int32), keys, here.raw(request.item_space, keys), none.astype(np.int8),
        roles={role: lists.take(chosen) for role, lists in pool.roles.items()},
    )  # fmt: skip
    values = HomeworkArrays(here.plan, request).item_values(items, look, here.day.next())
    raw = {name: look.raw(here.space_of(name), each) for name, each in values.items()}
    return raw, len(pool.keys)
