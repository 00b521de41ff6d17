"""xDeepFM: a compressed interaction network beside a linear part and a network."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field

from models.interactions.cin import Cin
from models.layers.tower import Tower
from models.options import Widths
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import RankingOptions
from models.zoo.fields import DeepFieldModel, Fields


class XDeepFmOptions(RankingOptions):
    """Options of :class:`XDeepFm`."""

    maps: Widths = Field(
        (128, 128), min_length=1, description="maps of each layer of crosses; they reach one order more"
    )
    split_half: bool = Field(
        True, description="half of a layer's maps go on to the next one and half to the output; otherwise all do both"
    )
    cin_relu: bool = Field(False, description="maps with a bias and a relu; otherwise with neither")


@register("xdeepfm")
class XDeepFm(DeepFieldModel):
    """A linear part, a head on a compressed interaction network, and a network over the fields, added up."""

    Options = XDeepFmOptions
    paper = "Lian et al., xDeepFM: Combining Explicit and Implicit Feature Interactions for Recommender Systems, 2018"

    def __init__(self, schema: FeatureSchema, options: XDeepFmOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="xdeepfm")
        self.cin = Cin(options.maps, options.split_half, options.cin_relu, name="cin")
        self.cin_head = Tower((), "linear", scores=len(tasks), name="cin_head")

    def logits(self, fields: Fields, training: bool) -> tf.Tensor:
        crosses = self.cin.reading(tuple((name, 1) for name in fields.names))(fields.every())
        crosses = tf.ensure_shape(crosses, (None, None, self.cin.told))
        nothing = tf.zeros((tf.shape(crosses)[0], 0))
        return self.cin_head(nothing, crosses) + self.deep(fields, training)

    def idle_options(self) -> dict[str, str]:
        idle = super().idle_options()
        if len(self.options.maps) == 1:
            idle["split_half"] = "one layer of `maps` goes to the output as a whole"
        return idle
