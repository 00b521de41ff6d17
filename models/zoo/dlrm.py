"""DLRM: inner products of all pairs of fields and of what a network makes of the dense values."""

from __future__ import annotations

import keras
import tensorflow as tf
from pydantic import Field

from models.interactions.dot import AsWide, pair_names, pair_products
from models.layers.hidden import Hidden
from models.layers.tower import Tower
from models.options import Widths
from models.registry import register
from models.schema import FeatureSchema, Kind
from models.zoo.base import RankingOptions
from models.zoo.fields import FieldModel, Fields, side_by_side
from models.zoo.ranking import idle_without_layers


class DlrmOptions(RankingOptions):
    """Options of :class:`Dlrm`."""

    bottom_units: Widths = Field(
        (64,), min_length=1, description="widths of the hidden layers over dense values, before one as wide as a field"
    )
    with_self: bool = Field(False, description="also the product of each vector with itself")


@register("dlrm")
class Dlrm(FieldModel):
    """A network over the inner products of all pairs of fields, of which one is what a network makes of the dense
    values, and over that one itself."""

    Options = DlrmOptions
    paper = "Naumov et al., Deep Learning Recommendation Model for Personalization and Recommendation Systems, 2019"
    has_linear = False
    embeds_dense = False

    def __init__(self, schema: FeatureSchema, options: DlrmOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="dlrm")
        self.bottom = Hidden(options.bottom_units, options.activation, options.dropout, name="bottom")
        self.bottom_end = AsWide(options.activation, name="bottom_end")
        self.tower = Tower(options.units, options.activation, options.dropout, scores=len(tasks), name="tower_main")

    def logits(self, fields: Fields, training: bool) -> tf.Tensor:
        dense, products = ([[part for part in side if (part.what == "dense") is wanted] for side in fields.beside]
                           for wanted in (True, False))  # fmt: skip
        vectors, names, own = fields.every(), fields.names, []
        if dense[0] or dense[1]:
            request, item, reads = side_by_side(*dense)
            self.bottom_end.width = fields.width
            bottom = self.bottom_end(self.bottom.reading(reads)(request, item, training=training))
            bottom = tf.broadcast_to(bottom, tf.concat([tf.shape(vectors)[:2], tf.shape(bottom)[2:]], axis=0))
            vectors, names = tf.concat([bottom[:, :, None], vectors], axis=2), ("dense", *names)
            own = [bottom]
        if len(names) < 2 and not self.options.with_self:
            raise ValueError(
                f"model 'dlrm' needs two vectors at least, got that of '{names[0]}' alone; give it another feature "
                "with ids, a dense one, or `with_self`"
            )
        pairs = pair_products(vectors, with_self=self.options.with_self)
        told = tf.concat([*own, pairs, *(part.values for part in products[1])], axis=-1)
        segments = [(name, 1) for name in pair_names(names, with_self=self.options.with_self)]
        segments += [segment for part in products[1] for segment in part.reads]
        self.tower.reads = (*((("dense", fields.width),) if own else ()), *segments)
        return self.tower(tf.zeros((tf.shape(told)[0], 0)), told, training=training)

    @property
    def output_bias(self) -> keras.Variable:
        return self.tower.output_bias

    def idle_options(self) -> dict[str, str]:
        idle = super().idle_options() | idle_without_layers(self.options)
        if not any(feature.kind in (Kind.DENSE, Kind.VECTOR) for feature in self.schema.features):
            idle["bottom_units"] = "there is no dense feature"
        return idle
