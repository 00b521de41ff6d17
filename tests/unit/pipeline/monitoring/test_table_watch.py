"""Columns against those of the days before: what is told, once, and what is no change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.alerts import Alerts
from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.ingest.extract import extract
from pipeline.ingest.records import ValidatedRecord
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.monitoring.table_watch import (
    TableDay,
    changes,
    changes_of,
    lacking,
    never_there,
    standing,
    standing_in_words,
    stored,
    table_days,
)
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.small_job import ADS, DAY, LOG, config, context, log_rows, write_ads, write_log

LIMITS = Alerts()


def table(rows: int = 1000, source: str = "log", **missing: int | None) -> dict[str, TableDay]:
    """A table's columns with so many rows without a value; ``None``: the source has no such column."""
    absent = frozenset(name for name, each in missing.items() if each is None)
    counts = {name: rows if each is None else each for name, each in missing.items()}
    return {"log": TableDay(source, rows, absent, counts, frozenset())}


def told(today: dict[str, TableDay], *before: dict[str, TableDay]) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.what, each.columns) for each in changes(today, before, LIMITS)]


def test_a_column_that_vanished_is_told_on_its_first_day_only() -> None:
    usual, gone = table(price=3, device=0), table(price=None, device=0)
    assert told(gone, usual) == [("missing_columns", ("price",))]
    assert told(gone, gone, usual) == []
    assert told(usual, gone, usual) == [], "that it has come back is no fault"


def test_a_column_that_comes_empty_is_told_though_the_source_has_it() -> None:
    usual, empty = table(price=3, device=0), table(price=1000, device=0)
    assert told(empty, usual, usual) == [("missing_columns", ("price",))]
    assert told(empty, empty, usual) == []


@pytest.mark.parametrize(
    ("today", "before"),
    [
        ({"price": None}, []),  # a first day
        ({"price": None}, [{}, {}]),  # skipped days before it
        ({"price": None}, [{"price": None}] * 3),  # an optional column that never was there
        ({"price": 1000}, [{"price": None}] * 3),
        ({"price": None}, [{"price": 1000}] * 3),  # there before, and never a value in it
        ({"price": None}, [{"device": 0}] * 3),  # a column that is declared since today
        ({"price": 1000}, [{"price": 995}] * 3),  # five of a thousand rows: empty by chance
        ({"price": 1000}, [{"price": 3}] * 4 + [{"price": 1000}] + [{"price": 3}]),  # every Saturday
        ({"price": 80}, [{"price": 0}] * 4),  # less than alerts.missing
        ({"price": 400}, [{"price": 0}] * 2),  # too few days to say what is usual
        ({"price": 400}, [{"price": 10}, {"price": 350}, {"price": 10}]),
        ({"price": 400, "device": 0}, [{}, {}]),
    ],
)
def test_what_is_no_change(today: dict[str, int | None], before: list[dict[str, int | None]]) -> None:
    assert told(table(**today), *(table(**each) if each else {} for each in before)) == []


def test_a_share_far_from_the_usual_in_both_directions() -> None:
    half = [table(price=each) for each in (500, 520, 480)]
    # The most was 52 %; 10 % more, and 4 standard deviations of a share of 50 % in 1,000 rows = 6.3 %, is 68.3 %.
    assert told(table(price=680), *half) == []
    assert told(table(price=690), *half) == [("missing_values", ("price",))]
    assert told(table(price=0), *half) == [("missing_values", ("price",))]
    assert told(table(price=690), table(price=690), *half) == [], "told once"
    (change,) = changes(table(price=0), half, LIMITS)
    assert change.text == (
        "rows without a value far from the usual: price 0.0% of 1,000 (usually 50.0%) (alerts.missing is 10%)"
    )


def test_a_column_that_holds_one_value_from_a_day_on() -> None:
    def filled(constant: set[str] | None = frozenset(), rarely: set[str] = frozenset(), rows: int = 1000) -> Any:  # type: ignore[assignment]
        held = None if constant is None else frozenset(constant)
        here = TableDay("log", rows, frozenset(), {"price": 0}, frozenset(), constant=held, rarely=frozenset(rarely))
        return {"log": here}

    usual, flat = filled(), filled({"price"})
    assert told(flat, usual, usual, usual) == [("constant_columns", ("price",))]
    assert told(flat, flat, usual, usual) == [], "told once"
    assert told(flat, usual, usual) == [], "too few days"
    assert told(flat, usual, filled(rarely={"price"}), usual) == [], "by chance"
    assert told(flat, usual, filled(None), usual) == [], "days of an earlier version"
    assert told(filled({"price"}, rows=400), usual, usual, usual) == [], "too few rows"
    empty = {"log": TableDay("log", 1000, frozenset(), {"price": 1000}, frozenset(), constant=frozenset({"price"}))}
    assert told(empty, usual, usual, usual) == [("missing_columns", ("price",))]


def test_few_rows_vary_by_chance() -> None:
    assert told(table(rows=20, price=14), *[table(rows=20, price=10)] * 3) == []


