"""DIEN's published files as days of the job's tables."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from examples.dien_files import main
from pipeline.config.load import load_job

CONF = Path(__file__).resolve().parents[3] / "examples" / "conf" / "dien"


def folder(place: Path) -> Path:
    """Files of the published form: three users to train on, one to test on."""
    place.mkdir()
    train = [
        "0\tA\ti4\tArt\ti1\x02i2\tBooks\x02Art", "1\tA\ti3\tBooks\ti1\x02i2\tBooks\x02Art",
        "0\tB\ti1\tBooks\ti3\tBooks", "1\tB\ti9\tNew\ti3\tBooks",
        "0\tC\ti1\tBooks\ti4\tArt", "1\tC\ti2\tArt\ti3\tBooks",
    ]  # fmt: skip
    (place / "local_train_splitByUser").write_text("\n".join(train) + "\n")
    (place / "local_test_splitByUser").write_text("0\tD\ti2\tArt\ti8\tBooks\n1\tD\ti1\tBooks\ti8\tBooks\nno line\n")
    (place / "item-info").write_text("".join(f"i{n}\t{'Art' if n % 2 == 0 else 'Books'}\n" for n in range(1, 5)))
    times = {("A", "i3"): 300, ("B", "i9"): 100, ("C", "i2"): 50, ("D", "i1"): 7, ("A", "i1"): 1}
    (place / "reviews-info").write_text("".join(f"{u}\t{i}\t5.0\t{t}\n" for (u, i), t in times.items()))
    words = {"uid": ["A", "B", "C"], "mid": ["default_mid", "i1", "i2", "i3"], "cat": ["default_cat", "Books", "Art"]}
    for name, each in words.items():
        (place / f"{name}_voc.pkl").write_bytes(pickle.dumps({word: n for n, word in enumerate(each)}, protocol=0))
    return place


def rows(target: Path, day: str) -> list[tuple[Any, ...]]:
    place = target / "midas_online_context" / f"day={day}"
    assert (place / "_SUCCESS").is_file()
    table = pq.read_table(place / "part-0000.parquet", partitioning=None)
    assert set(table["log_day"].to_pylist()) <= {day.replace("-", "/")}
    return [(*row.values(),) for row in table.select(["user_id", "ad_id", "is_click", "place", "reviewed"]).to_pylist()]


def converted(*words: object) -> int:
    return main([str(word) for word in words])


def test_steps_then_lines_in_order_of_time_then_those_to_test_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Users by the time of their reviews, a user's lines on one day; C's second line has other steps than the first."""
    target = tmp_path / "target"
    source = folder(tmp_path / "source")
    assert converted("--source", source, "--target", f"parquet:{target}", "--days", 2) == 0
    assert rows(target, "2024-01-01") == [
        ("A", "i1", 1, 0, None), ("A", "i2", 1, 1, None), ("B", "i3", 1, 0, None), ("C", "i4", 1, 0, None),
        ("D", "i8", 1, 0, None),
    ]  # fmt: skip
    assert rows(target, "2024-01-02") == [
        ("B", "i1", 0, 0, None), ("B", "i9", 1, 1, 100), ("A", "i4", 0, 2, None), ("A", "i3", 1, 3, 300),
    ]  # fmt: skip
    assert rows(target, "2024-01-03") == [("C", "i1", 0, 0, None)]
    assert rows(target, "2024-01-04") == [("D", "i2", 0, 0, None), ("D", "i1", 1, 1, 7)]
    with (target / "dien.quarantine.csv").open() as file:
        assert list(csv.reader(file)) == [
            ["file", "line", "reason", "text"],
            ["local_train_splitByUser", "5", "other steps than in a line before of this user", "C"],
            ["local_test_splitByUser", "2", "1 cells, where 6 are", "no line"],
        ]  # fmt: skip
    assert "bad lines are in" in capsys.readouterr().out


def test_profiles_have_the_numbers_of_the_vocabularies(tmp_path: Path) -> None:
    """Of what these have not got there is none; items of lines alone have the lines' category."""
    target = tmp_path / "target"
    assert converted("--source", folder(tmp_path / "source"), "--target", f"parquet:{target}") == 0
    users, items = (
        pq.read_table(target / name / "part-0000.parquet").to_pylist()
        for name in ("midas_online_user", "midas_online_ad")
    )
    assert {row["user_id"]: row["uid"] for row in users} == {"A": 0, "B": 1, "C": 2, "D": None}
    assert [(row["ad_id"], row["category"], row["mid"], row["cat"]) for row in items] == [
        ("i1", "Books", 1, 1), ("i2", "Art", 2, 2), ("i3", "Books", 3, 1), ("i4", "Art", None, 2),
        ("i9", "New", None, None), ("i8", "Books", None, 1),
    ]  # fmt: skip
    columns = {role: set(table.columns) for role, table in load_job("ads", CONF).tables.items()}
    assert columns["ads"] <= set(items[0])


def test_a_pickle_that_asks_to_be_executed_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = folder(tmp_path / "source")
    (source / "mid_voc.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    assert converted("--source", source, "--target", f"parquet:{tmp_path / 'target'}") == 1
    assert "mid_voc.pkl: asks for os.system" in capsys.readouterr().err
    assert not (tmp_path / "target" / "midas_online_ad").exists()


def test_what_is_asked_wrong_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = folder(tmp_path / "source")
    (source / "item-info").unlink()
    assert converted("--source", source, "--target", f"parquet:{tmp_path}") == 1
    assert converted("--source", source, "--target", f"sqlite:///{tmp_path}/a.db") == 2
    assert converted("--source", source, "--target", f"parquet:{tmp_path}", "--days", 0) == 2
    told = capsys.readouterr().err
    assert "item-info not there; the files of" in told
    assert "these rows go to parquet:FOLDER" in told
    assert "--days 0: at least 1" in told
