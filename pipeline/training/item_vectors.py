"""Vectors of all items that there are, by the model of a checkpoint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.outputs import ITEM
from models.schema import Side
from pipeline.days import Day
from pipeline.features.arrays.framed import framed
from pipeline.features.arrays.kinds import arrays_of
from pipeline.features.arrays.look_up import Indices, Maps
from pipeline.features.frames.frame import Array
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import Tables
from pipeline.training.keras_trainer import KerasTrainer


def item_vectors(
    plan: Plan, trainer: KerasTrainer, maps: Maps, tables: Tables, day: Day, *, content_alone: bool = False
) -> tuple[Array, NDArray[np.float32]] | None:
    """Raw ids and vectors of the items that tables list, in the order of the ids; ``None`` where none lists them.

    Args:
        tables: of the day before ``day``, as that may know them.
        day: that the features are for.
        content_alone: as if nobody knew which item each is.
    """
    arrays = arrays_of(plan)
    items = arrays.every_item(tables)
    if items is None:
        return None
    values = framed(plan, Side.ITEM, items, Indices(maps), day)
    kinds = {space: each.kind for space, each in maps.items()}
    return arrays.raw_items(items), trainer.vectors(ITEM, values, kinds, content_alone=content_alone)
