"""Declared tables: where a day of one is read from."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import parse_job
from pipeline.config.tables import Column, DatedSource, Table
from pipeline.days import Day
from tests.unit.pipeline.config.edited import edited


def test_source_by_range_of_days(ads: str) -> None:
    changed = edited(
        ads, tables__impressions__sources=[{"source": "midas_offline", "first": "2024-03-02", "last": "2024-03-03"}]
    )
    table = parse_job(changed, Path("ads.yaml")).tables["impressions"]
    assert [table.source_on(Day.of(2024, 3, day)) for day in (1, 2, 4)] == [
        "midas_online_context", "midas_offline", "midas_online_context",
    ]  # fmt: skip


def test_a_source_without_an_end_stands_in_for_good() -> None:
    after = DatedSource(source="old", first=Day.of(2024, 3, 2))
    assert [after.covers(Day.of(2024, 3, day)) for day in (1, 2, 31)] == [False, True, True]
    until = DatedSource(source="old", last=Day.of(2024, 3, 2))
    assert [until.covers(Day.of(2024, 3, day)) for day in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"type": "float", "part": 0}, "`part` is for int and str, not for float"),
        ({"type": "int", "unit": "s"}, "`unit` is for time and day, not for int"),
        ({"type": "int_list", "items": 3}, "`items` is for a float_list, not for int_list"),
        ({"type": "str", "separator": "|"}, "`separator` is for lists, not for str"),
        ({"type": "str_list", "separator": "]"}, "without brackets and quotes"),
        ({"type": "str_list", "separator": ""}, "without brackets and quotes"),
    ],
)
def test_settings_of_a_column_of_another_type(column: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Column.model_validate(column)


def columns(**declared: Any) -> dict[str, Any]:
    return {"columns": {"a": {"type": "int"}, "b": {"type": "int"}, **declared}}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({**columns(), "order": ["c"], "when": ["d"]}, "names columns that it does not declare: c, d"),
        ({**columns(), "dated": False}, "an undated table needs `key`"),
        ({**columns(), "keys": {"table": "log", "column": "a"}}, "`keys` is for an undated table"),
        (columns(a={"type": "int", "change": "running"}), "a dated table holds each day as it was"),
        ({**columns(a={"type": "int", "change": "running"}), "dated": False, "key": ["a"]}, "cannot be `running`"),
        ({**columns(b={"type": "int", "change": "outcome"}), "dated": False, "key": ["a"]}, "no row of a moment"),
        ({**columns(a={"type": "int", "change": "outcome"}), "order": ["a"]}, "`order` names a, which is declared"),
        (columns(b={"type": "int", "change": "outcome", "source": "A"}), "'a' and 'b' are read from the same column"),
    ],
)  # fmt: skip
def test_a_table_that_contradicts_itself(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Table.model_validate({"source": "log", **table})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"source": "c:x"}, {"source": "X"}, True),  # HBase: without a family it may be any
        ({"source": "c:x"}, {"source": "d:x"}, False),
        ({"source": "key", "part": 0}, {"source": "key", "part": 1}, False),
        ({"source": "key", "part": 0}, {"source": "key"}, True),
        ({}, {"source": "one"}, True),
    ],
)
def test_two_columns_of_one_cell(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    declared = {name: {"type": "str", **each} for name, each in (("one", one), ("other", other))}
    table = Table.model_validate({"source": "log", "columns": declared})
    assert table.same_cell("one", table, "other") is same
    assert table.same_cell("other", table, "one") is same
