"""What models of interactions share: features, histories and dense values as fields, and a linear part."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras
import tensorflow as tf

from models.architecture import Segments, joined
from models.inputs import ModelInputs
from models.interactions.linear import Linear, ValueWeights
from models.interactions.value_vectors import ValueVectors
from models.layers.pooling import pool
from models.layers.tower import Tower
from models.schema import Feature, FeatureSchema, Kind, Side
from models.tables import TableSpec, one_per_space
from models.zoo.base import FeatureModel, FeatureOptions, Part, RankingOptions
from models.zoo.ranking import idle_without_layers

_ALONE = (Kind.CATEGORICAL, Kind.BAG)
LINEAR = "linear"
"""The role of the tables of a linear part, which hold a weight an id and task."""


@dataclass(frozen=True)
class Fields:
    """What interacts, and what stands beside it.

    Attributes:
        request: ``[batch, fields, width]``.
        item: ``[batch, candidates, fields, width]``.
        of_request: names of the request's fields.
        of_item: names of the candidates' fields.
        beside: of the request and of a candidate, what is no field: what a network reads besides.
    """

    request: tf.Tensor
    item: tf.Tensor
    of_request: tuple[str, ...]
    of_item: tuple[str, ...]
    beside: tuple[list[Part], list[Part]]

    @property
    def names(self) -> tuple[str, ...]:
        return self.of_request + self.of_item

    @property
    def width(self) -> int:
        return int(self.item.shape[-1])

    def every(self) -> tf.Tensor:
        """``[batch, candidates, fields, width]``, the request's first."""
        if not self.of_request:
            return self.item
        batch, candidates = tf.unstack(tf.shape(self.item)[:2])
        shape = (batch, candidates, len(self.of_request), self.width)
        request = tf.broadcast_to(self.request[:, None], shape)
        return tf.concat([request, self.item], axis=2) if self.of_item else request

    def flat(self) -> tuple[tf.Tensor, tf.Tensor, Segments]:
        """The fields side by side and what is beside them, of the request and of a candidate, and of what they are."""
        batch, candidates = tf.unstack(tf.shape(self.item)[:2])
        request = tf.reshape(self.request, (batch, len(self.of_request) * self.width))
        item = tf.reshape(self.item, (batch, candidates, len(self.of_item) * self.width))
        parts = [
            [Part("ids", tuple((name, self.width) for name in names), values), *beside]
            for names, values, beside in zip((self.of_request, self.of_item), (request, item), self.beside, strict=True)
        ]
        return side_by_side(parts[0], parts[1])


