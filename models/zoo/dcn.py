"""DCN: crosses by a weight a value and layer."""

from __future__ import annotations

import tensorflow as tf

from models.architecture import Segments
from models.interactions.cross import Cross
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.crossed import CrossedModel, CrossedOptions


class DcnOptions(CrossedOptions):
    """Options of :class:`Dcn`."""


@register("dcn")
class Dcn(CrossedModel):
    """Crosses of all values, a weight a value and layer, beside hidden layers or below them."""

    Options = DcnOptions
    paper = "Wang et al., Deep & Cross Network for Ad Click Predictions, 2017"

    def __init__(self, schema: FeatureSchema, options: DcnOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="dcn")
        self.cross = Cross(options.cross_layers, name="cross")

    def crossed(self, x0: tf.Tensor, reads: Segments) -> tf.Tensor:
        self.cross.reads = reads
        return self.cross(x0)
