"""`backfill --dry-run` says what would run and why, and writes nothing."""

from __future__ import annotations

import re

from tests.tiny import FIRST, LAST, OUTAGE, SECOND, Place

ALL = ("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none")


def test_a_dry_run_says_what_would_run_and_why_and_writes_nothing(begun: Place) -> None:
    before = sorted(begun.root.rglob("*"))
    ran = begun.good(*ALL, "--dry-run")
    assert sorted(begun.root.rglob("*")) == before
    lines = {tuple(line.split()[:2]): line for line in ran.out.splitlines()}
    assert f"nothing: done as extract/ads/day={FIRST}/gen=0001" in lines[str(FIRST), "extract"]
    assert "run: not done yet" in lines[str(LAST), "build_features"]
    experiments = [line for line in ran.out.splitlines() if line.startswith(f"{SECOND}  experiment")]
    assert [line.split()[2] for line in experiments] == ["pooled", "din"]
    assert all("nothing: done as checkpoint/ads/" in line for line in experiments)
    assert lines[str(SECOND), "check"].endswith("nothing: every model is checked")
    assert lines[str(LAST), "check"].endswith("run: for pooled, din")


def test_a_dry_run_of_tainted_and_skipped_days_gives_the_reasons(chain: Place) -> None:
    chain.good("taint", "--job", "ads", "--day", SECOND, "--experiment", "din", "--reason", "half of the log")
    ran = chain.good(*ALL, "--dry-run")
    assert f"{OUTAGE}  all" in ran.out
    assert "nothing: skipped (no rows in any required table" in ran.out
    assert re.search(rf"{SECOND}  experiment din +run: tainted: half of the log", ran.out)
    assert re.search(
        rf"{LAST}  experiment din +run: if what it reads .*: its parent of {SECOND} is trained again", ran.out
    )
    assert re.search(rf"{LAST}  experiment pooled +nothing: done as", ran.out)
    assert re.search(rf"{SECOND}  extract +run: --reprocess", chain.good(*ALL, "--dry-run", "--reprocess").out)


def test_a_dry_run_shows_the_days_of_state_that_come_first_and_those_that_are_dirty(place: Place) -> None:
    later = ("backfill", "--job", "ads", "--from", LAST, "--to", LAST, "--state-from", FIRST, "--dry-run")
    told = rf"{FIRST} … {OUTAGE} .*run: 3 days of feature state before {LAST}, not trained"
    assert re.search(told, place.good(*later).out)
    place.configure("ads", {**place.settings("ads"), "dirty_days": [str(LAST)]})
    assert re.search(rf"{LAST}  all +skip: listed in dirty_days", place.good(*later).out)
    assert not list(place.root.rglob("day=*"))


def test_a_dry_run_refuses_a_state_that_would_begin_before_the_one_that_is_there(begun: Place) -> None:
    ran = begun.run(*ALL, "--state-from", FIRST.previous(), "--dry-run")
    assert (ran.code, ran.out) == (3, "")
    assert f"the feature state starts on {FIRST}" in ran.message
