"""The homework tables in a real MySQL server: the same data as in SQLite, and an index for every day."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path

import pyarrow as pa
import pytest

from examples.criteo_like import DDL as CRITEO
from examples.online_retail import DDL as RETAIL
from examples.school.__main__ import main as write_school
from examples.targets import SCHEMA, SqlTarget
from pipeline.config.load import load_job
from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from pipeline.ingest.day_tables import read_table
from pipeline.ingest.extract import extract
from pipeline.ingest.readiness import day_state
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.sources.mysql import MySqlSource
from pipeline.sources.mysql_bulk import BulkReader
from pipeline.sources.statements import QUERIES, Statements
from pipeline.storage.table_digest import table_digest
from tests.integration.mysql_world import connected, through
from tests.services import Database

ROOT = Path(__file__).resolve().parents[3]
DAY = Day.of(2024, 2, 26)
DATED = sorted(
    {path.stem for path in QUERIES.glob("*.sql") if Statements(QUERIES).get(path.stem).is_dated} - {"day_ready"}
)


def write(url: str) -> None:
    arguments = [
        "--from", DAY, "--days", 2, "--teachers", 60, "--last-year-classes", 1, "--seed", 7, "--dirty", 0.04,
        "--target", url,
    ]  # fmt: skip
    with redirect_stdout(io.StringIO()):
        assert not write_school([str(each) for each in arguments])


def job(root: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    monkeypatch.setenv("DAYSPRING_HOMEWORK_URL", url)
    config = load_job("homework", ROOT / "conf")
    loose = config.validation.model_copy(update={"max_quarantined": 0.5, "min_weekday_share": 0.0})
    return JobContext(config.model_copy(update={"validation": loose}), root)


def test_every_table_of_the_school_is_that_of_sqlite(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = {"sqlite": f"sqlite:///{tmp_path / 'school.db'}", "mysql": database.reader_url}
    write(urls["sqlite"])
    write(database.writer_url)
    found = {}
    for name, url in urls.items():
        context = job(tmp_path / name, url, monkeypatch)
        assert day_state(context, DAY).state == "ready"
        extracted = extract(context, DAY)
        checked = validate(context, DAY)
        tables = {table: table_digest(read_table(checked, table)) for table in context.config.tables}
        found[name] = (extracted.manifest.extra["digests"], extracted.manifest.rows, tables, checked.manifest.extra)
    bulk = job(tmp_path / "bulk", urls["mysql"], monkeypatch)
    source = bulk.source()
    assert isinstance(source, MySqlSource)
    source.bulk = BulkReader.of(source.address, 60, least=0)
    assert source.bulk is not None
    in_bulk = extract(bulk, DAY)
    assert not source.not_in_bulk
    digests, rows, tables, extra = found["sqlite"]
    assert rows == found["mysql"][1] == in_bulk.manifest.rows
    assert all(rows.values()), "no table is empty"
    assert digests == found["mysql"][0] == in_bulk.manifest.extra["digests"]
    assert tables == found["mysql"][2]
    assert extra["counts"] == found["mysql"][3]["counts"]
    assert sum(each["quarantined"] for each in extra["counts"].values()) > 0, "dirty rows among them"


@pytest.mark.parametrize("name", DATED)
def test_every_dated_statement_finds_its_day_by_an_index(database: Database, name: str) -> None:
    statement = Statements(QUERIES).get(name)
    retail = {path.stem: path for path in RETAIL}
    table = statement.text.split("FROM ")[1].split()[0]
    ddl = retail[table] if name.startswith("retail") else {CRITEO.stem: CRITEO}.get(table, SCHEMA / f"{table}.sql")
    days = [Day.of(2024, 1, 1).plus(n) for n in range(40)]
    with SqlTarget(database.writer_url, [ddl]) as target, connected(database.writer_url) as cursor:
        cursor.execute(f"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}'")
        kinds = dict(cursor.fetchall())
        for day in days:
            values = {"varchar": [str(n % 50) for n in range(300)], "day": [str(day)] * 300}
            rows = {
                name: values.get("day" if name == "day" else kind, list(range(300))) for name, kind in kinds.items()
            }
            target.write_day(table, day, [pa.table(rows)])
        cursor.execute(f"ANALYZE TABLE {table}")
        cursor.fetchall()
    with connected(database.reader_url) as cursor:
        cursor.execute(f"EXPLAIN {statement.of_day(days[7])}")
        names = [each[0] for each in cursor.description]
        (plan,) = (dict(zip(names, row, strict=True)) for row in cursor.fetchall())
    assert plan["key"] in (f"{table}_day", "PRIMARY")
    assert int(plan["rows"]) <= 600, "of 12,000 rows, those of the day"


def test_a_day_is_marked_by_its_primary_key(database: Database) -> None:
    with SqlTarget(database.writer_url, []), connected(database.writer_url) as cursor:
        cursor.executemany("INSERT INTO day_ready VALUES (%s, %s)", [(f"t{n}", str(DAY)) for n in range(500)])
        marks = Statements(QUERIES).get("day_ready").text.replace(":table_name", "'t7'").replace(":day", f"'{DAY}'")
        cursor.execute(f"EXPLAIN {marks}")
        assert "PRIMARY" in cursor.fetchall()[0]


def test_tables_compare_ids_by_their_bytes(database: Database) -> None:
    with SqlTarget(database.writer_url, sorted(SCHEMA.glob("*.sql"))), connected(database.writer_url) as cursor:
        cursor.execute(
            "SELECT DISTINCT collation_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"
        )
        assert cursor.fetchall() == (("utf8mb4_bin",),)


def test_an_index_that_an_earlier_run_did_not_get_to_is_made(database: Database) -> None:
    for _ in range(2):
        with SqlTarget(database.writer_url, [SCHEMA / "style_counts.sql"]), connected(database.writer_url) as cursor:
            cursor.execute("SHOW INDEX FROM style_counts WHERE Key_name = 'style_counts_day'")
            assert len(cursor.fetchall()) == 2
            cursor.execute("DROP INDEX style_counts_day ON style_counts")


def test_a_target_that_cannot_be_written_says_why_without_the_password(database: Database) -> None:
    with pytest.raises(SourceError, match=r"reader:\*\*\*@.*day_ready cannot be written: .*CREATE command denied"):
        SqlTarget(database.reader_url, [])
    with pytest.raises(UsageError, match=r"writer:\*\*\*@.*:1/.*cannot be opened") as failed:
        SqlTarget(through(database.writer_url, 1), [])
    assert database.writer_url not in str(failed.value)