def test_a_day_that_another_source_stood_in_for_is_not_compared() -> None:
    usual, other = table(price=3), table(source="second", price=None)
    assert told(other, usual, usual) == []
    assert told(usual, other, usual) == []
    assert told(table(price=None), other, usual) == [("missing_columns", ("price",))]


def test_days_of_an_earlier_version_say_which_columns_were_there() -> None:
    counts = {"read": 5, "quarantined": 0, "kept": 5, "missing_columns": ["device"]}
    before = table_days(ValidatedRecord.model_validate({"counts": {"log": counts}}))
    assert told(table(price=None, device=None), before) == [("missing_columns", ("price",))]
    assert told(table(price=1000), before) == []


def test_new_names_are_guessed() -> None:
    def renamed(gone: list[str], new: set[str], long_there: set[str] = frozenset()) -> str:  # type: ignore[assignment]
        before = {"log": TableDay("log", 9, frozenset(), dict.fromkeys(gone, 0), frozenset(long_there))}
        today = {"log": TableDay("log", 9, frozenset(gone), dict.fromkeys(gone, 9), frozenset(new | long_there))}
        (change,) = changes(today, [before], LIMITS)
        return change.text

    assert renamed(["price"], set(), {"prices"}) == "the source no longer has price"
    assert renamed(["price"], {"cost"}) == "the source no longer has price (is it 'cost' now?)"
    assert renamed(["device", "price"], {"Price", "device_type", "zip"}) == (
        "the source no longer has device (is it 'device_type' now?), price (is it 'Price' now?); new in it: zip"
    )


def test_what_stands_to_this_day_says_since_when() -> None:
    days = {DAY.plus(number): each for number, each in enumerate([
        table(price=3, device=0, never=None), table(price=None, device=0, never=None), {},
        table(price=None, device=1000, never=None),
    ])}  # fmt: skip
    assert standing(days) == {"log": {"price": DAY.plus(1), "device": DAY.plus(3)}}
    assert standing_in_words(days) == [f"log: no value since {DAY.plus(3)} in device, {DAY.plus(1)} in price"]
    assert standing({DAY: table(price=None)}) == {}


def dated(optional: dict[str, Any]) -> dict[str, Any]:
    return {**LOG, "columns": {**LOG["columns"], **optional}}


def validated(job: JobContext, folder: Path, day: Day, **columns: Any) -> None:
    rows = log_rows(40, day, user=[1 + day.date.toordinal() % 1000 + row for row in range(40)])
    for name, values in columns.items():
        rows = rows.append_column(name, pa.array(values, pa.float64()))
    write_log(folder, rows, day)
    extract(job, day)
    validate(job, day)


def test_from_the_source_to_what_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {"log": dated({"price": {"type": "float"}, "cost": {"type": "float"}}), "ads": ADS}
    job = context(tmp_path, monkeypatch, config(tables))
    write_ads(tmp_path)
    some = [1.0, None] * 20
    for day in range(3):
        validated(job, tmp_path, DAY.plus(day), price=some, cost=some)
    validated(job, tmp_path, DAY.plus(3), price_new=some, cost=[None] * 40)
    assert [changes_of(job, DAY.plus(day)) for day in range(3)] == [[], [], []]
    (change,) = changes_of(job, DAY.plus(3))
    assert (change.table, change.what, change.columns) == ("log", "missing_columns", ("price", "cost"))
    assert change.text == (
        "the source no longer has price (is it 'price_new' now?); empty in all 40 rows: cost"
    )  # fmt: skip
    assert standing(stored(job)) == {"log": {"price": DAY.plus(3), "cost": DAY.plus(3)}}


def test_a_column_that_was_never_there_is_told_on_the_first_day_that_declares_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = {"type": "float", "source": "Prce"}
    job = context(tmp_path, monkeypatch, config({"log": dated({"price": price}), "ads": ADS}))
    write_ads(tmp_path)
    told = []
    for day in (DAY, DAY.next()):
        validated(job, tmp_path, day, Price=[1.0] * 40, more=[1.0] * 40)
        found = job.store.current(Ref("validated", job.job, day))
        assert found is not None
        told.append(never_there(job, found))
    (line,), none = told
    assert line.startswith("log: the source has no column Prce (`price`) (is 'Price' meant?): read as missing in every")
    assert none == []


def test_of_a_column_like_none_it_is_said_what_is_there() -> None:
    table = Table.model_validate({"source": "log", "columns": {"age": {"type": "int"}, "b": {"type": "int"}}})
    assert lacking(table, ["age"], {"zip", "colour"}).startswith(
        "has no column age: read as missing in every row; not read are colour, zip; name the source's column"
    )


def test_an_undated_table_that_loses_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(tmp_path, monkeypatch)
    write_ads(tmp_path)
    validated(job, tmp_path, DAY)
    pq.write_table(pa.table({"ad": [10, 11], "sort": ["a", "b"]}), tmp_path / "tables" / "ads" / "part-0000.parquet")
    validated(job, tmp_path, DAY.next())
    (change,) = changes_of(job, DAY.next())
    assert (change.table, change.columns) == ("ads", ("kind",))
    assert "is it 'sort' now?" in change.text
    # `shown` is a running column: of an earlier day it is never known, which is no change.
    assert "shown" not in change.text
