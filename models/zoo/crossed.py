"""What DCN and DCN-V2 share: crosses of all values side by side, and hidden layers before a head."""

from __future__ import annotations

from typing import Literal

import keras
import tensorflow as tf
from pydantic import Field

from models.architecture import Segments
from models.inputs import ModelInputs
from models.layers.hidden import Hidden
from models.layers.tower import Tower
from models.options import Width
from models.schema import FeatureSchema
from models.zoo.base import FeatureModel, Part, RankingOptions
from models.zoo.fields import side_by_side
from models.zoo.ranking import idle_without_layers

Structure = Literal["parallel", "stacked"]


class CrossedOptions(RankingOptions):
    """Options of both."""

    cross_layers: Width = Field(3, description="layers of crosses; they reach one order more")
    structure: Structure = Field(
        "parallel", description="hidden layers beside the crosses, or `stacked` on top of what they give"
    )


class CrossedModel(FeatureModel):
    """``logit = head([crosses(x), hidden(x)])``, or ``head(hidden(crosses(x)))``, of vectors of any widths and dense
    values side by side; a history is the mean of its steps unless ``options.encoders`` says otherwise."""

    Options: type[CrossedOptions] = CrossedOptions
    family = "interaction"

    def __init__(self, schema: FeatureSchema, options: CrossedOptions, tasks: tuple[str, ...], *, name: str) -> None:
        super().__init__(schema, options, tasks, name=name)
        if options.units:
            self.deep = Hidden(options.units, options.activation, options.dropout, name="deep")
        self.head = Tower((), "linear", scores=len(tasks), name="head")

    def crossed(self, x0: tf.Tensor, reads: Segments) -> tf.Tensor:
        """``[batch, candidates, values]`` to the same shape."""
        raise NotImplementedError

    def scores(self, request: list[Part], item: list[Part], inputs: ModelInputs, training: bool) -> tf.Tensor:
        of_request, of_item, reads = side_by_side(request, item)
        extent = tf.shape(of_item)[:2]
        beside = tf.broadcast_to(of_request[:, None], tf.concat([extent, tf.shape(of_request)[1:]], axis=0))
        crosses = self.crossed(tf.concat([beside, of_item], axis=-1), reads)
        nothing = of_request[:, :0]
        units = self.options.units
        if not units:
            self.head.reads = reads
            return self.head(nothing, crosses)
        of_hidden = (("hidden", units[-1]),)
        if self.options.structure == "stacked":
            self.head.reads = of_hidden
            return self.head(nothing, self.deep.reading(reads)(nothing, crosses, training=training))
        self.head.reads = (*reads, *of_hidden)
        hidden = self.deep.reading(reads)(of_request, of_item, training=training)
        return self.head(nothing, tf.concat([crosses, hidden], axis=-1))

    @property
    def output_bias(self) -> keras.Variable:
        return self.head.output_bias

    def idle_options(self) -> dict[str, str]:
        idle = super().idle_options() | idle_without_layers(self.options)
        return idle if self.options.units else idle | {"structure": idle["activation"]}
