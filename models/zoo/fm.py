"""The factorisation machine."""

from __future__ import annotations

import tensorflow as tf

from models.interactions.fm import bi_interaction
from models.interactions.task_weights import TaskWeights
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import FeatureOptions
from models.zoo.fields import FieldModel, Fields


class FmOptions(FeatureOptions):
    """Options of :class:`Fm`."""


@register("fm")
class Fm(FieldModel):
    """A linear part, and the inner products of all pairs of fields; of several tasks each weighs the factors by its
    own."""

    Options = FmOptions
    paper = "Rendle, Factorization Machines, 2010"

    def __init__(self, schema: FeatureSchema, options: FmOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="fm")
        self.second_order = TaskWeights(len(tasks), name="second_order")

    def logits(self, fields: Fields, training: bool) -> tf.Tensor:
        self.second_order.reads = (("factors", fields.width),)
        return self.second_order(bi_interaction(fields.request, fields.item))
