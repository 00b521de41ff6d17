"""Trees over days of a job: in one process or in several, pruned and made again, released by a blend too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.release.check.check import check_day
from pipeline.stages.experiment import run as run_experiment
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.training.chain import Chain
from tests.integration.days import run_days
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.lessons import DAY

SMALL = {"trees": 4, "leaves": 3, "rows": 1, "rate": 0.5}
TREES: dict[str, Any] = {
    "anew": {"model": "gbdt", "loss": "binary", "options": {**SMALL, "days": 3}},
    "continued": {"model": "gbdt", "loss": "binary", "options": {**SMALL, "fit": "continued", "added": 2}},
    "regressed": {"model": "gbdt_lr", "loss": "binary", "batch": 2, "options": {**SMALL, "days": 2, "every": 2}},
}
NAMES = (*TREES, "counted", "both")
FIRST, LAST = DAY.plus(-4), DAY


def config() -> Any:
    return shows.config(
        features=shows.with_values().model_dump(mode="json")["features"], values=shows.VALUES,
        experiments={
            **TREES, "counted": {"model": "popularity", "loss": "binary"},
            "both": {"model": "blend", "options": {"of": ["anew", "counted"]}},
        },
        release={"champion": "both", "score_spread_min": 0},
    )  # fmt: skip


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    shows.write_undated(tmp_path)
    for number, day in enumerate(FIRST.through(LAST)):
        rows = shows.LOG.slice(0, 3 + number % 3)
        shows.write_day(tmp_path, day, rows.append_column("answered", [[float(n + number) for n in range(len(rows))]]))
    return shows.context(tmp_path, monkeypatch, config())


def of(job: JobContext, kind: str, day: Day, name: str) -> Artifact:
    found = job.store.current(Ref(kind, job.job, day, name))
    assert found is not None
    return found


def digests(job: JobContext) -> dict[str, str]:
    return {f"{name} {day}": of(job, "checkpoint", day, name).manifest.digest
            for name in NAMES for day in FIRST.through(LAST)}  # fmt: skip


def test_trees_are_the_same_in_one_process_and_in_several_and_after_they_were_pruned(
    job: JobContext, tmp_path: Path
) -> None:
    run_days(job, FIRST, LAST, NAMES)
    whole = digests(job)
    assert len({digest for key, digest in whole.items() if key.startswith("anew")}) == 5
    others = JobContext(job.config, tmp_path / "other")
    for day in FIRST.through(LAST):
        run_days(JobContext(job.config, others.root), day, day, NAMES)
    assert digests(others) == whole
    again = JobContext(job.config, job.root)
    for day in FIRST.through(LAST.previous()):
        again.store.prune(again.needed("features", day))
        for name in TREES:
            again.store.prune(of(again, "checkpoint", day, name))
    again.store.withdraw(Ref("checkpoint", again.job, LAST, "anew"))
    again.store.withdraw(Ref("checkpoint", again.job, LAST, "regressed"))
    for name in TREES:
        run_experiment(again, LAST, name)
    again.close()
    assert digests(again) == whole
    assert not any(Chain.of(again, name).tainted() for name in NAMES)


def test_what_is_exported_of_trees_answers_in_a_clean_process(job: JobContext) -> None:
    run_days(job, FIRST, FIRST.plus(2), NAMES)
    checked = {each.ref.experiment: each.manifest.extra["verdict"] for each in check_day(job, FIRST.plus(2))}
    assert checked == dict.fromkeys(NAMES, "ok")
