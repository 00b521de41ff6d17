"""DeepFM: a factorisation machine and a network over the same vectors."""

from __future__ import annotations

import tensorflow as tf

from models.interactions.fm import bi_interaction
from models.interactions.task_weights import TaskWeights
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import RankingOptions
from models.zoo.fields import DeepFieldModel, Fields


class DeepFmOptions(RankingOptions):
    """Options of :class:`DeepFm`."""


@register("deepfm")
class DeepFm(DeepFieldModel):
    """A linear part, the inner products of all pairs of fields, and a network over the fields, added up."""

    Options = DeepFmOptions
    paper = "Guo et al., DeepFM: A Factorization-Machine based Neural Network for CTR Prediction, 2017"

    def __init__(self, schema: FeatureSchema, options: DeepFmOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="deepfm")
        self.second_order = TaskWeights(len(tasks), name="second_order")

    def logits(self, fields: Fields, training: bool) -> tf.Tensor:
        self.second_order.reads = (("factors", fields.width),)
        return self.second_order(bi_interaction(fields.request, fields.item)) + self.deep(fields, training)
