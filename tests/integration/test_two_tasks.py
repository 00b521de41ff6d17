"""A job with two tasks and a trainer that counts, through the line: sources to Redis, the page's figures and back."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.features.arrays import files as day_arrays
from pipeline.training import logits
from pipeline.training.records import CheckpointRecord
from tests import tiny
from tests.tiny import FIRST, LAST, SECOND, Place, copy_of

pytestmark = pytest.mark.slow
TASKS = ("click", "watched")


def two_tasks(folder: Path) -> Place:
    """The tiny job of ads; every second click is watched, and by mistake an impression that is not clicked."""
    tiny.generate(folder)
    place = Place(folder)
    for day in (FIRST, SECOND, LAST):
        rows = place.shows(day)
        click = np.asarray(rows["is_click"].to_pylist(), int)
        watched = np.where(click == 1, np.cumsum(click) % 2, 0)
        watched[np.flatnonzero(click == 0)[1]] = 1
        place.show(day, rows.append_column("watched", pa.array(watched)))
    found = tiny.settings("ads")
    found["tables"]["impressions"]["columns"]["watched"] = {
        "type": "int", "required": True, "allowed": [0, 1], "change": "outcome"
    }  # fmt: skip
    found["tasks"] = {"click": {"label": "is_click"}, "watched": {"label": "watched", "given": "click", "weight": 0.5}}
    for experiment in found["experiments"].values():
        experiment.pop("loss")
    found["experiments"]["din"]["tasks"] = ["watched"]
    found["experiments"]["popularity"] = {"model": "popularity"}
    found["release"]["champion"] = "pooled"
    found.pop("measures", None)
    place.configure("ads", found)
    return place


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Three days by one process; not to be changed."""
    place = two_tasks(tmp_path_factory.mktemp("tasks"))
    place.good("backfill", "--job", "ads", "--from", FIRST, "--to", LAST)
    return place


def test_rows_that_cannot_be_are_left_out_and_counted(trained: Place) -> None:
    features = trained.artifact("features", SECOND)
    assert features.manifest.rows["watched_without_click"] == 1
    arrays = day_arrays.read(features)
    assert arrays.requests == trained.artifact("validated", SECOND).manifest.rows["impressions"] - 1
    click, watched = (arrays.label_of(task) for task in TASKS)
    assert set(watched[click == 0]) == {-1}
    assert set(watched[click == 1]) == {0, 1}


def test_both_tasks_are_in_the_csv_and_each_experiment_has_its_own(trained: Place) -> None:
    lines = trained.good("measures", "--job", "ads").out.splitlines()
    rows = {(row["day"], row["experiment"]): row for row in csv.DictReader(lines)}
    both, watched, counted = (rows[str(LAST), name] for name in ("pooled", "din", "popularity"))
    assert all(both[f"{task}/auc"] and counted[f"{task}/auc"] for task in TASKS)
    assert (watched["click/auc"], bool(watched["watched/auc"])) == ("", True)
    report = next((trained.root / "reports" / "ads").rglob(f"{LAST}*")).read_text(encoding="utf-8")
    assert "watched/auc" in report
    assert "pooled: watched" in report, "calibration of each task"
    assert "watched/log_loss" in trained.good("status", "--job", "ads").out
    compared = trained.good("compare", "--job", "ads", "--measure", "watched/auc", "--experiments", "din", "pooled").out
    assert "pooled" in compared


def test_the_sum_of_the_losses_is_told_apart(trained: Place) -> None:
    said = CheckpointRecord.of(trained.artifact("checkpoint", LAST, "pooled"))
    assert said.losses is not None
    assert set(said.losses) == set(TASKS)
    assert said.loss == pytest.approx(said.losses["click"] + 0.5 * said.losses["watched"], rel=1e-5)
    first = CheckpointRecord.of(trained.artifact("checkpoint", FIRST, "pooled"))
    assert isinstance(first.base_rate, dict)
    assert first.base_rate["watched"] == pytest.approx(0.5, abs=0.05)
    alone = CheckpointRecord.of(trained.artifact("checkpoint", FIRST, "din"))
    assert (alone.losses, alone.base_rate) == (None, pytest.approx(first.base_rate["watched"]))


def test_every_answer_of_the_exported_models_was_checked(trained: Place) -> None:
    for name, tasks in (("pooled", TASKS), ("din", TASKS[1:]), ("popularity", TASKS)):
        assert trained.artifact("check", LAST, name).manifest.extra["verdict"] == "ok"
        outputs = np.load(trained.artifact("export", LAST, name).file("golden_outputs.npz"))
        assert all(f"{task}/logit" in outputs for task in tasks if len(tasks) > 1)
        assert set(logits.read(trained.artifact("test", LAST, name))) == set(tasks)


def test_a_reader_ranks_by_the_first_task(trained: Place) -> None:
    user = trained.shows(LAST)["row_key"].to_pylist()[0].split("_")[0]
    assert trained.good("recommend", "--job", "ads", "--user", user, "--top", 3).out.count("\n") >= 3


def test_a_process_a_day_ends_bit_equal(trained: Place, tmp_path: Path) -> None:
    other = copy_of(trained, tmp_path / "other")
    for day in (FIRST, SECOND, tiny.OUTAGE, LAST):
        ran = other.process("backfill", "--job", "ads", "--from", day, "--to", day, "--publish", "none")
        assert ran.code == 0, ran.err[-2000:]
    compared = other.run("compare-chains", other.root, trained.root, "--job", "ads").out
    assert compared.startswith("equal: 9 trained days of 3 experiments"), compared
