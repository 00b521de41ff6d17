from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.tables import Table
from pipeline.errors import DataError
from pipeline.ingest.check_rows import Checked, check_table
from pipeline.storage import parquet_file
from pipeline.storage.parquet_file import StoredTable
from pipeline.storage.physical_types import stored_as, stored_type
from tests.unit.pipeline.small_job import ADS, DAY, LOG, log_rows

ZONE = "Asia/Shanghai"
FOLDER = TemporaryDirectory()
HOUR = 3_600_000
NOON = int((DAY.previous().end(ZONE).timestamp() + 12 * 3600) * 1000)


def check(rows: pa.Table, settings: dict[str, Any] = LOG, **changes: Any) -> Checked:
    table = Table.model_validate({**settings, **changes})
    return check_table("log", table, table.columns, stored(rows), DAY if table.dated else None, ZONE)


def stored(rows: pa.Table) -> StoredTable:
    """The rows as an extract holds them."""
    path = Path(FOLDER.name) / "log.parquet"
    parquet_file.write(path, rows)
    return StoredTable(path)


def test_how_a_table_is_cut_into_pieces_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {**LOG["columns"], "tags": {"type": "str_list"}}
    planted = log_rows(
        8, user=["x", "2", "3", "4", "5", "6", "7", "y"], label=[1, 0, 9, *[1] * 5],
        tags=["a,b", "c", None, "[b, a]", "", "b", "[]", "a"],
    )  # fmt: skip
    rows = pa.concat_tables([planted, planted.slice(0, 5)])
    whole = check(rows, columns=columns)
    for size in (1, 2, 5):
        monkeypatch.setattr(parquet_file, "PIECE", size)
        pieces = check(rows, columns=columns)
        assert pieces.counts == whole.counts
        assert pieces.rows.to_pylist() == whole.rows.to_pylist()
        assert pieces.quarantine.equals(whole.quarantine)
    assert (whole.counts.duplicates, whole.counts.quarantined) == (5, 3)


def test_clean_rows_are_kept_and_typed() -> None:
    found = check(log_rows(3))
    assert (found.counts.read, found.counts.kept, found.counts.quarantined) == (3, 3, 0)
    assert found.rows.schema.field("time").type == pa.timestamp("ms", tz="UTC")
    assert found.rows["day"].to_pylist() == [DAY.date] * 3
    assert found.quarantine.num_rows == 0


def test_exact_duplicates_are_dropped_and_counted_and_near_ones_are_not() -> None:
    rows = pa.concat_tables([log_rows(4), log_rows(2), log_rows(1, label=[1])])
    found = check(rows)
    assert (found.counts.read, found.counts.duplicates, found.counts.kept) == (7, 2, 5)


def test_rows_are_duplicates_whatever_types_their_values_come_in() -> None:
    parts = [log_rows(3), log_rows(3, user=[1.0, 2.0, 3.0], ad=["10", "11", "x"])]
    kinds = {name: {part.schema.field(name).type for part in parts} for name in parts[0].column_names}
    both = [
        pa.table({n: stored_as(part[n].combine_chunks(), stored_type(kinds[n])) for n in part.column_names})
        for part in parts
    ]
    found = check(pa.concat_tables(both))
    assert (found.counts.read, found.counts.duplicates, found.counts.kept) == (6, 2, 3)
    (bad,) = found.quarantine.to_pylist()
    assert (bad["column"], bad["value"], json.loads(bad["row"])["user"]) == ("ad", "x", 3)


