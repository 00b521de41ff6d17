"""Where tables go: databases and folders of Parquet files."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from examples.tally import Tally
from examples.targets import SCHEMA, DayPartitions, ParquetTarget, SqlTarget, parse_target, statements
from pipeline.days import Day
from pipeline.errors import SourceError, UsageError

MONDAY = Day.of(2024, 2, 26)
COUNTS = pa.table(
    {"day": [str(MONDAY)] * 2, "teacher_id": [1, 2], "class_id": [1, 2], "style": [4, 4], "cnt": [1, None]}
)


def sql(tmp_path: Path) -> SqlTarget:
    return SqlTarget(f"sqlite:///{tmp_path}/deep/down/school.db", [SCHEMA / "style_counts.sql"])


def read(target: SqlTarget, query: str) -> list[tuple[object, ...]]:
    with target._engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_a_day_written_twice_stands_once_and_is_marked(tmp_path: Path) -> None:
    counts = COUNTS.set_column(4, "cnt", pa.array([1, 5]))
    with sql(tmp_path) as target:
        assert target.write_day("style_counts", MONDAY, [counts, counts.slice(0, 1)]) == 3
        assert target.write_day("style_counts", MONDAY, [counts]) == 2
        assert target.write_day("style_counts", MONDAY.next(), []) == 0
        assert read(target, "SELECT teacher_id, cnt FROM style_counts ORDER BY teacher_id") == [(1, 1), (2, 5)]
        marks = [("style_counts", "2024-02-26"), ("style_counts", "2024-02-27")]
        assert read(target, "SELECT table_name, day FROM day_ready ORDER BY day") == marks
        target.clear("style_counts")
        assert target.count("style_counts") == 0
        assert read(target, "SELECT * FROM day_ready") == []


def test_an_existing_database_is_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        with sql(tmp_path) as target:
            target.write_day("style_counts", MONDAY, [COUNTS.slice(0, 1)])
    with sql(tmp_path) as target:
        assert target.count("style_counts") == 1


def test_a_failed_day_leaves_what_was_there(tmp_path: Path) -> None:
    with sql(tmp_path) as target:
        target.write_day("style_counts", MONDAY, [COUNTS.slice(0, 1)])
        with pytest.raises(SourceError, match=r"school.db: table style_counts cannot be written: .*cnt"):
            target.write_day("style_counts", MONDAY, [COUNTS])
        assert target.count("style_counts") == 1


def test_the_whole_schema_can_be_made(tmp_path: Path) -> None:
    ddl = sorted(SCHEMA.glob("*.sql"))
    with SqlTarget(f"sqlite:///{tmp_path}/all.db", ddl) as target:
        assert [target.count(path.stem) for path in ddl] == [0] * len(ddl)


@pytest.mark.parametrize("path", sorted(SCHEMA.glob("*.sql")), ids=lambda path: path.stem)
def test_schema_is_portable(path: Path) -> None:
    """Types that MySQL and SQLite both know, the table of the file's name, an index on the day of dated tables."""
    create, *rest = statements(path.read_text(encoding="utf-8"))
    assert create.startswith(f"CREATE TABLE {path.stem} (")
    columns = [line.split() for line in create.splitlines()[1:-1] if not line.strip().startswith("PRIMARY")]
    kinds = {words[1].split("(")[0].rstrip(",") for words in columns}
    assert kinds <= {"VARCHAR", "BIGINT", "DOUBLE"}
    dated = any(words[0] == "day" for words in columns) and path.stem != "day_ready"
    assert dated == any(re.search(rf"ON {path.stem} \(day[,)]", statement) is not None for statement in rest)


def test_parquet_days_have_markers_and_no_leftovers(tmp_path: Path) -> None:
    target = ParquetTarget(tmp_path / "ads")
    days = [MONDAY, MONDAY.next()]
    schema = pa.schema({"x": pa.string()})
    with DayPartitions(target, "t", schema, days) as partitions:
        partitions.write(MONDAY, pa.table({"x": ["a"]}))
        partitions.write(MONDAY, pa.table({"x": ["b"]}))
        assert not (tmp_path / "ads/t/day=2024-02-26/_SUCCESS").exists()
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert files == [
        f"ads/t/day=2024-02-{day}/{name}" for day in (26, 27) for name in ("_SUCCESS", "part-0000.parquet")
    ]
    assert pq.read_table(tmp_path / "ads/t/day=2024-02-26/part-0000.parquet")["x"].to_pylist() == ["a", "b"]
    empty = pq.read_table(tmp_path / "ads/t/day=2024-02-27/part-0000.parquet", partitioning=None)
    assert (empty.num_rows, empty.schema.equals(schema)) == (0, True)


def test_parquet_days_that_fail_appear_not(tmp_path: Path) -> None:
    target = ParquetTarget(tmp_path)
    rows = pa.table({"x": ["a"]})

    def write() -> None:
        with DayPartitions(target, "t", rows.schema, [MONDAY]) as partitions:
            partitions.write(MONDAY, rows)
            partitions.write(MONDAY.plus(2), rows)

    with pytest.raises(ValueError, match="2024-02-28 is not one of the days"):
        write()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_undated_parquet_is_replaced(tmp_path: Path) -> None:
    target = ParquetTarget(tmp_path)
    assert not target.holds("t")
    target.write_table("t", pa.table({"x": [1, 2]}))
    target.write_table("t", pa.table({"x": [3]}))
    assert target.holds("t")
    assert pq.read_table(tmp_path / "t/part-0000.parquet")["x"].to_pylist() == [3]
    target.clear("t")
    assert not target.holds("t")


@pytest.mark.parametrize("text", ["parquet:", "somewhere", "redis://x"])
def test_other_targets_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=rf"--target '{text}' is not a target; write sqlite:///FILE, mysql"):
        parse_target(text)


def test_tally_prints_tables_together() -> None:
    tally = Tally()
    tally.add("b", "rows", 1200)
    tally.add("a", "rows", 1)
    tally.add("b", "dropped", 0)
    tally.add("b", "rows", 34)
    assert str(tally).splitlines() == [
        "a  rows                1",
        "b  rows            1,234",
        "   dropped             0",
    ]
    assert tally["b", "rows"] == 1234
    assert tally["b", "nothing"] == 0
