"""The field-aware factorisation machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import tensorflow as tf

from models.inputs import ModelInputs
from models.interactions.ffm import field_aware
from models.interactions.task_weights import TaskWeights
from models.registry import register
from models.schema import Feature, FeatureSchema, Kind, Side
from models.tables import TableSpec, one_per_space
from models.zoo.base import FeatureOptions, Part
from models.zoo.fields import FieldModel, Fields, alone, of_histories, tables_of, width_of

AWARE = "aware"
"""The role of the tables that hold a vector for each field, side by side."""


class FfmOptions(FeatureOptions):
    """Options of :class:`Ffm`."""


@register("ffm")
class Ffm(FieldModel):
    """A linear part, and the inner products of all pairs of fields, each of the vector that one has for the other and
    the one that the other has for it; as many tables as of a factorisation machine, as wide as there are fields times
    the width of an id's vector. A history is one field, of what is read of it by a learnt matrix."""

    Options = FfmOptions
    paper = "Juan et al., Field-aware Factorization Machines for CTR Prediction, 2016"

    def __init__(self, schema: FeatureSchema, options: FfmOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="ffm")
        self.second_order = TaskWeights(len(tasks), name="second_order")
        floats = [f.name for f in schema.features if f.kind in (Kind.DENSE, Kind.VECTOR)]
        ids = [f.name for side in (Side.REQUEST, Side.ITEM) for f in alone(schema, side)]
        self.slots = (*ids, *floats, *(self.told_of(group) for group in self.groups))

    def embedded(self, side: Side) -> list[Feature]:
        return []

    def scores(self, request: list[Part], item: list[Part], inputs: ModelInputs, training: bool) -> tf.Tensor:
        width = self.width(inputs)
        self.value_vectors.columns = tuple((name, width // len(self.slots)) for name in self.slots)
        aware = [
            [Part("ids", ((f.name, width),), self.pooled(f, inputs, AWARE)) for f in alone(self.schema, side)]
            for side in (Side.REQUEST, Side.ITEM)
        ]
        return super().scores([*aware[0], *request], [*aware[1], *item], inputs, training)

    def logits(self, fields: Fields, training: bool) -> tf.Tensor:
        count = len(self.slots)
        vectors = fields.every()
        factors = fields.width // count
        vectors = tf.reshape(vectors, (*tf.unstack(tf.shape(vectors))[:-1], count, factors))
        order = [self.slots.index(name) for name in fields.names]
        if order != sorted(order):  # a history that each candidate has its own reading of stands among the candidate's
            vectors = tf.gather(vectors, order, axis=-2)
        self.second_order.reads = (("factors", factors),)
        told = self.second_order(tf.ensure_shape(field_aware(vectors), (None, None, factors)))
        return tf.ensure_shape(told, (None, None, len(self.tasks)))

    def width(self, inputs: ModelInputs) -> int:
        found = inputs.roles.get(AWARE)
        return width_of(found) if found else len(self.slots) * width_of(inputs.vectors)

    def is_field(self, part: Part, width: int) -> bool:
        return part.what == "ids"

    def vector_tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        plain = super().vector_tables(dims)
        factors = plain[0].width
        features = tuple(f for side in (Side.REQUEST, Side.ITEM) for f in alone(self.schema, side))
        aware = one_per_space(
            FeatureSchema(features, self.schema.spaces), {}, AWARE, len(self.slots) * factors
        )  # fmt: skip
        columns = tuple((name, factors) for name in self.slots)
        return (
            *tables_of(of_histories(self.schema), plain),
            *(replace(table, columns=columns) for table in aware),
        )