class FieldModel(FeatureModel):
    """Logits of a model whose features are vectors of one width; a history is the mean of its steps unless
    ``options.encoders`` says otherwise, a field a part, or one field if it is read as another width.

    Attributes:
        has_linear: whether a linear part is added: a bias, a weight an id, and a weight a value of dense features, of
            histories as they are read, and of their products with their targets.
        embeds_dense: whether a dense feature is a field too, the sum of its columns times a vector each; otherwise a
            network reads it beside the fields.
        interacts: whether there are fields at all.
    """

    family = "interaction"
    needs = "at least one feature with ids, and one width of all of their tables"
    has_linear = True
    embeds_dense = True
    interacts = True

    def __init__(self, schema: FeatureSchema, options: FeatureOptions, tasks: tuple[str, ...], *, name: str) -> None:
        super().__init__(schema, options, tasks, name=name)
        if self.interacts and not any(feature.has_ids for feature in schema.features):
            raise ValueError(f"model '{name}' needs at least one feature with ids: their vectors are what interacts")
        if self.has_linear:
            self.linear = Linear(len(tasks), name="linear")
            self.value_weights = ValueWeights(len(tasks), name="linear_values")
        if self.interacts:
            self.value_vectors = ValueVectors(name="vectors")

    def logits(self, fields: Fields, training: bool) -> tf.Tensor:
        """``[batch, candidates, tasks]``, the linear part apart."""
        raise NotImplementedError

    def scores(self, request: list[Part], item: list[Part], inputs: ModelInputs, training: bool) -> tf.Tensor:
        terms = self.first_order(request, item, inputs) if self.has_linear else []
        if self.interacts:
            terms.append(self.logits(self.fields(request, item, self.width(inputs)), training))
        return tf.add_n(terms)

    def first_order(self, request: list[Part], item: list[Part], inputs: ModelInputs) -> list[tf.Tensor]:
        """The terms of the linear part, ``[batch, candidates, tasks]`` each."""
        scores = len(self.tasks)
        weights = [[self.pooled(f, inputs, LINEAR) for f in alone(self.schema, side)]
                   for side in (Side.REQUEST, Side.ITEM)]  # fmt: skip
        values = [[part for part in side if part.what != "ids"] for side in (request, item)]
        extent = extent_of(weights[0] + [part.values for part in request], weights[1] + [p.values for p in item])
        stacked = [
            tf.stack(side, axis=-2) if side else tf.zeros((*shape, 0, scores))
            for side, shape in zip(weights, (extent[:1], extent), strict=True)
        ]
        terms = [tf.ensure_shape(self.linear(*stacked), (None, None, scores))]
        if values[0] or values[1]:
            self.value_weights.reads = joined(part.reads for side in values for part in side)
            terms.append(self.value_weights(*beside_each_other(values, extent)))
        return terms

    def fields(self, request: list[Part], item: list[Part], width: int) -> Fields:
        """The parts as fields."""
        extent = extent_of([part.values for part in request], [part.values for part in item])
        ready: list[list[Part]] = [[], []]
        made: list[list[Part]] = [[], []]
        beside: list[list[Part]] = [[], []]
        for place, side in enumerate((request, item)):
            for part in side:
                if part.what == "product" or (part.what == "dense" and not self.embeds_dense):
                    beside[place].append(part)
                elif self.is_field(part, width):
                    ready[place].append(part)
                else:
                    made[place].append(part)
        vectors = beside_each_other(ready, extent)
        if made[0] or made[1]:
            self.value_vectors.fields = (tuple(p.reads for p in made[0]), tuple(p.reads for p in made[1]))
            self.value_vectors.width = width
            more = self.value_vectors(*beside_each_other(made, extent))
            vectors = [tf.concat(both, axis=-1) for both in zip(vectors, more, strict=True)]
        names = [
            tuple(name for part in ready[place] for name, _ in part.reads) + tuple(p.reads[0][0] for p in made[place])
            for place in (0, 1)
        ]
        return Fields(
            tf.reshape(vectors[0], (extent[0], len(names[0]), width)),
            tf.reshape(vectors[1], (*extent, len(names[1]), width)),
            names[0], names[1], (beside[0], beside[1]),
        )  # fmt: skip

    def width(self, inputs: ModelInputs) -> int:
        """Of a field."""
        return width_of(inputs.vectors)

    def is_field(self, part: Part, width: int) -> bool:
        """Whether a part is one field or several as it is."""
        return part.what != "dense" and all(size == width for _, size in part.reads)

    def pooled(self, feature: Feature, inputs: ModelInputs, role: str) -> tf.Tensor:
        """A feature without steps as one vector of the tables of a role."""
        vectors = inputs.roles[role][feature.name]
        if feature.kind is Kind.BAG:
            return pool(vectors, inputs.mask[feature.name], self.options.values_pooling)
        return vectors

    def tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        wide = self.vector_tables(dims)
        if not self.has_linear:
            return wide
        single = FeatureSchema(
            tuple(alone(self.schema, Side.REQUEST) + alone(self.schema, Side.ITEM)), self.schema.spaces
        )
        return (*wide, *one_per_space(single, {}, LINEAR, len(self.tasks), "zeros"))

    def tables_of_spaces(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        """A table a space, of any widths."""
        return super().tables(dims)

    def vector_tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        """The tables of vectors.

        Raises:
            ValueError: their widths differ.
        """
        tables = self.tables_of_spaces(dims)
        widths = {table.space: table.width for table in tables}
        if len(set(widths.values())) > 1:
            told = ", ".join(f"{space} {width}" for space, width in widths.items())
            raise ValueError(
                f"model '{self.name}' sees fields of one width, so all tables need the same; give `dim` and no `dims`, "
                f"which make them: {told}"
            )
        return tables

    @property
    def output_bias(self) -> keras.Variable:
        return self.linear.bias


class DeepFieldModel(FieldModel):
    """A model with a network beside its interactions, over the fields side by side."""

    Options: type[RankingOptions] = RankingOptions

    def __init__(self, schema: FeatureSchema, options: RankingOptions, tasks: tuple[str, ...], *, name: str) -> None:
        super().__init__(schema, options, tasks, name=name)
        self.tower = Tower(options.units, options.activation, options.dropout, scores=len(tasks), name="tower_main")

    def deep(self, fields: Fields, training: bool) -> tf.Tensor:
        """What the network makes of the fields and of what is beside them."""
        request, item, self.tower.reads = fields.flat()
        return self.tower(request, item, training=training)

    def idle_options(self) -> dict[str, str]:
        return super().idle_options() | idle_without_layers(self.options)


def alone(schema: FeatureSchema, side: Side) -> list[Feature]:
    """The features with ids that are no steps of a history."""
    return [f for f in schema.on(side, ids=True) if f.kind in _ALONE]


def width_of(vectors: Mapping[str, tf.Tensor]) -> int:
    """Of vectors that are all of one width."""
    return int(next(iter(vectors.values())).shape[-1])


def extent_of(request: list[tf.Tensor], item: list[tf.Tensor]) -> tuple[Any, Any]:
    """How many requests, and how many candidates of each; one where nothing is of a candidate."""
    if not item:
        return tf.shape(request[0])[0], 1
    shape = tf.shape(item[0])
    return shape[0], shape[1]


def side_by_side(request: list[Part], item: list[Part]) -> tuple[tf.Tensor, tf.Tensor, Segments]:
    """The parts of a request, ``[batch, values]``, and of a candidate, ``[batch, candidates, values]``, and of what
    they are."""
    extent = extent_of([part.values for part in request], [part.values for part in item])
    sides = beside_each_other([request, item], extent)
    return sides[0], sides[1], joined(part.reads for part in (*request, *item))


def beside_each_other(parts: list[list[Part]], extent: tuple[Any, Any]) -> list[tf.Tensor]:
    """The values of each side's parts, ``[batch, values]`` and ``[batch, candidates, values]``."""
    return [
        tf.concat([part.values for part in side], axis=-1) if side else tf.zeros((*shape, 0))
        for side, shape in zip(parts, (extent[:1], extent), strict=True)
    ]


def of_histories(schema: FeatureSchema) -> set[str]:
    """Names of histories, of what else is of their steps, and of their targets."""
    targets = {feature.of for feature in schema.features if feature.kind.is_history}
    return {f.name for f in schema.features if f.has_ids and (f.kind not in _ALONE or f.name in targets)}


def tables_of(features: Collection[str], tables: tuple[TableSpec, ...]) -> tuple[TableSpec, ...]:
    """Of a model's tables what these features are looked up in."""
    kept = ((table, tuple(name for name in table.features if name in features)) for table in tables)
    return tuple(replace(table, features=names) for table, names in kept if names)
