"""DCN-V2: crosses by a matrix a layer."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field

from models.architecture import Segments
from models.interactions.cross import MatrixCross
from models.options import Width
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.crossed import CrossedModel, CrossedOptions


class DcnV2Options(CrossedOptions):
    """Options of :class:`DcnV2`."""

    rank: Width | None = Field(None, description="of the matrix of each layer of crosses; none: a whole one")


@register("dcn_v2")
class DcnV2(CrossedModel):
    """Crosses of all values, a matrix a layer, beside hidden layers or below them."""

    Options = DcnV2Options
    paper = (
        "Wang et al., DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank "
        "Systems, 2021"
    )

    def __init__(self, schema: FeatureSchema, options: DcnV2Options, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="dcn_v2")
        self.crosses = [MatrixCross(options.rank, name=f"cross_{i + 1}") for i in range(options.cross_layers)]

    def crossed(self, x0: tf.Tensor, reads: Segments) -> tf.Tensor:
        x = x0
        for cross in self.crosses:
            cross.reads = reads
            x = cross(x0, x)
        return x
