"""ESMM: a task and what comes after it (a click, then a purchase), both learnt of all rows."""

from __future__ import annotations

import tensorflow as tf

from models.inputs import ModelInputs
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import Part
from models.zoo.multi_task import MultiTaskModel, TaskOptions
from models.zoo.ranking import Sides


class EsmmOptions(TaskOptions):
    """Options of :class:`Esmm`."""


@register("esmm")
class Esmm(MultiTaskModel):
    """A tower a task over shared vectors and histories; a task that is given another is learnt through the product of
    their probabilities over all rows, in log space, and by no loss of its own."""

    Options = EsmmOptions
    needs = "a task that is given another; at least one feature"
    task_losses = ("binary",)
    paper = "Ma et al., Entire Space Multi-Task Model, 2018"
    entire_space = True

    def __init__(self, schema: FeatureSchema, options: EsmmOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="esmm")

    def below(
        self, shared: tuple[list[Part], list[Part]], sides: Sides, inputs: ModelInputs, training: bool
    ) -> tuple[dict[str, tuple[list[Part], list[Part]]], dict[str, tf.Tensor]]:
        return dict.fromkeys(self.tasks, shared), {}
