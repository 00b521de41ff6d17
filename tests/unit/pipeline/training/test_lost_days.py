"""Days of which retention has left no rows, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ChainError
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.training.lost_days import guard_kept, kept_since, lost_days
from tests.unit.pipeline.release.days import FIRST, commit, context

DAYS = list(FIRST.through(FIRST.plus(4)))


@pytest.fixture
def here(tmp_path: Path) -> JobContext:
    job = context(tmp_path)
    for day in DAYS:
        for kind in ("extract", "validated", "features"):
            commit(job, kind, day)
    return job


def prune(here: JobContext, kind: str, *places: int) -> None:
    for place in places:
        found = here.store.current(Ref(kind, here.job, DAYS[place]))
        assert found is not None
        here.store.prune(found)


def test_from_when_on_each_kind_is_kept(here: JobContext) -> None:
    assert kept_since(here) == {}
    prune(here, "extract", 0, 2)
    prune(here, "features", 0, 1, 2, 3, 4)
    assert kept_since(here) == {"extract": DAYS[3], "features": DAYS[4].next()}


def test_a_day_is_lost_where_neither_its_arrays_nor_its_tables_are_kept(here: JobContext) -> None:
    prune(here, "features", 0, 1, 2)
    prune(here, "validated", 1, 2, 3)
    assert lost_days(here, DAYS[0]) == DAYS[1:3]
    assert lost_days(here, DAYS[2]) == [DAYS[2]]


def test_who_is_to_be_trained_on_lost_days_is_told_how_to_have_all_of_them_read(here: JobContext) -> None:
    prune(here, "features", 0, 1, 2)
    prune(here, "validated", 1, 2)
    guard_kept(here, "a", [DAYS[0], DAYS[3]])
    command = f"backfill --job tiny --experiment a --from {DAYS[1]} --to {DAYS[2]} --reprocess`"
    with pytest.raises(ChainError, match=f"tiny/a {DAYS[1]}: cannot be trained: .*retention.*{command}"):
        guard_kept(here, "a", [DAYS[0], DAYS[1]])
