from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.tables import Table
from pipeline.engines.local import LocalEngine
from pipeline.ingest.checked_parts import CheckedTable, check_in_parts
from pipeline.ingest.repeats import ENOUGH
from pipeline.storage.parquet_file import StoredTable
from tests.unit.pipeline.small_job import DAY, LOG, log_rows

ZONE = "Asia/Shanghai"


def table(**changed: Any) -> Table:
    columns = {**LOG["columns"], "words": {"type": "str_list"}, "seen": {"type": "float", "change": "outcome"}}
    return Table.model_validate({**LOG, "columns": columns, **changed})


def dirty_rows(rows: int, seed: int) -> pa.Table:
    """Rows at few moments, many of them twice, some without a time, with a wrong label or of another day."""
    drawn = random.Random(seed)
    clean = log_rows(rows)
    columns = {name: clean[name].to_pylist() for name in clean.column_names}
    columns["time"] = [drawn.choice([*columns["time"][:9], None]) for _ in range(rows)]
    columns["ad"] = [drawn.randrange(3) for _ in range(rows)]
    columns["user"] = [drawn.randrange(1, 4) for _ in range(rows)]
    columns["label"] = [drawn.choice([0, 0, 0, 0, 0, 0, 0, 1, 2]) for _ in range(rows)]
    columns["day"] = [drawn.choice([str(DAY)] * 9 + ["2024-03-01"]) for _ in range(rows)]
    columns["words"] = [drawn.choice(["a,b", "b", None]) for _ in range(rows)]
    columns["seen"] = [drawn.choice([None, 1.5, 2.0]) for _ in range(rows)]
    return pa.table(columns)


def checked(folder: Path, rows: pa.Table, parts: int, *, processes: int = 1, **changed: Any) -> CheckedTable:
    folder.mkdir(exist_ok=True)
    pq.write_table(rows, folder / "raw.parquet", row_group_size=37)
    raw = StoredTable(folder / "raw.parquet")
    return check_in_parts(LocalEngine(processes), "log", table(**changed), raw, DAY, ZONE, parts, folder)


@pytest.mark.parametrize("order", [["time", "user", "ad"], ["ad"], ["words", "user"], ["seen_by"], []])
def test_the_number_of_parts_changes_nothing(tmp_path: Path, order: list[str]) -> None:
    columns = {**table().model_dump()["columns"], "seen_by": {"type": "str", "source": "who"}}
    rows = dirty_rows(400, seed=len(order)).append_column("who", [[f"{row % 11}-é" for row in range(400)]])
    found = {}
    for parts in (1, 3, 16):
        folder = tmp_path / str(parts)
        found[parts] = checked(folder, rows, parts, order=order, columns=columns)
        assert sorted(each.name for each in folder.iterdir()) == ["log.parquet", "raw.parquet"]
    one, file = found[1], tmp_path / "1" / "log.parquet"
    assert one.counts.duplicates > 3
    assert one.counts.quarantined > 20
    for parts in (3, 16):
        many = found[parts]
        assert (tmp_path / str(parts) / "log.parquet").read_bytes() == file.read_bytes()
        assert (many.counts, many.digest) == (one.counts, one.digest)
        assert many.quarantine.equals(one.quarantine)
        assert many.fingerprints.varied == one.fingerprints.varied
        assert many.fingerprints.rarely == one.fingerprints.rarely
        for columns_of in (one.fingerprints.varied, ["user"], ["user", "ad", "words", "label"]):
            assert many.fingerprints.over(columns_of).tolist() == one.fingerprints.over(columns_of).tolist()


def test_parts_are_of_about_equal_size_and_may_be_checked_in_other_processes(tmp_path: Path) -> None:
    rows = log_rows(500).take(pa.array(random.Random(1).sample(range(500), 500)))
    one, two = (checked(tmp_path / str(parts), rows, parts, processes=2) for parts in (1, 4))
    assert (one.digest, one.counts.kept) == (two.digest, 500)


@pytest.mark.parametrize(("rest", "rarely"), [(2, True), (15, False)])
def test_a_value_that_nearly_all_rows_have_is_known_across_parts(tmp_path: Path, rest: int, rarely: bool) -> None:
    """Of one part all rows may be other ones: it alone would say that another value is the usual one."""
    labels = [1] * rest + [0] * (ENOUGH * 10 - rest)
    one, many = (checked(tmp_path / str(parts), log_rows(200, label=labels), parts) for parts in (1, 64))
    assert ("label" in one.fingerprints.rarely) == rarely
    assert many.fingerprints.rarely == one.fingerprints.rarely


def test_a_day_of_bad_rows_alone_is_an_empty_table(tmp_path: Path) -> None:
    found = [checked(tmp_path / str(parts), log_rows(30, label=[7] * 30), parts) for parts in (1, 4)]
    assert [(each.counts.kept, each.quarantine.num_rows, each.digest) for each in found] == [
        (0, 30, found[0].digest)
    ] * 2
    assert pq.read_table(tmp_path / "4" / "log.parquet").column_names == [*table().columns]
