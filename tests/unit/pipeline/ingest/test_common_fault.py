from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from pipeline.config.tables import Table
from pipeline.ingest.common_fault import common_fault, other_type
from pipeline.ingest.quarantine import QUARANTINE


def quarantine(*rows: tuple[str, str, str, str], times: int = 1) -> pa.Table:
    names = ("table", "column", "reason", "value")
    told = [{**dict(zip(names, row, strict=True)), "row": "{}"} for row in rows * times]
    return pa.Table.from_pylist(told, QUARANTINE)


def table(**user: Any) -> Table:
    return Table.model_validate({"source": "log", "columns": {"user": {"type": "int", **user}, "ad": {"type": "int"}}})


def test_the_most_frequent_fault_has_its_most_frequent_value() -> None:
    found = common_fault(quarantine(
        ("log", "label", "not an allowed value", "2"), ("log", "ad", "missing", ""),
        ("log", "label", "not an allowed value", "7"), ("log", "label", "not an allowed value", "7"),
    ))  # fmt: skip
    assert found is not None
    assert (found.table, found.rows, found.told) == ("log", 3, "label: not an allowed value ('7')")
    one = common_fault(quarantine(("log", "ad", "missing", "")))
    assert one is not None
    assert one.told == "ad: missing"
    assert common_fault(quarantine()) is None


@pytest.mark.parametrize(
    ("value", "expected"), [("u17", "str"), ("1.5", "float"), ("2024-03-01", "day"), ("2024-03-01 10:00:00", "time")]
)
def test_a_type_that_takes_what_the_declared_one_does_not_is_named(value: str, expected: str) -> None:
    rows = quarantine(("log", "user", "not a whole number", value), times=95)
    told = other_type("log", table(source="UserId"), 100, rows, "UTC")
    assert told is not None
    assert told.startswith(f"nearly all rows have no `int` in UserId (`user`), but values such as '{value}': if they")
    assert f"write `user: {{type: {expected}, …}}` in tables.log.columns" in told


def test_bad_rows_and_bounds_are_no_wrong_type() -> None:
    some = quarantine(("log", "user", "not a whole number", "u17"), times=80)
    assert other_type("log", table(), 100, some, "UTC") is None
    low = quarantine(("log", "user", "below 100", "17"), times=100)
    assert other_type("log", table(min=100), 100, low, "UTC") is None
    missing = quarantine(("log", "user", "missing", ""), times=100)
    assert other_type("log", table(), 100, missing, "UTC") is None
