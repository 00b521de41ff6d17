from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import ChainError, DataError, UsageError
from pipeline.ingest.day_tables import read_table
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import accept_day, validate
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.small_job import ADS, DAY, LOG, both, config, context, log_rows, write_ads, write_log


def test_tables_and_counts(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, pa.concat_tables([log_rows(40), log_rows(1), log_rows(1, label=[5])]))
    found = both(job)
    assert found.manifest.rows == {"log": 40, "ads": 2}
    assert found.manifest.extra["counts"]["log"]["duplicates"] == 1
    assert read_table(found, "log").num_rows == 40
    assert read_table(found, "log", ["user"]).column_names == ["user"]
    assert pq.read_table(found.file("quarantine.parquet"))["reason"].to_pylist() == ["not an allowed value"]


def test_the_extract_is_an_input_and_a_repeat_does_nothing(job: JobContext) -> None:
    found = both(job)
    assert [each.id for each in found.manifest.inputs] == ["extract/tiny/day=2024-03-04/gen=0001"]
    assert validate(job, DAY).id == found.id


def test_rows_in_another_order_are_no_change(job: JobContext, tmp_path: Path) -> None:
    first = both(job)
    write_log(tmp_path, log_rows(5).take([4, 2, 0, 1, 3]))
    second = both(job, reprocess=True)
    assert second.generation == 2
    assert second.manifest.digest == first.manifest.digest


def test_a_changed_extract_is_a_new_generation(job: JobContext, tmp_path: Path) -> None:
    first = both(job)
    write_log(tmp_path, log_rows(6))
    second = both(job, reprocess=True)
    assert (second.generation, second.manifest.rows["log"]) == (2, 6)
    assert second.manifest.digest != first.manifest.digest


def test_a_skipped_day_has_its_marker(job: JobContext) -> None:
    extract(job, DAY.next())
    assert validate(job, DAY.next()).manifest.state == "skipped"


def test_a_day_that_is_not_extracted_is_an_error_with_the_command(job: JobContext) -> None:
    with pytest.raises(ChainError, match=r"stage extract --job tiny --day 2024-03-04"):
        validate(job, DAY)


def test_too_much_in_quarantine_fails_the_day_until_it_is_accepted(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(20, label=[0] * 18 + [2, 3]))
    with pytest.raises(DataError, match=r"log: 2 of 20 rows .*max_quarantined = 5%.*label: not an allowed value: 2"):
        both(job)
    assert job.store.current(Ref("validated", "tiny", DAY)) is None
    kept = pq.read_table(job.root / "refused" / "tiny" / "2024-03-04.parquet")
    assert kept["value"].to_pylist() == ["2", "3"]
    accept_day(job, DAY, "labels of a trial")
    found = validate(job, DAY)
    assert found.manifest.extra["accepted"] == "labels of a trial"
    assert len(found.manifest.extra["beyond_limits"]) == 1
    assert found.manifest.rows["log"] == 18
    assert validate(job, DAY).id == found.id


def test_exactly_the_share_is_within_the_limit(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(20, label=[0] * 19 + [2]))
    assert both(job).manifest.rows["log"] == 19


def test_duplicates_do_not_dilute_the_quarantine(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, pa.concat_tables([log_rows(10, label=[0] * 9 + [2])] * 5))
    with pytest.raises(DataError, match="log: 1 of 10 rows"):
        both(job)


def test_an_acceptance_needs_a_reason(job: JobContext) -> None:
    with pytest.raises(UsageError, match="reason"):
        accept_day(job, DAY, "  ")
    assert accept_day(job, DAY, "so").id == accept_day(job, DAY, "so").id


def test_far_fewer_rows_than_on_the_same_weekdays_fails_the_day(job: JobContext, tmp_path: Path) -> None:
    for week, rows in ((3, 100), (2, 10), (1, 12)):
        write_log(tmp_path, log_rows(rows, DAY.plus(-7 * week)), DAY.plus(-7 * week))
        if week < 3:
            accept_day(job, DAY.plus(-7 * week), "fewer")
        both(job, DAY.plus(-7 * week))
    write_log(tmp_path, log_rows(3))
    with pytest.raises(DataError, match=r"log: 3 rows, less than .*30% of 12, the median of the last 3 same weekdays"):
        both(job)
    write_log(tmp_path, log_rows(4))
    assert both(job, reprocess=True).manifest.rows["log"] == 4


def test_the_wrong_type_names_table_and_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(tmp_path, monkeypatch)
    write_log(tmp_path, log_rows(2, ad=[[1], [2]]))
    write_ads(tmp_path)
    with pytest.raises(DataError, match="table 'log', column 'ad': holds lists, where int is declared"):
        both(job)


def test_an_unchanged_undated_table_is_linked_with_its_quarantine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config({"log": LOG, "ads": ADS}, validation={"max_quarantined": 0.5})
    job = context(tmp_path, monkeypatch, settings)
    write_ads(tmp_path, ad=[10, 11, None], kind=["a", "b", "c"], shown=[1, 2, 3])
    for day in (DAY, DAY.next()):
        write_log(tmp_path, log_rows(2, day), day)
    first = both(job)
    again = JobContext(settings, job.root)  # another process
    second = both(again, DAY.next())
    assert first.file("ads.parquet").samefile(second.file("ads.parquet"))
    assert second.manifest.extra["counts"]["ads"] == first.manifest.extra["counts"]["ads"]
    quarantined = pq.read_table(second.file("quarantine.parquet"))
    assert quarantined["table"].to_pylist() == ["ads"]
    assert quarantined["reason"].to_pylist() == ["missing"]


def test_a_column_of_another_kind_than_declared_is_told_with_what_to_write(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(20, user=[f"u{row}" for row in range(20)]))
    with pytest.raises(DataError, match=r"values such as 'u0': if they are right.*write `user: \{type: str, …\}` in t"):
        both(job)