def test_a_time_that_no_calendar_has_is_shown_as_its_number() -> None:
    stamps = pa.array([NOON, NOON * 1000], pa.int64()).cast(pa.timestamp("ms", "UTC"))
    found = check(log_rows(2, time=stamps))
    assert found.counts.reasons == {"time: not a time": 1}
    assert found.quarantine["value"].to_pylist() == [f"{NOON * 1000} ms since 1970"]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("label", 2, "not an allowed value"), ("label", None, "missing"), ("user", -3, "below 1"),
        ("user", None, "missing"), ("day", "2024-03-05", "of another day"), ("day", "soon", "not a day"),
        ("time", NOON + 37 * HOUR, "more than a day away from the day"),
        ("time", NOON - 37 * HOUR, "more than a day away from the day"),
    ],
)  # fmt: skip
def test_a_bad_row_goes_to_quarantine_with_its_reason(column: str, value: Any, reason: str) -> None:
    rows = log_rows(3)
    values = rows[column].to_pylist()
    values[1] = value
    rows = rows.set_column(rows.column_names.index(column), column, pa.array(values))
    found = check(rows)
    assert found.counts.kept == 2
    assert found.counts.reasons == {f"{column}: {reason}": 1}
    (bad,) = found.quarantine.to_pylist()
    assert (bad["table"], bad["column"], bad["reason"]) == ("log", column, reason)
    assert bad["value"] == ("" if value is None else str(value))
    assert json.loads(bad["row"])["ad"] == 11


def test_a_time_up_to_a_day_away_is_accepted_and_counted() -> None:
    times = [NOON, NOON - 13 * HOUR, NOON - 36 * HOUR, NOON + 12 * HOUR, NOON + 36 * HOUR - 1, NOON + 36 * HOUR]
    found = check(log_rows(6, time=times))
    assert found.counts.kept == 5
    assert found.counts.other_day_time == 4
    assert found.quarantine["value"].to_pylist() == [str(NOON + 36 * HOUR)]


def test_a_long_value_is_cut_in_the_quarantine_but_not_its_row() -> None:
    columns = {**LOG["columns"], "clicked": {"type": "int_list"}}
    cell = ",".join(["7"] * 10_000)
    found = check(log_rows(2, clicked=["1,2", cell]), columns=columns)
    (bad,) = found.quarantine.to_pylist()
    assert bad["reason"] == "more than 1000 items"
    assert len(bad["value"]) == 200
    assert json.loads(bad["row"])["clicked"] == cell


def test_a_missing_value_is_only_bad_where_it_is_required() -> None:
    found = check(log_rows(2, time=[None, NOON]))
    assert found.counts.kept == 2
    assert found.rows["time"].null_count == 1


def test_one_row_has_one_reason_and_the_counts_add_up() -> None:
    rows = log_rows(5, user=["x", "2", "3", "4", "5"], label=[7, 0, 9, 1, 1])
    found = check(rows)
    assert found.counts.reasons == {"label: not an allowed value": 1, "user: not a whole number": 1}
    assert found.counts.read == found.counts.duplicates + found.counts.quarantined + found.counts.kept


def test_rows_that_match_a_rule_are_rejected() -> None:
    columns = {"chapter": {"type": "int_list"}, "section": {"type": "int_list"}}
    rule = {"rule": "equal_with_prefix", "columns": ["chapter", "section"], "prefix": "9"}
    table = Table.model_validate({"source": "x", "columns": columns, "reject": [rule]})
    raw = pa.table({"chapter": ["91", "[91]", "81", "91,92", "9"], "section": ["91", "91", "81", "91", None]})
    found = check_table("x", table, table.columns, stored(raw), DAY, ZONE)
    assert found.rows["chapter"].to_pylist() == [[81], [9], [91, 92]]
    assert set(found.counts.reasons) == {"chapter: equal to section and starts with 9"}


def test_of_rows_with_one_key_the_first_in_canonical_order_stays() -> None:
    raw = pa.table({"ad": [1, 2, 1], "kind": ["z", "b", "a"], "shown": [1, 2, 3]})
    found = check(raw, ADS)
    assert found.rows.select(["ad", "kind"]).to_pylist() == [{"ad": 1, "kind": "a"}, {"ad": 2, "kind": "b"}]
    assert found.counts.reasons == {"ad: key stands twice, with different values": 1}


