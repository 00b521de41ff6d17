"""AutoInt: layers of attention of each field over all fields."""

from __future__ import annotations

import keras
import tensorflow as tf
from pydantic import Field

from models.interactions.attention import Interacting
from models.layers.tower import Tower
from models.options import Width, Widths
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import RankingOptions
from models.zoo.fields import FieldModel, Fields
from models.zoo.ranking import idle_without_layers


class AutoIntOptions(RankingOptions):
    """Options of :class:`AutoInt`."""

    units: Widths = Field((), description="widths of the hidden layers beside the attention; none: there is no network")
    attention_widths: Widths = Field(
        (32, 32), min_length=1, description="what a field becomes in each layer of attention, all heads side by side"
    )
    heads: Width = Field(2, description="of each layer of attention")


@register("autoint")
class AutoInt(FieldModel):
    """Layers of attention of each field over all fields, and a head on all that they become; with `units` a network
    over the fields besides. A field with nothing in it, such as an empty history, is attended by none."""

    Options = AutoIntOptions
    paper = "Song et al., AutoInt: Automatic Feature Interaction Learning via Self-Attentive Neural Networks, 2019"
    has_linear = False

    def __init__(self, schema: FeatureSchema, options: AutoIntOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="autoint")
        self.attention = [
            Interacting(width, options.heads, name=f"attention_{i + 1}")
            for i, width in enumerate(options.attention_widths)
        ]
        self.head = Tower((), "linear", scores=len(tasks), name="head")
        if options.units:
            self.tower = Tower(options.units, options.activation, options.dropout, scores=len(tasks), name="tower_main")

    def logits(self, fields: Fields, training: bool) -> tf.Tensor:
        found = fields.every()
        real = tf.reduce_any(found != 0, axis=-1)
        for layer in self.attention:
            found = layer(found, real)
        width = self.options.attention_widths[-1]
        self.head.reads = tuple((name, width) for name in fields.names)
        flat = tf.reshape(found, (*tf.unstack(tf.shape(found))[:2], len(fields.names) * width))
        logits = self.head(tf.zeros((tf.shape(flat)[0], 0)), flat)
        if not self.options.units:
            return logits
        request, item, self.tower.reads = fields.flat()
        return logits + self.tower(request, item, training=training)

    @property
    def output_bias(self) -> keras.Variable:
        return self.head.output_bias

    def idle_options(self) -> dict[str, str]:
        idle = super().idle_options() | idle_without_layers(self.options)
        return idle if self.options.units else idle | {"product": "there is no network (`units` is empty)"}
