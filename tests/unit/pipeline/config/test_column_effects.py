"""Settings of tables and columns that nobody would read, and values that no column could hold."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.column_effects import check_values, idle_of_tables
from pipeline.config.tables import Table

DATED: dict[str, Any] = {"source": "log", "columns": {"day": {"type": "day"}, "user": {"type": "int"}}}
UNDATED: dict[str, Any] = {"source": "users", "dated": False, "key": ["user"], "columns": {"user": {"type": "int"}}}


def idle(plain: dict[str, Any], **settings: Any) -> list[str]:
    return [name for name, _ in idle_of_tables({"t": Table.model_validate({**plain, **settings})})]


def columns(**declared: Any) -> dict[str, Table]:
    return {"t": Table.model_validate({"source": "log", "columns": {"x": declared}})}


def test_tables_whose_settings_all_act() -> None:
    assert idle(DATED, day="day", ready={"marker": False, "unchanged_minutes": 5, "weekday_share": 0.9}) == []
    assert idle(UNDATED) == []


@pytest.mark.parametrize(
    ("plain", "settings", "name"),
    [
        (DATED, {"key": ["user"]}, "tables.t.key"),
        (DATED, {"required": False, "ready": {"marker": False}}, "tables.t.ready"),
        (DATED, {"ready": {"weekday_share": 0.9}}, "tables.t.ready.weekday_share"),
        (UNDATED, {"when": ["user"]}, "tables.t.when"),
        (UNDATED, {"ready": {"marker": True}}, "tables.t.ready"),
        (UNDATED, {"required": False}, "tables.t.required"),
    ],
)
def test_a_setting_of_a_table_that_nobody_reads(plain: dict[str, Any], settings: dict[str, Any], name: str) -> None:
    assert idle(plain, **settings) == [name]


@pytest.mark.parametrize(
    ("declared", "setting"),
    [
        ({"type": "str", "min": 0}, "min"), ({"type": "day", "max": 0}, "max"),
        ({"type": "time", "allowed": ["x"]}, "allowed"),
        ({"type": "int", "max_items": 3}, "max_items"), ({"type": "day", "absent": [0]}, "absent"),
        ({"type": "float_list", "items": 3, "max_items": 9}, "max_items"),
    ],
)  # fmt: skip
def test_a_setting_of_a_column_that_nobody_reads(declared: dict[str, Any], setting: str) -> None:
    assert [name for name, _ in idle_of_tables(columns(**declared))] == [f"tables.t.columns.x.{setting}"]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"type": "int", "allowed": [1, 2.5]}, r"x\.allowed: 2\.5 is no whole number"),
        ({"type": "int", "allowed": ["1.0"]}, "'1.0' is no whole number"),
        ({"type": "float", "allowed": ["inf"]}, "'inf' is no number"),
        ({"type": "int_list", "absent": [0.5]}, r"x\.absent: 0\.5 is no whole number"),
        ({"type": "str", "allowed": []}, "is empty, so no value passes"),
    ],
)
def test_values_that_no_column_of_the_type_holds(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_values(columns(**declared))


def test_values_that_one_can_hold() -> None:
    check_values(columns(type="int", allowed=["-3", 4, 5.0], absent=["none", -1]))
    check_values(columns(type="float", allowed=[0.5, "1e-3"]))
    check_values(columns(type="str", allowed=["a", 1]))
