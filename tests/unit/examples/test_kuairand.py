"""KuaiRand-Pure → ads tables, from CSV as published and from Parquet."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from examples.kuairand import CONTEXT, LOG_COLUMNS, convert, find_files, main
from examples.kuairand import convert as convert_kuairand
from examples.targets import ParquetTarget
from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from tests.unit.examples.real_data import real_data

LEAKS = {
    "is_like", "is_follow", "is_comment", "is_forward", "is_hate", "play_time_ms", "profile_stay_time",
    "comment_stay_time", "is_profile_enter",
}  # fmt: skip


def log_row(user: int, video: int, date: int, hourmin: int, click: int, play: int = 0) -> dict[str, int]:
    given = {"user_id": user, "video_id": video, "date": date, "hourmin": hourmin, "is_click": click}
    known = given | {"time_ms": 1_650_000_000_000 + hourmin, "play_time_ms": play, "duration_ms": 9000, "tab": 1}
    return {name: known.get(name, 0) for name in LOG_COLUMNS}


FIRST = [log_row(7, 70, 20220421, 2359, 0), log_row(7, 70, 20220421, 2359, 0), log_row(7, 70, 20220421, 2359, 0, 5)]
SECOND = [log_row(8, 71, 20220424, 5, 1), log_row(7, 71, 20220422, 900, 1)]


def write_csv(path: Path, rows: list[dict[str, object]] | list[dict[str, int]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "KuaiRand-Pure"
    (folder / "data").mkdir(parents=True)
    write_csv(folder / "data/log_standard_4_08_to_4_21_pure.csv", FIRST)
    write_csv(folder / "data/log_standard_4_22_to_5_08_pure.csv", SECOND)
    write_csv(folder / "data/log_random_4_22_to_5_08_pure.csv", [log_row(9, 72, 20220422, 1, 1)])
    users = [{"user_id": 7, "user_active_degree": "full_active", "onehot_feat4": 1.5, "fans_user_num_range": "[1,5)"}]
    write_csv(folder / "data/user_features_pure.csv", users)
    videos = [
        {"video_id": 70, "author_id": 1, "upload_dt": "2022-04-10", "music_type": "", "tag": "2,110"},
        {"video_id": 71, "author_id": 2, "upload_dt": "2022-04-11", "music_type": 9.0, "tag": ""},
    ]
    write_csv(folder / "data/video_features_basic_pure.csv", videos)
    return folder


def day(folder: Path, text: str) -> list[dict[str, object]]:
    return pq.ParquetFile(folder / f"midas_online_context/day={text}/part-0000.parquet").read().to_pylist()


def test_published_files_become_the_tables(published: Path, tmp_path: Path) -> None:
    tally = convert(published, ParquetTarget(tmp_path / "ads"), None, None)
    rows = day(tmp_path / "ads", "2022-04-21")
    assert rows[0] == {
        "row_key": "7_70", "user_id": 7, "ad_id": 70, "log_day": "2022/04/21", "log_time": 1_650_000_002_359,
        "log_hourtime": 23, "tab": 1, "duration_ms": 9000, "is_click": 0, "long_view": 0,
        "source_row": rows[0]["source_row"],
    }  # fmt: skip
    assert rows[0] == rows[1], "an exact duplicate stays"
    assert rows[2]["source_row"] != rows[0]["source_row"], "a line that differs in what is left out is none"
    assert [row["user_id"] for row in day(tmp_path / "ads", "2022-04-22")] == [7]
    assert day(tmp_path / "ads", "2022-04-23") == []
    assert (tmp_path / "ads/midas_online_context/day=2022-04-23/_SUCCESS").exists()
    context = "midas_online_context"
    assert tally[context, "of them exact duplicates of a line of the day (kept)"] == 1
    assert tally[context, "written"] == 5
    assert (tally[context, "days"], tally[context, "days without rows"]) == (4, 1)
    ads = pq.read_table(tmp_path / "ads/midas_online_ad/part-0000.parquet").to_pylist()
    assert ads == [
        {"row_key": "70", "ad_id": 70, "author_id": 1, "upload_dt": "2022-04-10", "music_type": None, "tag": "2,110"},
        {"row_key": "71", "ad_id": 71, "author_id": 2, "upload_dt": "2022-04-11", "music_type": 9.0, "tag": None},
    ]
    users = pq.read_table(tmp_path / "ads/midas_online_user/part-0000.parquet").to_pylist()
    assert [(user["user_id"], user["onehot_feat4"]) for user in users] == [(7, 1.5)]


def test_nothing_known_only_after_the_impression_is_kept() -> None:
    assert not LEAKS & set(CONTEXT.names)


def test_what_came_of_impressions_is_written_where_it_is_asked_for(published: Path, tmp_path: Path) -> None:
    convert(published, ParquetTarget(tmp_path / "ads"), None, None, outcomes=True)
    row = day(tmp_path / "ads", "2022-04-21")[2]
    assert set(row) == {*CONTEXT.names, *LEAKS}
    assert (row["play_time_ms"], row["is_like"]) == (5, 0)


def test_parquet_gives_the_same_as_csv(published: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("user_features", "video_features_basic"):
        texts = {"upload_dt": pa.string(), "tag": pa.string()}
        options = pyarrow.csv.ConvertOptions(column_types=texts, strings_can_be_null=True)
        rows = pyarrow.csv.read_csv(published / f"data/{name}_pure.csv", convert_options=options)
        pq.write_table(rows, copy / f"{name}.parquet")
    narrow = pa.schema({name: pa.int64() if name == "time_ms" else pa.int32() for name in LOG_COLUMNS})
    pq.write_table(pa.Table.from_pylist(FIRST + SECOND, schema=narrow), copy / "log.parquet")
    for source, target in ((published, "a"), (copy, "b")):
        convert(source, ParquetTarget(tmp_path / target), None, None)
    for path in sorted((tmp_path / "a").rglob("*.parquet")):
        other = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert pq.ParquetFile(path).read().equals(pq.ParquetFile(other).read()), path


def test_only_the_days_asked_for_that_the_log_holds(published: Path, tmp_path: Path) -> None:
    tally = convert(published, ParquetTarget(tmp_path / "ads"), Day.of(2022, 4, 22), Day.of(2022, 6, 1))
    days = sorted(path.name for path in (tmp_path / "ads/midas_online_context").iterdir())
    assert days == ["day=2022-04-22", "day=2022-04-23", "day=2022-04-24"]
    assert tally["midas_online_context", "outside --from … --to, left out"] == 3
    with pytest.raises(UsageError, match="the log holds 2022-04-21 to 2022-04-24"):
        convert(published, ParquetTarget(tmp_path / "ads"), Day.of(2023, 1, 1), None)


def test_randomly_exposed_logs_are_left_where_standard_ones_are(published: Path) -> None:
    logs = [name for name in find_files(published) if name.startswith("log")]
    assert logs == ["log_standard_4_08_to_4_21_pure", "log_standard_4_22_to_5_08_pure"]


def test_missing_files_are_named_with_where_to_get_them(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (published / "data/user_features_pure.csv").unlink()
    assert main(["--source", str(published), "--target", f"parquet:{tmp_path}/ads"]) == 1
    message = capsys.readouterr().err
    assert "user_features*.csv or user_features*.parquet not there" in message
    assert "https://kuairand.com" in message


def test_a_log_with_other_columns_or_values_is_refused(published: Path, tmp_path: Path) -> None:
    log = published / "data/log_standard_4_22_to_5_08_pure.csv"
    write_csv(log, [row | {"tab": "x"} for row in SECOND])
    with pytest.raises(SourceError, match=r"log_standard_4_22.*cannot be read as a log of whole numbers.*'x'"):
        convert(published, ParquetTarget(tmp_path / "ads"), None, None)
    write_csv(log, [{"user_id": 1, "date": 20220422}])
    with pytest.raises(SourceError, match=r"log_standard_4_22.*columns video_id, hourmin"):
        convert(published, ParquetTarget(tmp_path / "ads"), None, None)


def test_wrong_use(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--source", str(published), "--target", "sqlite:///x.db"]) == 2
    assert "the ads tables go to parquet:FOLDER" in capsys.readouterr().err
    assert main(["--source", str(published), "--target", "parquet:x", "--from", "2022/04/21"]) == 2
    assert "'2022/04/21' is not a day" in capsys.readouterr().err


def test_kuairand_rows_without_duplicates(tmp_path: Path) -> None:
    source = real_data("kuairand")
    tally = convert_kuairand(source, ParquetTarget(tmp_path), Day.of(2022, 4, 27), Day.of(2022, 5, 4))
    files = sorted(tmp_path.glob("midas_online_context/*/*.parquet"))
    rows = pa.concat_tables([pq.ParquetFile(path).read() for path in files])
    distinct = rows.group_by(rows.column_names).aggregate([])
    assert (len(files), rows.num_rows, distinct.num_rows) == (8, 142_230, 138_451)
    twice = tally["midas_online_context", "of them exact duplicates of a line of the day (kept)"]
    assert rows.num_rows - twice == distinct.num_rows
