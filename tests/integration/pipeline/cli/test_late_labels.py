"""Labels that come late: the ledger, the taint, and a re-chain that ends as if they had been there from the start."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.days import Day
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.files import write_atomic
from tests.tiny import FIRST, LAST, SECOND, STATE_FROM, Place, copy_of

ZONE = "Asia/Shanghai"
LABELS = {"delay_days": 2}
MATURE_AT = SECOND.plus(2).end(ZONE)


def late(place: Place, job: str, **labels: Any) -> None:
    place.configure(job, {**place.settings(job), "labels": {**LABELS, **labels}})


def read_before(place: Place, day: Day, when: datetime = MATURE_AT - timedelta(hours=30), job: str = "ads") -> None:
    """As if the day had been extracted at an instant long past."""
    extracted = place.artifact("extract", day, job=job)
    extracted.manifest.extra["read_at"] = when.isoformat()
    write_atomic(extracted.path / "manifest.json", extracted.manifest.to_json())


def backfill(place: Place, job: str, first: Day = FIRST, *more: object) -> None:
    state = ("--state-from", STATE_FROM) if job == "homework" else ()
    place.good("backfill", "--job", job, "--from", first, "--to", LAST, *state, "--publish", "none", *more)


def unclicked(rows: pa.Table, every: int = 3) -> tuple[pa.Table, int]:
    """The impressions before some of their clicks have come."""
    clicked = pc.equal(rows["is_click"].cast(pa.string()), "1").to_pylist()
    hidden = [place for place, is_click in enumerate(clicked) if is_click][::every]
    labels = rows["is_click"].to_pylist()
    for place in hidden:
        labels[place] = "0" if isinstance(labels[place], str) else 0
    at = rows.column_names.index("is_click")
    return rows.set_column(at, "is_click", pa.array(labels, rows["is_click"].type)), len(hidden)


@pytest.fixture
def immature(place: Place) -> tuple[Place, int]:
    """``ads`` trained on all days, the second one before a third of its clicks had come; they are there now."""
    late(place, "ads")
    whole = place.shows(SECOND)
    early, hidden = unclicked(whole)
    place.show(SECOND, early)
    backfill(place, "ads")
    read_before(place, SECOND)
    place.show(SECOND, whole)
    return place, hidden


def test_a_day_read_again_ends_as_if_its_labels_had_been_there(immature: tuple[Place, int], trained: Place) -> None:
    place, hidden = immature
    before = place.artifact("extract", SECOND)
    assert place.good("mature", "--job", "ads", "--dry-run").out == f"{SECOND}: due\n"
    assert place.artifact("extract", SECOND).id == before.id

    ran = place.good("mature", "--job", "ads")
    assert ran.out == f"{SECOND}: matured and changed: impressions: labels 0→1: {hidden}\n"
    assert "python -m pipeline rechain --job ads" in ran.err
    (entry,) = json.loads(place.good("mature", "--job", "ads", "--ledger", "--json").out)
    after = place.artifact("extract", SECOND)
    rows = before.manifest.rows["impressions"]
    assert entry["tables"] == {
        "impressions": {
            "before": rows, "after": rows, "added": 0, "removed": 0, "corrected": 0, "labels": {"0→1": hidden}
        }
    }  # fmt: skip
    assert (entry["day"], entry["before"], entry["after"]) == (str(SECOND), before.id, after.id)
    assert (entry["digest_before"], entry["digest_after"]) == (before.manifest.digest, after.manifest.digest)
    assert entry["changed"]
    assert entry["trained"] == ["din", "pooled"]
    assert datetime.fromisoformat(entry["read_first"]) < MATURE_AT < datetime.fromisoformat(entry["read_again"])
    assert after.manifest.extra["as_of"] == before.manifest.extra["as_of"], "profiles stay as they were then"

    status = place.good("status", "--job", "ads").out
    for day in (SECOND, LAST):
        assert len(re.findall(rf"{day}  tainted .*made from extract/ads/day={SECOND}/gen=0001", status)) == 2
    assert re.search(rf"{FIRST}  trained ", status)
    assert f"--from {SECOND} --to {LAST}" in status
    told = place.good("rechain", "--job", "ads", "--dry-run").out
    assert told == f"re-chain from {SECOND} to {LAST}: pooled (2 tainted), din (2 tainted)\n"

    place.good("rechain", "--job", "ads", "--publish", "none")
    assert "tainted" not in place.good("status", "--job", "ads").out
    assert place.good("compare-chains", place.root, trained.root, "--job", "ads").out.startswith("equal: 6 trained")
    for name in ("pooled", "din"):
        for kind in ("test", "gate"):
            ours, theirs = (each.artifact(kind, LAST, name).manifest.extra for each in (place, trained))
            assert {**ours, "checkpoint": "", "incumbent": ""} == {**theirs, "checkpoint": "", "incumbent": ""}
    assert place.good("mature", "--job", "ads").out == ""
    assert place.good("rechain", "--job", "ads").out == "ads: no day of pooled, din is tainted\n"


def test_a_day_whose_labels_stayed_is_noted_and_taints_nothing(chain: Place, trained: Place) -> None:
    late(chain, "ads")
    read_before(chain, SECOND)
    before = chain.artifact("extract", SECOND)
    assert chain.good("mature", "--job", "ads").out == f"{SECOND}: matured, nothing has changed\n"
    after = chain.artifact("extract", SECOND)
    assert (after.generation, after.manifest.digest) == (2, before.manifest.digest)
    assert (after.path / "impressions.parquet").samefile(before.path / "impressions.parquet")
    assert "tainted" not in chain.good("status", "--job", "ads").out
    assert chain.good("mature", "--job", "ads").out == ""


def test_late_rows_with_new_ids(place: Place) -> None:
    """Their indices come at the end of the maps, behind those of the days since: no index ever changes its id."""
    late(place, "ads", max_rows_lost=0)
    whole = place.shows(SECOND)
    place.show(SECOND, whole.slice(0, 120))
    backfill(place, "ads")
    read_before(place, SECOND)
    sizes = place.artifact("maps", LAST).manifest.extra["sizes"]
    place.show(SECOND, whole)
    ran = place.good("mature", "--job", "ads")
    assert f"{whole.num_rows - 120} rows added" in ran.out
    place.good("rechain", "--job", "ads", "--publish", "none")
    assert "tainted" not in place.good("status", "--job", "ads").out
    after = place.artifact("maps", LAST).manifest.extra["sizes"]
    assert after["user"] >= place.artifact("maps", SECOND).manifest.extra["sizes"]["user"] >= sizes["user"]
    assert place.good("audit", "--job", "ads").code == 0


def test_a_source_that_has_lost_the_day_does_not_make_it_smaller(chain: Place) -> None:
    late(chain, "ads")
    read_before(chain, SECOND)
    read_before(chain, FIRST)
    chain.show(SECOND, chain.shows(SECOND).slice(0, 150))
    before = chain.artifact("extract", SECOND)
    ran = chain.run("mature", "--job", "ads")
    assert ran.code == 1
    assert "had 200 rows when the day was first read and has 150 now" in ran.err
    assert "the first reading stands" in ran.err
    assert chain.artifact("extract", SECOND).id == before.id
    assert ran.out == f"{FIRST}: matured, nothing has changed\n", "the others are read all the same"
    chain.show(SECOND, chain.shows(SECOND).slice(0, 0))
    assert "cannot be read again, the first reading stands" in chain.run("mature", "--job", "ads").err


def test_a_process_that_dies_before_the_ledger_is_written_leaves_it_to_the_next(
    immature: tuple[Place, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, hidden = immature

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.ingest.late_labels._write", killed)
        assert place.run("mature", "--job", "ads").code == 1
    assert place.artifact("extract", SECOND).generation == 2
    assert place.store.current(Ref("matured", "ads", SECOND)) is None
    assert f"labels 0→1: {hidden}" in place.good("mature", "--job", "ads").out
    assert place.artifact("extract", SECOND).generation == 2


def test_a_day_whose_first_reading_is_pruned_is_not_read_again(immature: tuple[Place, int]) -> None:
    place, _ = immature
    before = place.artifact("extract", SECOND)
    place.good("prune", "--job", "ads")
    assert not place.artifact("extract", SECOND).manifest.pruned, "its labels are awaited"
    place.store.prune(before)
    assert place.good("mature", "--job", "ads").out == ""
    assert place.artifact("extract", SECOND).id == before.id


def test_a_day_is_held_until_its_labels_mature(place: Place) -> None:
    today = Day.today(ZONE)
    place.show(today.previous(), place.shows(FIRST))
    late(place, "ads", until_then="hold")
    ran = place.run("stage", "extract", "--job", "ads", "--day", today.previous())
    assert ran.code == 1
    instant = today.plus(1).end(ZONE).isoformat(timespec="minutes")
    assert f"its labels mature at {instant} (labels.until_then: hold, 2 days)" in ran.message
    assert place.good("stage", "extract", "--job", "ads", "--day", FIRST).code == 0
    late(place, "ads", until_then="train")
    place.good("stage", "extract", "--job", "ads", "--day", today.previous())
    later = json.loads(place.good("mature", "--job", "ads", "--dry-run", "--json").out)
    assert list(later["waiting"]) == [str(today.previous())]
    assert later["due"] == []


def test_a_job_without_a_label_delay_reads_nothing_again(chain: Place) -> None:
    read_before(chain, SECOND)
    ran = chain.good("mature", "--job", "ads")
    assert (ran.out, "no label delay" in ran.err) == ("", True)
    assert chain.run("rechain", "--job", "ads", "--if-automatic").code == 99


def test_a_ranking_job_too(lessons: Place, tmp_path: Path) -> None:
    place = copy_of(lessons, tmp_path / "late")
    shutil.copytree(lessons.folder / "root-second", place.root)
    late(place, "homework")
    with _database(place) as connection:
        kept = connection.execute("SELECT rowid, cnt FROM homework_offered WHERE day = ? AND cnt > 0", [str(LAST)])
        hidden = kept.fetchall()[::2]
        connection.executemany("UPDATE homework_offered SET cnt = 0 WHERE rowid = ?", [row[:1] for row in hidden])
    backfill(place, "homework", SECOND.next())
    read_before(place, LAST, LAST.plus(2).end(ZONE) - timedelta(hours=30), job="homework")
    with _database(place) as connection:
        connection.executemany("UPDATE homework_offered SET cnt = ? WHERE rowid = ?", [row[::-1] for row in hidden])
    ran = place.good("mature", "--job", "homework")
    assert "offered: labels 0→1: " in ran.out
    assert "tainted" in place.good("status", "--job", "homework").out
    place.good("rechain", "--job", "homework", "--publish", "none")
    assert "tainted" not in place.good("status", "--job", "homework").out
    assert place.run("compare-chains", place.root, lessons.root, "--job", "homework").out.startswith("equal: ")


@contextmanager
def _database(place: Place) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(place.database)
    try:
        with connection:
            yield connection
    finally:
        connection.close()
