"""Shared bottom: hidden layers that all tasks share, and a tower a task on top."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field

from models.inputs import ModelInputs
from models.layers.hidden import Hidden
from models.options import Widths
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import Part
from models.zoo.multi_task import EntireOptions, MultiTaskModel, hidden
from models.zoo.ranking import Sides


class SharedBottomOptions(EntireOptions):
    """Options of :class:`SharedBottom`."""

    units: Widths = Field((64,), description="widths of the hidden layers of each task's tower")
    bottom_units: Widths = Field((128,), min_length=1, description="widths of the hidden layers that all tasks share")


@register("shared_bottom")
class SharedBottom(MultiTaskModel):
    """Hidden layers that all tasks share, and a tower a task on top of them."""

    Options = SharedBottomOptions
    paper = "Caruana, Multitask Learning, 1997"

    def __init__(self, schema: FeatureSchema, options: SharedBottomOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="shared_bottom")
        self.bottom = Hidden(options.bottom_units, options.activation, options.dropout, name="bottom")

    def below(
        self, shared: tuple[list[Part], list[Part]], sides: Sides, inputs: ModelInputs, training: bool
    ) -> tuple[dict[str, tuple[list[Part], list[Part]]], dict[str, tf.Tensor]]:
        made = self.bottom.reading(sides.reads)(sides.request, sides.item, training=training)
        return dict.fromkeys(self.tasks, hidden("bottom", made)), {}
