"""Rows delivered again under a new date, and what recurs rightly."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.job import JobConfig
from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.ingest.extract import extract
from pipeline.ingest.repeats import SUFFIX, Fingerprints, PartHashes, compared_columns
from pipeline.ingest.validate import accept_day, validate
from pipeline.job import JobContext
from pipeline.monitoring.table_watch import changes_of
from pipeline.storage import parquet_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.parquet_file import StoredTable
from tests.unit.pipeline.small_job import ADS, DAY, LOG, config, context, log_rows, write_ads, write_log

COLUMNS = {**LOG["columns"], "place": {"type": "int_list"}, "weekday": {"type": "int"}, "hour": {"type": "int"}}
SETTINGS = {**LOG, "columns": COLUMNS, "when": ["hour"]}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    write_ads(tmp_path)
    return context(tmp_path, monkeypatch, config({"log": SETTINGS, "ads": ADS}))


def rows_of(day: Day, seed: int, count: int = 100, of: Day | None = None) -> pa.Table:
    """Rows of users and ads drawn by the seed, dated ``day``."""
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "user": draw.integers(1, 10_000, count).tolist(), "ad": draw.integers(1, 10_000, count).tolist(),
        "place": [draw.integers(0, 9, 3).tolist() for _ in range(count)],
        "weekday": [day.date.isoweekday()] * count, "hour": draw.integers(0, 24, count).tolist(),
    }  # fmt: skip
    return log_rows(count, day, **columns)


def done(job: JobContext, day: Day, rows: pa.Table) -> Artifact:
    write_log(job.root.parent, rows, day)
    extract(job, day)
    return validate(job, day)


def counted(artifact: Artifact) -> tuple[int | None, dict[str, int]]:
    counts = artifact.manifest.extra["counts"]["log"]
    return counts["repeated"], counts["repeated_of"]


def test_days_of_their_own_rows_repeat_nothing(job: JobContext) -> None:
    assert counted(done(job, DAY, rows_of(DAY, 1))) == (None, {}), "there is no day before it"
    assert counted(done(job, DAY.next(), rows_of(DAY.next(), 2))) == (0, {})


def test_the_rows_of_the_day_before_under_a_new_date_fail_the_day(job: JobContext) -> None:
    done(job, DAY, rows_of(DAY, 1))
    again = rows_of(DAY.next(), 1)
    # Another order, other hours, another weekday: all that says when.
    again = again.set_column(again.column_names.index("hour"), "hour", pa.array([7] * 100))
    again = again.take(list(range(99, -1, -1)))
    expected = (
        f"log: 100 of 100 rows were there on {DAY}, but for their day and time: more than validation.max_repeated = "
        "40%; either they were delivered again, or it is too low"
    )
    with pytest.raises(DataError, match=expected) as error:
        done(job, DAY.next(), again)
    assert f"--accept-day {DAY.next()} --reason" in str(error.value)
    assert job.store.current(Ref("validated", "tiny", DAY.next())) is None
    refused = json.loads((job.root / "refused" / "tiny" / f"{DAY.next()}.json").read_text(encoding="utf-8"))
    assert refused["log"]["repeated"] == 100

    accept_day(job, DAY.next(), "a trial of the loader")
    found = validate(job, DAY.next())
    assert counted(found) == (100, {str(DAY): 100})
    assert found.manifest.extra["accepted"] == "a trial of the loader"
    assert len(found.manifest.extra["beyond_limits"]) == 1


@pytest.mark.parametrize(("share", "fails"), [(40, False), (41, True)])
def test_the_limit_is_a_share_of_the_days_rows(share: int, fails: bool, job: JobContext) -> None:
    done(job, DAY, rows_of(DAY, 1))
    day = DAY.next()
    mixed = pa.concat_tables([rows_of(day, 1).slice(0, share), rows_of(day, 2).slice(share)])
    if fails:
        with pytest.raises(DataError, match=f"41 of 100 rows were there on {DAY}"):
            done(job, day, mixed)
    else:
        assert counted(done(job, day, mixed)) == (40, {str(DAY): 40})


def test_half_of_one_day_and_half_of_another_is_all_of_earlier_days(job: JobContext) -> None:
    for number in range(2):
        done(job, DAY.plus(number), rows_of(DAY.plus(number), number))
    day = DAY.plus(2)
    with pytest.raises(DataError, match=rf"60 of 100 rows were there on {DAY.next()}"):
        done(job, day, pa.concat_tables([rows_of(day, 0).slice(0, 40), rows_of(day, 1).slice(40)]))


def drawn(day: Day, seed: int, kinds: int) -> pa.Table:
    """Forty rows that are one of so many."""
    which = np.random.default_rng(seed).integers(0, kinds, 40)
    return log_rows(40, day, user=(1 + which).tolist(), ad=[1] * 40, label=[0] * 40)


def test_short_rows_recur_by_chance(job: JobContext) -> None:
    shares = []
    for number in range(8):
        counts = done(job, DAY.plus(number), drawn(DAY.plus(number), number, 30)).manifest.extra["counts"]["log"]
        shares.append((counts["repeated"] or 0) / 40)
    assert shares[1] > 0.4
    assert shares[7] > 0.8
    day = DAY.plus(8)
    with pytest.raises(DataError, match=rf"40 of 40 rows were there on {DAY.plus(6)}, .*where \d+ are to be expected"):
        done(job, day, drawn(day, 6, 30))


def test_how_far_back_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ads(tmp_path)
    near = config({"log": SETTINGS, "ads": ADS}, validation={"repeated_days": 2})
    job = context(tmp_path, monkeypatch, near)
    for number in range(3):
        done(job, DAY.plus(number), rows_of(DAY.plus(number), number))
    assert counted(done(job, DAY.plus(3), rows_of(DAY.plus(3), 0))) == (0, {})
    off = JobContext(config({"log": SETTINGS, "ads": ADS}, validation={"max_repeated": 1}), job.root)
    assert counted(done(off, DAY.plus(4), rows_of(DAY.plus(4), 2))) == (100, {str(DAY.plus(2)): 100})


def test_equal_rows_count_as_often_as_an_earlier_day_had_them(job: JobContext) -> None:
    first = rows_of(DAY, 1, 50)
    done(job, DAY, first)
    day = DAY.next()
    # One row of the day before twenty times, at twenty times of the day.
    again = pa.concat_tables([rows_of(day, 1, 50).slice(0, 1)] * 20)
    times = log_rows(20, day)["time"]
    again = again.set_column(again.column_names.index("time"), "time", times)
    found = done(job, day, pa.concat_tables([again, rows_of(day, 2, 50)]))
    assert counted(found) == (1, {str(DAY): 1})


def test_a_few_rows_that_recur_say_nothing(job: JobContext) -> None:
    done(job, DAY, log_rows(19))
    found = done(job, DAY.next(), log_rows(19, DAY.next()))
    assert counted(found) == (None, {})
    assert not any(name.endswith(SUFFIX) for name in found.manifest.files)


def test_rows_of_a_table_that_is_not_learnt_from_are_counted_and_do_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ads(tmp_path)
    tables = {"log": SETTINGS, "ads": ADS, "other": {**SETTINGS, "source": "other"}}
    job = context(tmp_path, monkeypatch, config(tables))
    for number in range(6):
        day = DAY.plus(number)
        write_log(tmp_path, rows_of(day, number), day)
        folder = write_log(tmp_path / "aside", rows_of(day, 7 if number > 3 else number), day)
        target = tmp_path / "tables" / "other" / folder.name
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)
        extract(job, day)
        found = validate(job, day)
    assert found.manifest.extra["counts"]["other"]["repeated"] == 100
    assert found.manifest.extra["beyond_limits"] == []
    (change,) = changes_of(job, DAY.plus(5))
    assert (change.table, change.what) == ("other", "repeated_rows")
    assert change.text.startswith("100 of 100 rows were there on earlier days")
    assert change.text.endswith("usually 0.0% (alerts.repeated is 20%)")


def test_days_without_fingerprints_are_passed_over(job: JobContext) -> None:
    first = done(job, DAY, rows_of(DAY, 1))
    # As a version before it wrote them, and as a damaged disk has them.
    (first.path / f"log{SUFFIX}").write_bytes(b"no numbers")
    assert counted(done(job, DAY.next(), rows_of(DAY.next(), 1))) == (None, {})


def test_days_whose_fingerprints_were_pruned_are_named(job: JobContext, capsys: pytest.CaptureFixture[str]) -> None:
    first = done(job, DAY, rows_of(DAY, 1))
    done(job, DAY.next(), rows_of(DAY.next(), 2))
    assert "pruned" not in capsys.readouterr().err
    job.store.prune(first)
    done(job, DAY.plus(2), rows_of(DAY.plus(2), 3))
    assert f"not looked for in {DAY}: pruned (retention.validated_days)" in capsys.readouterr().err


def test_columns_of_one_value_are_counted(job: JobContext) -> None:
    rows = rows_of(DAY, 1)
    rows = rows.set_column(rows.column_names.index("label"), "label", pa.array([1] * 9 + [0] * 91))
    counts = done(job, DAY, rows).manifest.extra["counts"]["log"]
    assert (counts["constant"], counts["rarely"]) == (["weekday"], ["label"])
    rows = rows.set_column(rows.column_names.index("label"), "label", pa.array([1] * 11 + [0] * 89))
    write_log(job.root.parent, rows)
    extract(job, DAY, reprocess=True)
    assert validate(job, DAY).manifest.extra["counts"]["log"]["rarely"] == []


def test_what_is_compared(job: JobContext) -> None:
    assert compared_columns(job.config.tables["log"]) == ["user", "ad", "label", "place", "weekday"]


def test_columns_that_say_when_must_be_declared() -> None:
    with pytest.raises(ValueError, match="does not declare: minute"):
        Table.model_validate({**SETTINGS, "when": ["minute"]})


def test_the_setting_changes_no_validated_table() -> None:
    def digest(table: dict[str, Any], **validation: Any) -> str:
        job: JobConfig = config({"log": table, "ads": ADS}, validation=validation)
        return job.stage_settings("validate")

    bare = {name: each for name, each in SETTINGS.items() if name != "when"}
    assert digest(bare) == digest(SETTINGS) == digest(SETTINGS, max_repeated=0.1, repeated_days=3)


def typed(folder: Path, kind: str, *values: Any) -> Fingerprints:
    types = {"int": pa.int64(), "float": pa.float64(), "str": pa.string(), "int_list": pa.list_(pa.int64()),
             "str_list": pa.list_(pa.string())}  # fmt: skip
    table = Table.model_validate({"source": "x", "columns": {"a": {"type": kind}}})
    rows = pa.table({"a": pa.array(values, types[kind])})
    parquet_file.write(folder / "rows.parquet", rows)
    return Fingerprints([PartHashes.of(rows, table, folder / "sums.npy")], table, StoredTable(folder / "rows.parquet"))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("int", [0, 1, -1, None, 2**62]),
        ("float", [0.0, 1.0, -1.0, None, 1e-300]),
        ("str", ["", "a", "b", None, "äö", "ab"]),
        ("int_list", [[], [1], [1, 2], [2, 1], [12], None, [1, None], [1, 1]]),
        ("str_list", [[], ["a"], ["a", "b"], ["b", "a"], ["ab"], None]),
    ],
)
def test_different_values_have_different_fingerprints(tmp_path: Path, kind: str, values: list[Any]) -> None:
    found = typed(tmp_path, kind, *values).over(["a"])
    assert len(set(found.tolist())) == len(values)
    # The same of a slice, and in another order.
    np.testing.assert_array_equal(typed(tmp_path, kind, *values[::-1]).over(["a"])[::-1], found)


def mixed(bits: int) -> int:
    """SplitMix64, as it is published."""
    bits = (bits + 0x9E3779B97F4A7C15) % 2**64
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB % 2**64
    return bits ^ (bits >> 31)


def test_fingerprints_are_the_same_in_every_version(tmp_path: Path) -> None:
    """They are on disk: other values make all stored ones useless."""
    name, text = (int.from_bytes(hashlib.blake2b(each, digest_size=8).digest(), "big") for each in (b"a", b"b"))
    assert typed(tmp_path, "int", 1, 2).over(["a"]).tolist() == [mixed(mixed(1) ^ name), mixed(mixed(2) ^ name)]
    assert typed(tmp_path, "str", "b").over(["a"]).tolist() == [mixed(text ^ name)]
    np.testing.assert_array_equal(typed(tmp_path, "float", 0.0).over(["a"]), typed(tmp_path, "float", -0.0).over(["a"]))
