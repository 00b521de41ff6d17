"""The table of samples as a job extracts it: of the log of ``ads`` in a MySQL server and in SQLite, the same rows."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine, text

from tests import tiny
from tests.services import Database
from tests.tiny import CONTEXT, FIRST, LAST, SECOND, Place

LINES = """
-- template: samples
-- marker: samples
-- window: 3
-- days: %Y/%m/%d
-- log: midas_online_context
-- date: log_day
-- user: user_id
-- item: ad_id
-- label: is_click
-- items: ad_versions
-- since: since_day
-- columns: label_1, label_2
"""
LOG = ("log_day", "user_id", "ad_id", "is_click")
VERSIONS = ("ad_id", "since_day", "label_1", "label_2")
ID = {"type": "int", "required": True}
SETTINGS: dict[str, Any] = {
    "job": "samples", "kind": "impressions", "timezone": "Asia/Shanghai", "seed": 7, "threads": 2,
    "tables": {
        "samples": {
            "source": "samples", "day": "day", "order": ["user_id", "ad_id"],
            "columns": {
                "day": {"type": "day", "required": True}, "user_id": ID, "ad_id": ID,
                "is_click": {"type": "int", "required": True, "allowed": [0, 1]}, "times": {"type": "int"},
                "last_day": {"type": "day"}, "label_1": {"type": "int"}, "label_2": {"type": "int"},
            },
        },
    },
    "validation": {"min_weekday_share": 0.01},
    "spaces": {"user": "int", "ad": "int", "label": "int"},
    "impressions": {"rows": "samples", "user": "user_id", "item": "ad_id", "label": "is_click"},
    "features": {
        "user": {"kind": "categorical", "side": "request", "space": "user", "source": "row.user_id"},
        "ad": {"kind": "categorical", "side": "item", "space": "ad", "source": "item.ad_id"},
    },
    "experiments": {
        "towers": {"model": "dropoutnet", "loss": "in_batch", "options": {"preference": ["user", "ad"], "units": [4]}},
    },
    "release": {"champion": "towers"},
}  # fmt: skip


@pytest.fixture(params=["sqlite", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database to fill; that of MySQL is read by who may do nothing else."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    database: Database = request.getfixturevalue("database")
    return database.writer_url


@pytest.fixture
def place(url: str, tmp_path: Path) -> Place:
    """The generated log of ads in the database, each ad with a second version from the second day on."""
    tiny.generate(tmp_path)
    place = Place(tmp_path)
    place.configure("samples", SETTINGS)
    queries = tmp_path / "sql"
    queries.mkdir()
    (queries / "samples.sql").write_text(LINES)
    ready = "SELECT table_name, day FROM day_ready WHERE table_name = :table_name AND day = :day"
    (queries / "day_ready.sql").write_text(ready)
    place.environment |= {"DAYSPRING_SAMPLES_URL": url, "DAYSPRING_SQL": str(queries)}
    log, versions = rows(place), versions_of(place)
    ready_days = [{"table_name": "samples", "day": str(day)} for day in tiny.DAYS]
    engine = create_engine(url)
    with engine.begin() as connection:
        for table, names, filled in (
            (CONTEXT, LOG, log), ("ad_versions", VERSIONS, versions), ("day_ready", ("table_name", "day"), ready_days),
        ):  # fmt: skip
            connection.execute(text(f"CREATE TABLE {table} ({', '.join(f'{name} VARCHAR(20)' for name in names)})"))
            values = ", ".join(f":{name}" for name in names)
            connection.execute(text(f"INSERT INTO {table} VALUES ({values})"), filled)
    engine.dispose()
    return place


def rows(place: Place) -> list[dict[str, str]]:
    """The log, less what no database would have let in."""
    log = [row for day in (FIRST, SECOND, LAST) for row in place.shows(day).select(LOG).to_pylist()]
    return [row for row in log if all(str(row[name]).isdecimal() for name in LOG[1:]) and row["is_click"] in "01"]


def versions_of(place: Place) -> list[dict[str, str]]:
    table = pq.read_table(next((place.ads / "midas_online_ad").rglob("*.parquet")))
    first = [
        {name: row[name] for name in ("ad_id", "label_1", "label_2")} | {"since_day": "2024/01/01"}
        for row in table.to_pylist()
    ]
    # Of one ad nothing is known.
    return [*first, *({**row, "label_1": "77", "since_day": "2024/02/27"} for row in first)][1:]


def expected(place: Place, day: tiny.Day) -> list[tuple[Any, ...]]:
    """What the template says, said by hand: of the three days that end on this one."""
    days = [each.date.strftime("%Y/%m/%d") for each in day.plus(-2).through(day)]
    shown: dict[tuple[int, int], list[dict[str, str]]] = defaultdict(list)
    for row in rows(place):
        if row["log_day"] in days:
            shown[int(row["user_id"]), int(row["ad_id"])].append(row)
    known = {(each["ad_id"], each["since_day"]): each for each in versions_of(place)}
    found = []
    for (user, ad), of_both in shown.items():
        last = max(row["log_day"] for row in of_both)
        since = "2024/02/27" if last >= "2024/02/27" and (str(ad), "2024/02/27") in known else "2024/01/01"
        version = known.get((str(ad), since), {})
        click = max(int(row["is_click"]) for row in of_both)
        labels = [int(version[name]) if name in version else None for name in ("label_1", "label_2")]
        found.append((user, ad, click, len(of_both), last.replace("/", "-"), *labels))
    return sorted(found, key=lambda row: row[:2])


def test_a_job_extracts_the_samples_of_a_window(place: Place) -> None:
    names = ["user_id", "ad_id", "is_click", "times", "last_day", "label_1", "label_2"]
    for day in (SECOND, LAST):
        for stage in ("extract", "validate"):
            place.good("stage", stage, "--job", "samples", "--day", day)
        validated = place.artifact("validated", day, job="samples")
        table = pq.read_table(validated.file("samples.parquet"), columns=names)
        found = [tuple(str(v) if n == "last_day" else v for n, v in row.items()) for row in table.to_pylist()]
        assert sorted(found, key=lambda row: row[:2]) == expected(place, day)
    assert len(expected(place, LAST)) < len(rows(place)), "a user and item stands once"
