"""A blend with fitted weights over days of a job: strict by day, and made again to the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.training import checkpoint_file, train
from pipeline.training.records import CheckpointRecord
from tests.integration.days import run_days
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.lessons import DAY

NAMES = ("counted", "recent", "both")
COUNTED = {"model": "popularity", "loss": "binary"}
CONFIG = shows.config(
    experiments={
        "counted": COUNTED, "recent": {**COUNTED, "options": {"half_life": 1}},
        "both": {"model": "blend", "options": {"of": ["counted", "recent"], "weights": "fitted"}},
    },
    release={"champion": "both"},
)  # fmt: skip
"""Two that count clicks, one of them with the newest days alone, so that no net has to be trained."""


def source(folder: Path, *, clicked: int | None = None) -> None:
    """Days until the one after ``DAY``; of ``DAY`` itself, all rows were clicked or none, where that is given."""
    shows.write_undated(folder)
    for day in DAY.plus(-3).through(DAY.plus(1)):
        rows = shows.LOG
        if day == DAY and clicked is not None:
            place = rows.schema.get_field_index("click")
            rows = rows.set_column(place, "click", [[clicked] * len(rows)])
        shows.write_day(folder, day, rows)


def of(job: JobContext, kind: str, day: Day) -> Artifact:
    found = job.store.current(Ref(kind, job.job, day, "both"))
    assert found is not None
    return found


def test_the_rows_of_a_day_move_no_weight_that_it_is_tested_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = []
    for number, clicked in enumerate((0, 1)):
        source(tmp_path / str(number), clicked=clicked)
        jobs.append(shows.context(tmp_path / str(number), monkeypatch, CONFIG))
        run_days(jobs[-1], DAY.plus(-3), DAY.plus(1), NAMES)
    for day in (DAY.plus(-3), DAY.plus(-2), DAY.previous()):
        assert len({of(job, "checkpoint", day).manifest.digest for job in jobs}) == 1
    assert len({of(job, "test", DAY).manifest.tensors["logits"] for job in jobs}) == 1
    days = []
    for day in DAY.plus(-3).through(DAY):
        said = CheckpointRecord.of(of(jobs[0], "checkpoint", day)).fitted
        assert said is not None
        days.append(said.days)
    assert days == [0, 1, 2, 3]
    weights = [checkpoint_file.read(of(job, "checkpoint", DAY))["weights.label"].tolist() for job in jobs]
    assert weights[0] != weights[1], "what the day after is tested with has learnt of them"
    assert len({of(job, "test", DAY.next()).manifest.tensors["logits"] for job in jobs}) == 2


def test_a_pruned_day_is_fitted_again_to_the_same_bits_and_a_chain_goes_on_in_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source(tmp_path)
    job = shows.context(tmp_path, monkeypatch, CONFIG)
    run_days(job, DAY.plus(-3), DAY.previous(), NAMES)
    later = JobContext(job.config, job.root)  # nothing in memory
    run_days(later, DAY, DAY, NAMES)
    whole = {day: of(later, "checkpoint", day) for day in DAY.plus(-3).through(DAY)}
    for day in (DAY.plus(-2), DAY.previous()):
        later.store.prune(whole[day])
    again = JobContext(job.config, job.root)
    for day in (DAY.plus(-2), DAY.previous()):
        made = train.restore(again, day, "both")
        assert made.manifest.tensors == whole[day].manifest.tensors
        assert made.manifest.digest == whole[day].manifest.digest
    assert train.train(again, DAY, "both", again.needed("features", DAY), of(again, "checkpoint", DAY.previous())) == (
        whole[DAY], False
    )  # fmt: skip
    again.close()
