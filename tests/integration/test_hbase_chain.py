"""The ads job out of HBase: the chain and what is served are the embedded ones, bit for bit."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from examples.hbase_target import HBaseTarget
from examples.school.__main__ import main as write_school
from examples.targets import ParquetTarget
from ops.services.hbase import HBase
from pipeline.storage.redis.embedded import stop
from tests.tiny import DAYS, FIRST, LAST, OUTAGE, SECOND, Place, copy_of

pytestmark = [pytest.mark.service("hbase"), pytest.mark.slow]


def test_the_chain_out_of_hbase_is_the_embedded_one(
    hbase: HBase, table_prefix: str, trained: Place, tmp_path: Path
) -> None:
    place = copy_of(trained, tmp_path / "ads")
    target = HBaseTarget(f"{hbase.url}{table_prefix}_")
    for table in ("midas_online_user", "midas_online_ad"):
        target.write_table(table, place.table(table))
    with target.partitions("midas_online_context", place.shows(FIRST).schema, DAYS) as days:
        for day in DAYS:
            days.write(day, place.shows(day))
    place.environment["DAYSPRING_ADS_URL"] = f"{hbase.url}{table_prefix}_?connections=2&batch=50"
    # Each day asks for itself only, and the extraction of the first reads all.
    place.good("stage", "extract", "--job", "ads", "--day", FIRST)
    assert place.store.days("extract", "ads") == [day for day in DAYS if day != OUTAGE]
    place.good("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "last")
    compared = place.run("compare-chains", place.root, trained.root, "--job", "ads")
    assert compared.out.startswith("equal: 6 trained days of 2 experiments"), compared.out
    assert place.artifact("extract", SECOND).manifest.extra["notes"]["impressions"]["keys_that_overwrite"] == 0
    embedded = copy_of(trained, tmp_path / "embedded", root=True)
    for stage in ("release", "publish"):
        embedded.good("stage", stage, "--job", "ads", "--day", LAST)
    user = place.shows(LAST)["row_key"][0].as_py().split("_")[0]
    answers = [
        json.loads(each.good("recommend", "--job", "ads", "--user", user, "--top", 5, "--json").out)
        for each in (place, embedded)
    ]
    assert answers[0]["top"] == answers[1]["top"]
    for each in (place, embedded):
        stop(each.root)


def test_the_school_writes_to_hbase_what_it_writes_to_files(hbase: HBase, table_prefix: str, tmp_path: Path) -> None:
    from pipeline.sources.hbase.source import HBaseSource
    from pipeline.sources.parquet import ParquetSource

    url = f"{hbase.url}{table_prefix}_"
    folder = tmp_path / "ads"
    arguments = [
        "--from", FIRST, "--days", 2, "--users", 40, "--ads", 30, "--impressions-per-day", 60, "--dirty", 0.2,
        "--target", f"parquet:{folder}", "--target", url,
    ]  # fmt: skip
    with redirect_stdout(io.StringIO()):
        assert write_school([str(each) for each in arguments]) == 0
        assert write_school([str(each) for each in arguments]) != 0, "two schools were written into one place"
        assert write_school([*(str(each) for each in arguments), "--replace"]) == 0
    there, here = HBaseSource(url, "X", {}), ParquetSource(f"parquet:{folder}", "X")
    for table in ("midas_online_context", "midas_offline"):
        for day in (FIRST, SECOND):
            columns = ["row_key", "is_click", "log_time", "rclick_ad", "week_accuracy", "log_day"]
            found, meant = (
                [
                    row
                    for batch in source.read(table, columns, day, chunk_rows=1000).batches
                    for row in batch.to_pylist()
                ]
                for source in (there, here)
            )
            # A row of another day is not found by its day, which is what makes it one.
            meant = [row for row in meant if row["log_day"] == str(day).replace("-", "/")]
            assert _sorted(found) == _sorted(meant)
            assert there.is_marked(table, day)
    assert [there.count(table, None) for table in ("midas_online_user", "midas_online_ad")] == [40, 30]
    assert ParquetTarget(folder).holds("midas_online_user")
    there.close()


def _sorted(rows: list[dict[str, str | None]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)
