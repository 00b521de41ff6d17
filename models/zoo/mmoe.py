"""MMoE: experts that all tasks share, and a gate a task over them."""

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


class MmoeOptions(EntireOptions):
    """Options of :class:`Mmoe`."""

    units: Widths = Field((64,), description="widths of the hidden layers of each task's tower")
    experts: Width = Field(4, description="networks that all tasks share")
    expert_units: Widths = Field((128,), min_length=1, description="widths of the hidden layers of each expert")


@register("mmoe")
class Mmoe(MultiTaskModel):
    """Experts that all tasks share; what a task is told of them is weighted by a gate of its own, a softmax without a
    bias of all that is shared. Training tells how much each expert is used."""

    Options = MmoeOptions
    paper = "Ma et al., Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts, 2018"

    def __init__(self, schema: FeatureSchema, options: MmoeOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="mmoe")
        self.level = Level(tasks, options.experts, 0, options.expert_units, options.activation)
        # A level is no layer: what it holds is.
        self.level_layers = self.level.layers

    def below(
        self, shared: tuple[list[Part], list[Part]], sides: Sides, inputs: ModelInputs, training: bool
    ) -> tuple[dict[str, tuple[list[Part], list[Part]]], dict[str, tf.Tensor]]:
        read = Read(*sides)
        found, _ = self.level.mix(read, dict.fromkeys(self.tasks, read), inputs.real, training)
        use = {name: share for task in self.tasks for name, share in told_use(task, found[task].use).items()}
        return {task: hidden("mixture", each.values) for task, each in found.items()}, use
