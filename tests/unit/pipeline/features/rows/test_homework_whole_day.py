"""Candidates beside a day's rows: the table is parsed anew only where it, or the base ids, are others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PrunedPayload
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.homework_whole_day import HomeworkRows
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.said import said


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


PAST = DAY.year_before()


def replaying(tmp_path: Path, **maps: Any) -> tuple[JobContext, HomeworkRows]:
    """A job whose last year's tables are pruned, and whose day was mapped before where ``maps`` says with what."""
    config = lessons.config(replay={"match": ["row.grade"]})
    config = config.model_copy(
        update={"experiments": {"pooled": config.experiments["pooled"].model_copy(update={"replay": "new"})}}
    )
    job = JobContext(config, tmp_path)
    with job.store.draft(Ref("validated", job.job, PAST)) as draft:
        (draft.path / f"{config.ranking.rows}.parquet").write_text("rows")  # type: ignore[union-attr]
        past = draft.commit(key="", digest="past", inputs=[])
    job.store.prune(past)
    if maps:
        with job.store.draft(Ref("maps", job.job, DAY)) as draft:
            draft.commit(key="", digest="maps", inputs=[], extra=said("maps", **maps))
    return job, HomeworkRows(Plan(config).request)  # type: ignore[arg-type]


def test_a_past_day_whose_tables_were_pruned_is_not_replayed(tmp_path: Path) -> None:
    job, here = replaying(tmp_path)
    whole = here.whole(job, Tables(), DAY, replay=True)  # type: ignore[arg-type]
    assert (whole.replayed, whole.missing) == ((), {str(PAST): "pruned"})


def test_a_day_that_was_made_with_a_past_one_does_not_come_out_without_it(tmp_path: Path) -> None:
    job, here = replaying(tmp_path, replayed={str(PAST): 3})
    with pytest.raises(PrunedPayload, match=f"validated/{job.job}/day={PAST}"):
        here.whole(job, Tables(), DAY, replay=True)  # type: ignore[arg-type]
