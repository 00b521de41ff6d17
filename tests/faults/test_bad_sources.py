"""Sources that are not there, not ready, empty, or of another shape."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.tiny import CONTEXT, FIRST, OUTAGE, SECOND, Place

RUN = ("run", "--job", "ads", "--day", FIRST)


def _untouched(place: Place) -> bool:
    """Whether nothing but locks was made: no skip, no extract, no chain."""
    return not any((place.root / kind).exists() for kind in ("day", "extract", "idmaps", "checkpoint"))


def test_an_empty_day_is_skipped_with_its_reason_and_never_asked_for_again(place: Place) -> None:
    ran = place.run("run", "--job", "ads", "--day", OUTAGE)
    assert ran.code == 99
    assert f"{OUTAGE}  skipped: no rows in any required table" in ran.err
    place.show(OUTAGE, place.shows(FIRST))
    again = place.run("run", "--job", "ads", "--day", OUTAGE)
    assert again.code == 99
    assert place.run("stage", "experiment", "--job", "ads", "--day", OUTAGE, "--experiment", "din").code == 99
    assert place.good("stage", "build_features", "--job", "ads", "--day", OUTAGE).code == 0


def test_a_day_without_a_partition_is_skipped_where_no_other_table_has_rows(place: Place) -> None:
    shutil.rmtree(place.ads / CONTEXT / f"day={FIRST}")
    ran = place.run(*RUN)
    assert ran.code == 99
    assert "impressions (midas_online_context)" in ran.err


def test_a_day_listed_as_dirty_is_skipped_although_it_has_rows(place: Place) -> None:
    settings = place.settings("ads")
    settings["dirty_days"] = [str(FIRST)]
    place.configure("ads", settings)
    ran = place.run(*RUN)
    assert ran.code == 99
    assert f"skipped: {FIRST} is listed in dirty_days" in ran.err
    assert not (place.root / "extract").exists()
    status = place.good("status", "--job", "ads")
    assert f"{FIRST} is listed in dirty_days" in status.out


def test_a_required_table_without_rows_fails_the_day_where_others_have_some(place: Place) -> None:
    with closing(sqlite3.connect(place.database)) as connection, connection:
        connection.execute("DELETE FROM homework_click_log WHERE day = ?", [str(FIRST)])
    ran = place.run("run", "--job", "homework", "--day", FIRST)
    assert ran.code == 1
    assert f"required tables without rows of {FIRST}: clicks (homework_click_log)" in ran.message
    assert "`required: false`" in ran.message
    assert _untouched(place)


def _lose_table(place: Place) -> None:
    shutil.rmtree(place.ads / "midas_online_ad")


def _lose_file(place: Place) -> None:
    (place.ads / "midas_online_ad" / "part-0000.parquet").unlink()


def _lose_folder(place: Place) -> None:
    shutil.rmtree(place.ads)


def _cut(place: Place) -> None:
    path = place.ads / CONTEXT / f"day={FIRST}" / "part-0000.parquet"
    path.write_bytes(path.read_bytes()[:500])


def _replace(column: str, values: Callable[[pa.Array], pa.Array]) -> Callable[[Place], None]:
    def change(place: Place) -> None:
        rows = place.shows(FIRST)
        column_values = values(rows[column].combine_chunks())
        place.show(FIRST, rows.set_column(rows.column_names.index(column), column, column_values))

    return change


def _drop(column: str) -> Callable[[Place], None]:
    return lambda place: place.show(FIRST, place.shows(FIRST).drop_columns([column]))


def _empty_undated(place: Place) -> None:
    path = place.ads / "midas_online_ad" / "part-0000.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)


BROKEN: dict[str, tuple[Callable[[Place], None], list[str]]] = {
    "no source": (_lose_folder, ["no such folder", "DAYSPRING_ADS_URL"]),
    "a missing table": (_lose_table, ["midas_online_ad", "no table folder", "there are: "]),
    "a table without a file": (_lose_file, ["midas_online_ad", "no Parquet file"]),
    "an undated table without rows": (_empty_undated, ["midas_online_ad", "has no rows"]),
    "half a file": (_cut, [f"day={FIRST}/part-0000.parquet", "cannot be read as Parquet"]),
    "a missing column": (_drop("is_click"), ["has no column is_click", "tables.impressions.columns"]),
    "a column of another kind": (
        _replace("is_click", lambda old: pa.StructArray.from_arrays([old], ["label"])),
        ["column 'is_click' is of type struct", "write it as text, a number"],
    ),
    "lists where a number is": (
        _replace("is_click", lambda old: pa.array([[1]] * len(old))),
        ["table 'impressions', column 'is_click': holds lists, where int is declared"],
    ),
    "times where an id is": (
        _replace("row_key", lambda old: pa.array([0] * len(old), pa.timestamp("ms"))),
        ["table 'impressions', column 'user_id': is of type timestamp", "declare it `day` or `time`"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_source_is_one_message_and_nothing_grows(place: Place, name: str) -> None:
    change, told = BROKEN[name]
    change(place)
    ran = place.run(*RUN)
    # What was read and cannot be taken is the same the next time; a source may come back.
    assert ran.code == (3 if "declare" in told[0] or "declare" in told[-1] else 1), ran.err
    assert "Traceback" not in ran.err
    assert ran.message.startswith("error: ")
    for each in told:
        assert each in ran.message
    assert not any((place.root / kind).exists() for kind in ("idmaps", "maps", "state", "checkpoint"))


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DROP TABLE homework_offered", "the database has no table 'homework_offered'"),
        ("ALTER TABLE daily_homework_info RENAME COLUMN teacher_id TO teacher", "the database has no column"),
    ],
)
def test_a_database_of_another_shape(place: Place, statement: str, told: str) -> None:
    with closing(sqlite3.connect(place.database)) as connection, connection:
        connection.execute(statement)
    ran = place.run("run", "--job", "homework", "--day", FIRST)
    assert ran.code == 1
    assert told in ran.message
    assert str(place.database) in ran.message
    assert _untouched(place)


def test_no_database(place: Place) -> None:
    place.database.unlink()
    ran = place.run("run", "--job", "homework", "--day", FIRST)
    assert ran.code == 1
    assert f"{place.database}: no such file" in ran.message
    assert not place.database.exists()


def test_a_file_that_is_no_database(place: Place) -> None:
    place.database.write_bytes(b"not a database at all" * 100)
    ran = place.run("run", "--job", "homework", "--day", FIRST)
    assert ran.code == 1
    assert "cannot be opened: it is no database of SQLite" in ran.message


def test_columns_as_numbers_or_as_text_give_the_same_rows(place: Place) -> None:
    """The source's types are its own affair as long as the values can be read."""
    digests = []
    for kind in (pa.string(), pa.float64()):
        rows = place.shows(SECOND)
        numbers = [name for name in ("is_click", "log_hourtime", "location_ad") if name in rows.column_names]
        for name in numbers:
            values = [value if value and value.replace(".", "").isdigit() else None for value in rows[name].to_pylist()]
            typed = pa.array([None if value is None else float(value) for value in values])
            as_text = pa.array(values, pa.string())
            rows = rows.set_column(rows.column_names.index(name), name, typed if kind == pa.float64() else as_text)
        place.show(SECOND, rows)
        for stage in ("extract", "validate"):
            place.good("stage", stage, "--job", "ads", "--day", SECOND, "--reprocess")
        extra: dict[str, Any] = place.artifact("validated", SECOND).manifest.extra
        digests.append(extra["digests"]["impressions"])
    assert digests[0] == digests[1]


def test_what_is_extracted_is_final_until_it_is_read_again(place: Place) -> None:
    place.good("stage", "extract", "--job", "ads", "--day", FIRST)
    before = place.artifact("extract", FIRST)
    place.show(FIRST, place.shows(FIRST).slice(0, 150))
    place.good("stage", "extract", "--job", "ads", "--day", FIRST)
    assert place.artifact("extract", FIRST).id == before.id
    place.good("stage", "extract", "--job", "ads", "--day", FIRST, "--reprocess")
    assert place.artifact("extract", FIRST).manifest.rows["impressions"] == 150
