from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from pipeline.days import Day
from pipeline.errors import ChainError, CorruptArtifact, UsageError
from pipeline.features.state.day_order import (
    days_before,
    guard_start,
    of_one_pass,
    settle_start,
    start_of,
    state_before,
)
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import shows

DAY = Day.of(2024, 3, 4)
BEFORE = [DAY.plus(-3), DAY.plus(-2), DAY.plus(-1)]


def job(root: Path, **settings: Any) -> JobContext:
    return JobContext(shows.config(**settings), root)


def commit(here: JobContext, kind: str, *days: Day, state: Literal["done", "skipped"] = "done") -> None:
    for day in days:
        with here.store.draft(Ref(kind, here.job, day)) as draft:
            draft.commit(key="", digest=f"{kind} {day}", inputs=[], state=state)


@pytest.mark.parametrize(
    ("settings", "first", "one_pass"),
    [
        ({}, DAY, False), ({"start": str(DAY.plus(-5))}, DAY.plus(-5), False),
        ({"start": str(DAY.plus(5))}, DAY, False),
        ({"state_from": str(DAY.plus(-9)), "start": str(DAY.plus(-5))}, DAY.plus(-9), True),
    ],
)  # fmt: skip
def test_the_start_is_settled_once_and_for_good(
    tmp_path: Path, settings: dict[str, Any], first: Day, one_pass: bool
) -> None:
    here = job(tmp_path, **settings)
    assert start_of(here) is None
    assert settle_start(here, DAY) == first
    record = json.loads((tmp_path / "maps" / here.job / "start.json").read_text())
    assert record == {"start": str(first), "in_one_pass": one_pass}
    assert start_of(job(tmp_path)) == first
    assert settle_start(job(tmp_path), DAY.plus(9)) == first


def test_days_before_the_start_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{BEFORE[2]} is before state_from {DAY}; begin with --from {DAY}"):
        settle_start(job(tmp_path, state_from=str(DAY)), BEFORE[2])
    assert start_of(job(tmp_path)) is None
    settle_start(job(tmp_path), DAY)
    with pytest.raises(ChainError, match=f"{BEFORE[2]} is before the feature state's start {DAY}"):
        settle_start(job(tmp_path), BEFORE[2])
    with pytest.raises(ChainError, match=f"starts on {DAY} .* state_from {BEFORE[0]} comes too late"):
        guard_start(job(tmp_path, state_from=str(BEFORE[0])))
    guard_start(job(tmp_path, state_from=str(DAY.next())))


def test_a_damaged_record_is_told_with_what_to_write(tmp_path: Path) -> None:
    settle_start(job(tmp_path), DAY)
    path = tmp_path / "maps" / job(tmp_path).job / "start.json"
    path.write_text('{"start": "soon"}')
    with pytest.raises(CorruptArtifact, match=r"start\.json: damaged .* first day of the folders under"):
        start_of(job(tmp_path))


def test_the_days_of_the_one_pass_that_are_neither_mapped_nor_skipped_come_first(tmp_path: Path) -> None:
    here = job(tmp_path, state_from=str(BEFORE[0]))
    assert days_before(job(tmp_path), DAY) == []
    assert days_before(here, DAY) == BEFORE
    assert days_before(here, BEFORE[0]) == []
    commit(here, "maps", BEFORE[0])
    commit(here, "day", BEFORE[1], state="skipped")
    commit(here, "day", BEFORE[2])
    assert days_before(here, DAY) == [BEFORE[2]]
    commit(here, "maps", BEFORE[2])
    assert days_before(here, DAY) == []


def test_a_pass_that_was_begun_goes_on_without_being_asked_for(tmp_path: Path) -> None:
    settle_start(job(tmp_path, state_from=str(BEFORE[0])), DAY)
    assert days_before(job(tmp_path), DAY) == BEFORE


def test_a_hole_is_told_with_the_command_that_fills_it(tmp_path: Path) -> None:
    here = job(tmp_path)
    settle_start(here, BEFORE[0])
    commit(here, "maps", BEFORE[0])
    command = f"backfill --job {here.job} --from {BEFORE[1]} --to {DAY}"
    with pytest.raises(ChainError, match=f"day {BEFORE[1]} is neither mapped nor skipped, .* day {DAY}; .*{command}"):
        days_before(here, DAY)


def test_a_hole_after_the_first_day_that_was_built_is_none_of_the_pass(tmp_path: Path) -> None:
    here = job(tmp_path, state_from=str(BEFORE[0]))
    commit(here, "features", BEFORE[1])
    assert days_before(here, BEFORE[2]) == BEFORE[:2]
    with pytest.raises(ChainError, match="neither mapped nor skipped"):
        days_before(here, DAY)


def test_a_day_is_of_the_one_pass_until_features_are_built_of_it_or_of_one_before(tmp_path: Path) -> None:
    here = job(tmp_path)
    assert not of_one_pass(here, DAY)
    commit(here, "features", BEFORE[1], DAY)
    assert [of_one_pass(here, day) for day in (*BEFORE, DAY)] == [True, False, False, False]


def test_the_state_before_is_the_newest_of_an_earlier_day(tmp_path: Path) -> None:
    here = job(tmp_path)
    assert state_before(here, DAY) is None
    settle_start(here, BEFORE[0])
    assert state_before(here, DAY) is None
    commit(here, "state", BEFORE[0], DAY)
    found = state_before(here, DAY)
    assert found is not None
    assert found.ref.day == BEFORE[0]
    assert state_before(here, BEFORE[0]) is None
