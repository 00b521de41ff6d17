"""Logistic regression over all features by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from models.registry import register
from models.schema import Feature, FeatureSchema, Side
from models.tables import TableSpec
from models.zoo.base import FeatureOptions
from models.zoo.fields import FieldModel, of_histories, tables_of


class LrOptions(FeatureOptions):
    """Options of :class:`Lr`."""


@register("lr")
class Lr(FieldModel):
    """A weight an id and a weight a value; of a history a weight a value of what is read of it."""

    Options = LrOptions
    needs = "at least one feature"
    interacts = False

    def __init__(self, schema: FeatureSchema, options: LrOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="lr")

    def embedded(self, side: Side) -> list[Feature]:
        return []

    def vector_tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        return tables_of(of_histories(self.schema), self.tables_of_spaces(dims))
