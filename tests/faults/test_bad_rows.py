"""Rows that cannot be used: put aside with a reason and counted, never dropped in silence, never trained on."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.days import Day
from tests.tiny import FIRST, Place

TOO_MANY = ",".join(str(each) for each in range(1, 10_001))
BAD_CELLS: dict[str, tuple[str, str, str]] = {
    "an id as text": ("row_key", "abc_100001", "not a whole number"),
    "an id as a fraction": ("row_key", "1.5_100001", "not a whole number"),
    "a negative id": ("row_key", "-5_100001", "below 1"),
    "an id of zero": ("row_key", "0_100001", "below 1"),
    "an empty id": ("row_key", "_100001", "missing"),
    "an id beyond 64 bits": ("row_key", "99999999999999999999_100001", "does not fit in 64 bits"),
    "a key without its second part": ("row_key", "20000001", "not a whole number"),
    "a label of two": ("is_click", "2", "not an allowed value"),
    "no label": ("is_click", "", "missing"),
    "a list with a letter": ("rclick_ad", "[1, x]", "not a whole number"),
    "a list with a hole": ("rclick_category", "12,,13", "an empty item in a list"),
    "a list without its bracket": ("rclick_ad", "[1, 2", "a list without its other bracket"),
    "ten thousand values in one cell": ("rclick_ad", TOO_MANY, "more than 200 items"),
    "a path that is none": ("rencent_behavior", "[mall/list]", "not a path"),
    "another day": ("log_day", "2024/02/20", "of another day"),
    "a day that is none": ("log_day", "yesterday", "not a day"),
    "a time of another week": ("log_time", "1708000000000", "more than a day away from the day"),
    "a number that is none": ("exposure_duration", "long", "not a number"),
    "a number below its least": ("exposure_duration", "-1", "below 0"),
    "an infinite number": ("week_accuracy", "inf", "not a finite number"),
}
GOOD_CELLS = {
    "an id as a whole float": ("row_key", "20000001.0_100001.0"),
    "an optional field that is empty": ("location_ad", ""),
    "a time of the next day, which is counted": ("log_time", "1708963200000"),
    "a day with dashes": ("log_day", "2024-02-26"),
    "a list without brackets": ("rclick_ad", "12, 13"),
}


def _with(rows: pa.Table, row: int, column: str, value: str) -> pa.Table:
    values = rows[column].to_pylist()
    values[row] = value
    return rows.set_column(rows.column_names.index(column), column, pa.array(values, pa.string()))


def _counts(place: Place, day: Day = FIRST, job: str = "ads", table: str = "impressions") -> dict[str, Any]:
    counts: dict[str, Any] = place.artifact("validated", day, job=job).manifest.extra["counts"][table]
    return counts


def _quarantine(place: Place, day: Day = FIRST, job: str = "ads") -> list[dict[str, str]]:
    rows: list[dict[str, str]] = pq.read_table(
        place.artifact("validated", day, job=job).file("quarantine.parquet")
    ).to_pylist()
    return rows


def test_each_kind_of_bad_cell_is_told_by_column_and_reason(place: Place) -> None:
    settings = place.settings("ads")
    settings["validation"]["max_quarantined"] = 0.5
    place.configure("ads", settings)
    rows = place.shows(FIRST)
    rows = rows.filter(pa.array([value == "[]" for value in rows["rclick_ad"].to_pylist()])).slice(0, 60)
    for row, (column, value, _) in enumerate(BAD_CELLS.values()):
        rows = _with(rows, row, column, value)
    for row, (column, value) in enumerate(GOOD_CELLS.values(), start=len(BAD_CELLS)):
        rows = _with(rows, row, column, value)
    place.show(FIRST, pa.concat_tables([rows, rows.slice(40, 3)]))
    place.good("stage", "extract", "--job", "ads", "--day", FIRST)
    ran = place.good("stage", "validate", "--job", "ads", "--day", FIRST)

    found = {(each["value"], each["reason"]) for each in _quarantine(place) if each["table"] == "impressions"}
    expected = {(value[:200], reason) for _, value, reason in BAD_CELLS.values()}
    assert {(value[:200], reason) for value, reason in found} == expected
    counts = _counts(place)
    assert (counts["read"], counts["duplicates"]) == (63, 3)
    assert counts["quarantined"] == len(BAD_CELLS)
    assert counts["kept"] == 60 - len(BAD_CELLS)
    assert counts["other_day_time"] == 1
    assert f"{len(BAD_CELLS)} rows in quarantine (validated/ads/day={FIRST}/gen=0001)" in ran.err


def test_every_row_is_kept_counted_as_duplicate_or_in_quarantine(place: Place) -> None:
    for job, day in (("ads", FIRST), ("homework", FIRST)):
        place.good("stage", "extract", "--job", job, "--day", day)
        place.good("stage", "validate", "--job", job, "--day", day)
        tables = place.artifact("validated", day, job=job).manifest.extra["counts"]
        assert sum(counts["quarantined"] for counts in tables.values()) == len(_quarantine(place, day, job)) > 0
        for table, counts in tables.items():
            accounted = counts["kept"] + counts["duplicates"] + counts["quarantined"]
            assert counts["read"] == accounted, f"{job} {table}: {counts}"
            assert sum(counts["reasons"].values()) == counts["quarantined"]


def test_too_many_bad_rows_fail_the_day_before_anything_grows(place: Place) -> None:
    rows = place.shows(FIRST)
    for row in range(40):
        rows = _with(rows, row, "is_click", "7")
    place.show(FIRST, rows)
    ran = place.run("run", "--job", "ads", "--day", FIRST)
    assert ran.code == 3
    assert "impressions: 4" in ran.message
    assert "validation.max_quarantined = 5%" in ran.message
    assert "is_click: not an allowed value: 40" in ran.message
    assert f"--accept-day {FIRST} --reason" in ran.message
    assert not (place.root / "idmaps").exists()
    assert not (place.root / "checkpoint").exists()
    refused = place.root / "refused" / "ads" / f"{FIRST}.parquet"
    assert str(refused) in ran.message
    assert (
        pq.read_table(refused).num_rows
        == json.loads(refused.with_suffix(".json").read_text())["impressions"]["quarantined"]
    )


def test_what_was_refused_is_read_again_and_what_was_taken_is_not(place: Place) -> None:
    good, bad = place.shows(FIRST), place.shows(FIRST)
    for row in range(40):
        bad = _with(bad, row, "is_click", "7")
    place.show(FIRST, bad)
    extract, validate = (("stage", name, "--job", "ads", "--day", FIRST) for name in ("extract", "validate"))
    place.good(*extract)
    assert place.run(*validate).code == 3
    told = place.good("status", "--job", "ads").out
    assert f"ads {FIRST}: validate failed at " in told
    assert f"backfill --job ads --from {FIRST} --to {FIRST}" in told
    place.show(FIRST, good)
    place.good(*extract)  # as Airflow does of a task that was cleared
    place.good(*validate)
    assert _counts(place)["quarantined"] < 40
    assert place.artifact("extract", FIRST).generation == 2
    place.show(FIRST, bad)
    place.good(*extract)
    assert place.artifact("extract", FIRST).generation == 2
    assert "failed" not in place.good("status", "--job", "ads").out


def test_a_bad_day_is_accepted_by_hand_with_a_reason(place: Place) -> None:
    rows = place.shows(FIRST)
    for row in range(40):
        rows = _with(rows, row, "is_click", "7")
    place.show(FIRST, rows)
    place.good("stage", "extract", "--job", "ads", "--day", FIRST)
    stage = ("stage", "validate", "--job", "ads", "--day", FIRST)
    assert place.run(*stage).code == 3
    without = place.run(*stage, "--accept-day", FIRST)
    assert (without.code, "--reason" in without.message) == (2, True)
    ran = place.good(*stage, "--accept-day", FIRST, "--reason", "the labels of a test account")
    assert "accepted (the labels of a test account) although impressions: 4" in ran.err
    assert place.artifact("validated", FIRST).manifest.extra["accepted"] == "the labels of a test account"
    assert _counts(place)["quarantined"] >= 40


def test_a_thin_day_fails_by_the_volume_of_its_weekday(place: Place) -> None:
    before = FIRST.plus(-7)
    place.show(before, _moved(place.shows(FIRST), before))
    place.show(FIRST, place.shows(FIRST).slice(0, 20))
    for day, code in ((before, 0), (FIRST, 3)):
        place.good("stage", "extract", "--job", "ads", "--day", day)
        ran = place.run("stage", "validate", "--job", "ads", "--day", day)
        assert ran.code == code, ran.err
    assert "less than validation.min_weekday_share = 30%" in ran.message


def _moved(rows: pa.Table, day: Day) -> pa.Table:
    text = str(day).replace("-", "/")
    for name, value in (("log_day", text), ("log_time", str(int(day.end("Asia/Shanghai").timestamp() - 3600) * 1000))):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array([value] * rows.num_rows))
    return rows


def test_dirty_homework_rows_are_counted_by_reason(place: Place) -> None:
    with sqlite3.connect(place.database) as connection:
        connection.execute(
            "UPDATE daily_homework_info SET section_id = '[1, x]' WHERE rowid = "
            "(SELECT MIN(rowid) FROM daily_homework_info WHERE day = ?)", [str(FIRST)],
        )  # fmt: skip
    connection.close()
    for stage in ("extract", "validate"):
        place.good("stage", stage, "--job", "homework", "--day", FIRST)
    counts = _counts(place, job="homework", table="homework")
    assert counts["reasons"].get("section_id: not a whole number", 0) >= 1
