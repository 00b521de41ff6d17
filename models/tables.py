"""The embedding tables that a model declares: by default one an id space, read by every feature of the space."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from models.architecture import Segments
from models.schema import FeatureSchema

FirstRows = Literal["drawn", "zeros"]
Unknown = Literal["row", "nothing"]


class Fused(NamedTuple):
    """A table of the engine, in which all tables of one width that are moved alike stand.

    Attributes:
        width: floats a row.
        way: which of the optimisers of that width's tables moves it.
    """

    width: int
    way: int = 0


@dataclass(frozen=True)
class TableSpec:
    """One embedding table.

    Two tables of one space may be read by different features (a target and its history), or by the same ones under two
    roles (a wide table and one of width 1 beside it, the linear part of a factorisation machine).

    Attributes:
        name: of its tensors in a checkpoint, ``table/<name>``; unique in a model.
        space: id space of its rows; growing with the space's id map.
        width: floats a row.
        features: that are looked up in it.
        role: under which a model finds the vectors, ``ModelInputs.roles[role]``; ``""`` for ``ModelInputs.vectors``.
        first: the rows of a new table: that of unknown ids ``drawn`` from the seed and the table's name and copied to
            every other, or ``zeros``.
        way: as of :class:`Fused`; by the engine, from its settings.
        unknown: ids read as the trained ``row`` of what is unknown, or as ``nothing``, like padding.
        columns: of what the values of a row are, where that is a matter of the features.
    """

    name: str
    space: str
    width: int
    features: tuple[str, ...]
    role: str = ""
    first: FirstRows = "drawn"
    way: int = 0
    columns: Segments = ()
    unknown: Unknown = "row"

    @property
    def fused(self) -> Fused:
        """The engine's table that it stands in."""
        return Fused(self.width, self.way)


def one_per_space(
    schema: FeatureSchema, dims: Mapping[str, int], role: str = "", width: int | None = None, first: FirstRows = "drawn"
) -> tuple[TableSpec, ...]:
    """A table for every id space in use, read by all of its features.

    Args:
        dims: embedding width of every id space.
        role: of the tables; their names are ``<role>.<space>``, or the space's own without a role.
        width: of them all, instead of ``dims``.
    """
    readers: dict[str, list[str]] = {}
    for feature in schema.features:
        if feature.has_ids:
            readers.setdefault(str(feature.space), []).append(feature.name)
    return tuple(
        TableSpec(f"{role}.{space}" if role else space, space, width or dims[space], tuple(names), role, first)
        for space, names in sorted(readers.items())
    )  # fmt: skip


def check_tables(schema: FeatureSchema, tables: Collection[TableSpec]) -> None:
    """Whether a model's tables hold together.

    Raises:
        ValueError: two tables of one name, or that a feature is looked up in under one role; a feature that is in no
            table, or in one of another id space; names the tables and features.
    """
    names = [table.name for table in tables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"embedding tables declared twice: {', '.join(twice)}")
    found: dict[tuple[str, str], str] = {}
    for table in tables:
        if table.width < 1:
            raise ValueError(f"embedding table '{table.name}': width {table.width}; expected at least 1")
        for name in table.features:
            if schema[name].space != table.space:
                raise ValueError(
                    f"embedding table '{table.name}' is of id space '{table.space}', but is to be read by the feature "
                    f"'{name}' of '{schema[name].space}'"
                )
            other = found.setdefault((table.role, name), table.name)
            if other != table.name:
                raise ValueError(f"feature '{name}' is looked up in two tables of one role: {other}, {table.name}")
    lacking = sorted({f.name for f in schema.features if f.has_ids} - {name for _, name in found})
    if lacking:
        raise ValueError(f"features that no embedding table is declared for: {', '.join(lacking)}")