@pytest.mark.parametrize(
    ("kind", "keys"),
    [("int", ["12", "12.0", " 12", "+12"]), ("str", ["caf\u00e9", "cafe\u0301", " café", "café "])],
)
def test_rows_that_are_equal_once_read_are_one(kind: str, keys: list[str]) -> None:
    columns = {**ADS["columns"], "ad": {"type": kind, "required": True}, "tags": {"type": "str_list"}}
    rows = pa.table({"ad": keys, "kind": ["a", " a", "a", "b"], "shown": ["1", "1.0", "01", "1"], "tags": ["x,y"] * 4})
    found = check(rows, ADS, columns=columns)
    assert (found.counts.read, found.counts.duplicates, found.counts.quarantined, found.counts.kept) == (4, 2, 1, 1)
    assert found.counts.reasons == {"ad: key stands twice, with different values": 1}
    assert found.quarantine["value"].to_pylist() == [keys[3]]
    assert found.rows["kind"].to_pylist() == ["a"]



def test_a_row_whose_key_stands_twice_is_shown_as_it_was_extracted() -> None:
    found = check(pa.table({"ad": ["1", "02", "2"], "kind": ["z", "b", "c"], "shown": [1, 2, 3]}), ADS)
    (bad,) = found.quarantine.to_pylist()
    assert json.loads(bad["row"]) == {"ad": "2", "kind": "c", "shown": 3}


def test_a_table_none_of_whose_columns_the_source_has() -> None:
    table = Table.model_validate({"source": "x", "columns": {"a": {"type": "int"}, "b": {"type": "str_list"}}})
    found = check_table("x", table, table.columns, stored(pa.table({"c": [1, 2]})), DAY, ZONE)
    assert found.rows.to_pylist() == [{"a": None, "b": None}] * 2


def test_a_column_that_the_source_lacks_reads_as_missing_and_is_named() -> None:
    found = check(log_rows(2).drop_columns(["time"]), order=["user"])
    assert found.counts.missing_columns == ["time"]
    assert found.rows["time"].null_count == 2


def test_a_required_column_that_the_extract_lacks_is_an_error() -> None:
    with pytest.raises(DataError, match=r"'log', column 'label'.*--reprocess"):
        check(log_rows(2).drop_columns(["label"]))


def test_a_list_where_an_int_is_declared_is_an_error_naming_table_and_column() -> None:
    with pytest.raises(DataError, match="table 'log', column 'ad': holds lists, where int is declared"):
        check(log_rows(2, ad=[[1], [2]]))


def test_a_table_without_rows() -> None:
    found = check(pa.table({name: pa.array([], pa.string()) for name in LOG["columns"]}))
    assert found.rows.num_rows == 0
    assert found.rows.schema.field("label").type == pa.int64()


DIRT = st.sampled_from(["1", "2.0", "x", "", None, "-4", " 3 "])


@given(st.lists(st.tuples(DIRT, DIRT, st.sampled_from(["0", "1", "2", None])), max_size=25), st.integers(0, 99))
def test_shuffled_rows_give_the_same_tables(rows: list[tuple[Any, ...]], seed: int) -> None:
    def table(order: Any) -> pa.Table:
        picked = [rows[place] for place in order]
        columns = {name: [row[i] for row in picked] for i, name in enumerate(["user", "ad", "label"])}
        typed = {name: pa.array(values, pa.string()) for name, values in columns.items()}
        return log_rows(len(rows), time=[NOON] * len(rows), **typed)

    plain = check(table(range(len(rows))))
    shuffled = check(table(np.random.default_rng(seed).permutation(len(rows))))
    assert plain.rows.equals(shuffled.rows)
    assert plain.quarantine.equals(shuffled.quarantine)
    assert plain.counts == shuffled.counts
    assert plain.counts.read == plain.counts.duplicates + plain.counts.quarantined + plain.counts.kept
