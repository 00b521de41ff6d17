"""Candidates beside a day's rows: the table is parsed anew only where it, or the base ids, are others."""

from __future__ import annotations

from typing import Any

from pipeline.features.plan.plan import Plan
from pipeline.features.rows.homework_whole_day import HomeworkRows
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY


class Kept:
    """What a process keeps."""

    def __init__(self) -> None:
        self._kept: dict[Any, Any] = {}

    def kept(self, kind: Any, make: Any) -> Any:
        return self._kept.setdefault(kind, make())


class Tables:
    """The lessons' tables, with digests."""

    def __init__(self, **digests: str) -> None:
        self._tables, self._digests = lessons.tables(), {"candidates": "a", "base": "b", **digests}

    def __call__(self, name: str) -> Any:
        return self._tables(name)

    def digest(self, name: str) -> str:
        return self._digests[name]


def rows(**settings: Any) -> HomeworkRows:
    ranking = {**lessons.config().model_dump(by_alias=True)["ranking"], **settings}
    return HomeworkRows(Plan(lessons.config(ranking=ranking)).request)  # type: ignore[arg-type]


def test_the_candidate_table_is_parsed_once_while_it_and_the_base_ids_are_the_same() -> None:
    job, here = Kept(), rows()
    first, same, other, based = (
        here.whole(job, Tables(**digests), DAY, replay=False).listed  # type: ignore[arg-type]
        for digests in ({}, {}, {"candidates": "c"}, {"base": "d"})
    )
    assert first is not None
    assert same is first
    assert other is not first
    assert based is not first
    assert first.packages.key.tolist() == ["12|1", "21|1", "11|1", "11,12|2", "12|3"]  # by rank, then key


def test_where_candidates_are_what_was_seen_no_table_is_read() -> None:
    seen = {"from": "seen"}
    assert rows(candidates=seen).whole(Kept(), Tables(), DAY, replay=False).listed is None  # type: ignore[arg-type]
