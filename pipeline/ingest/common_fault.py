"""What most of the rows in quarantine are there for, with a value; and a type that would take all of them."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.tables import Column, ColumnType, Table
from pipeline.errors import DataError
from pipeline.ingest.parse.columns import parse_column

NEARLY_ALL = 0.9
"""Of a table's rows: so many with one fault in one column are no bad rows, but another kind of column."""
_TRIED: tuple[ColumnType, ...] = ("int", "float", "day", "str")
_SAMPLE = 1000
_SHOWN = 40


class Fault(NamedTuple):
    """The fault of most rows in quarantine.

    Attributes:
        rows: that have it.
        value: which most of them have there, cut to a few letters.
    """

    table: str
    column: str
    reason: str
    rows: int
    value: str

    @property
    def told(self) -> str:
        """In words, without the table."""
        where = f"{self.column}: {self.reason}" if self.column else self.reason
        return f"{where} ({self.value!r})" if self.value else where


def common_fault(quarantine: pa.Table) -> Fault | None:
    """The most frequent of rows in ``QUARANTINE``, of equal ones the first by name; ``None`` of no rows."""
    counted = quarantine.group_by(["table", "column", "reason"]).aggregate([([], "count_all")])
    keys = zip(*(counted[name].to_pylist() for name in ("table", "column", "reason", "count_all")), strict=True)
    most = min(keys, key=lambda each: (-each[3], each[:3]), default=None)
    if most is None:
        return None
    table, column, reason, rows = most
    values = Counter(_of(quarantine, table, column, reason)["value"].to_pylist())
    value = min(values, key=lambda each: (-values[each], each or "")) or ""
    return Fault(table, column, reason, rows, value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")


def other_type(name: str, table: Table, rows: int, quarantine: pa.Table, zone: str) -> str | None:
    """What to write where nearly all ``rows`` of a table are in quarantine for one column's type; ``None`` elsewhere.

    Args:
        name: of the table.
        quarantine: of all tables.
    """
    fault = common_fault(quarantine.filter(pc.equal(quarantine["table"], name)))
    if fault is None or fault.rows < NEARLY_ALL * rows or fault.column not in table.columns:
        return None
    declared = table.columns[fault.column]
    values = _of(quarantine, fault.table, fault.column, fault.reason)["value"].slice(0, _SAMPLE).combine_chunks()
    values = values.filter(pc.not_equal(values, ""))
    if not len(values) or _takes(declared, declared.type, values, zone) > 1 - NEARLY_ALL:
        return None  # of this type they are, and it is a bound or a list of values that refuses them
    fits = next((each for each in _TRIED if _takes(declared, each, values, zone) >= NEARLY_ALL), None)
    if fits is None:
        return None
    if fits == "day" and ":" in fault.value:
        fits = "time"
    return (
        f"nearly all rows have no `{declared.type}` in {table.in_source(fault.column)}, but values such as "
        f"{fault.value!r}: if they are right, the YAML is not: write `{fault.column}: {{type: {fits}, …}}` in "
        f"tables.{name}.columns"
    )


def _of(quarantine: pa.Table, table: str, column: str, reason: str) -> pa.Table:
    wanted = {"table": table, "column": column, "reason": reason}
    for name, value in wanted.items():
        quarantine = quarantine.filter(pc.equal(quarantine[name], value))
    return quarantine


def _takes(column: Column, kind: ColumnType, values: pa.Array, zone: str) -> float:
    """The share of values that a column of this type would take, bounds aside."""
    unit = column.unit if kind in ("time", "day") else None
    part = column.part if kind in ("int", "str") else None
    separator = column.separator if kind.endswith("_list") else None
    bare = Column(type=kind, part=part, unit=unit, separator=separator)
    try:
        found = parse_column(values, bare, zone)
    except DataError:
        return 0.0
    return 1 - float(found.bad.mean())
