"""PLE: levels of experts, some shared by all tasks, others a task's own."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field

from models.heads.experts import Level, Read
from models.inputs import ModelInputs
from models.options import Width, Widths
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import Part
from models.zoo.multi_task import EntireOptions, MultiTaskModel, hidden, told_use
from models.zoo.ranking import Sides


class PleOptions(EntireOptions):
    """Options of :class:`Ple`."""

    units: Widths = Field((64,), description="widths of the hidden layers of each task's tower")
    levels: Width = Field(2, description="one on top of another")
    experts: Width = Field(2, description="networks of each task's own, in each level")
    shared_experts: Width = Field(2, description="networks that all tasks share, in each level")
    expert_units: Widths = Field((64,), min_length=1, description="widths of the hidden layers of each expert")


@register("ple")
class Ple(MultiTaskModel):
    """Levels of experts, some shared and others a task's own, with a gate a task over both; the first reads all that is
    shared, each further one what the level below has made. Training tells how much each expert is used."""

    Options = PleOptions
    options: PleOptions
    paper = "Tang et al., Progressive Layered Extraction, 2020"

    def __init__(self, schema: FeatureSchema, options: PleOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="ple")
        self.levels = [
            Level(
                tasks, options.shared_experts, options.experts, options.expert_units, options.activation,
                above=number < options.levels, prefix=f"level_{number}_",
            )
            for number in range(1, options.levels + 1)
        ]  # fmt: skip
        # A level is no layer: what it holds is.
        self.level_layers = [level.layers for level in self.levels]

    def below(
        self, shared: tuple[list[Part], list[Part]], sides: Sides, inputs: ModelInputs, training: bool
    ) -> tuple[dict[str, tuple[list[Part], list[Part]]], dict[str, tf.Tensor]]:
        goes_on: Read = Read(*sides)
        read, use = dict.fromkeys(self.tasks, goes_on), dict[str, tf.Tensor]()
        nothing, width = sides.request[:, :0], self.options.expert_units[-1]
        for number, level in enumerate(self.levels, 1):
            found, above = level.mix(goes_on, read, inputs.real, training)
            for task in self.tasks:
                use |= told_use(task, found[task].use)
            reads = ((f"level {number}", width),)
            read = {task: Read(nothing, found[task].values, reads) for task in self.tasks}
            if above is not None:
                goes_on = Read(nothing, above, reads)
        return {task: hidden(f"level {len(self.levels)}", read[task].item) for task in self.tasks}, use
