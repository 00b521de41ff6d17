"""Two processes that train together: to what one comes, the same bits each time, and what becomes of a day where one
dies. With one they differ by the order in which float32 numbers are added up."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.training import trainer_processes
from pipeline.training.clusters import started_here
from pipeline.training.trainer_processes import TrainerProcesses
from tests.tiny import FIRST, SECOND, Place, copy_of

DAYS = ("--job", "ads", "--from", FIRST, "--to", SECOND, "--publish", "none")


def with_trainers(place: Place) -> Place:
    """`one` and `two` differ in nothing but how many train; rows are left out at random."""
    ads = place.settings("ads")
    alone = {**ads["experiments"]["pooled"], "seed": 1, "options": {"units": [8], "dropout": 0.2}}
    ads["experiments"] = {"one": alone, "two": {**alone, "workers": 2}}
    ads["release"]["champion"] = "one"
    place.configure("ads", ads)
    return place


@pytest.fixture(scope="module")
def together(school: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two days by both, undisturbed."""
    place = with_trainers(copy_of(school, tmp_path_factory.mktemp("trainers") / "place"))
    ran = place.good("backfill", *DAYS)
    assert ran.err.count("two: waiting for 2 trainers on this machine") == 1, "they go on from day to day"
    return place


def test_two_come_to_the_losses_of_one(together: Place) -> None:
    for day in (FIRST, SECOND):
        one, two = (together.artifact("checkpoint", day, name) for name in ("one", "two"))
        alone, both = (np.load(each.file("losses.npy")) for each in (one, two))
        assert len(alone) > 1
        np.testing.assert_allclose(both, alone, atol=1e-4)
        said = {key: (one.manifest.extra[key], two.manifest.extra[key]) for key in ("sizes", "architecture", "batches")}
        assert all(mine == theirs for mine, theirs in said.values()), said
        tensors, others = (np.load(each.file("tensors.npz")) for each in (one, two))
        for name in tensors.files:
            np.testing.assert_allclose(others[name], tensors[name], atol=1e-4, err_msg=name)


def test_a_trainer_that_dies_fails_the_day_and_the_next_try_ends_with_the_bits_of_an_undisturbed_one(
    together: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one is killed on the second day; then each is started on its own, as on two hosts."""
    place, ask, killed = together.at(tmp_path / "root"), TrainerProcesses._ask, []

    def asking(self: TrainerProcesses, asked: Mapping[str, Any]) -> dict[str, Any]:
        if str(SECOND) not in str(asked.get("train")):
            return ask(self, asked)
        trainer_processes._said(self._processes[0], asked)
        killed.extend(self._processes)
        os.kill(killed[1].pid, signal.SIGKILL)
        return self._answer()

    with monkeypatch.context() as patched:
        patched.setattr(TrainerProcesses, "_ask", asking)
        ran = place.run("backfill", *DAYS, "--experiment", "two")
    assert ran.code == 1
    assert f"trainer 2 of 2 (process {killed[1].pid}) was killed by signal 9; nothing of this day was kept" in ran.err
    assert killed[0].poll() is not None, "the other one does not go on"
    assert place.store.days("checkpoint", "ads", "two") == [FIRST]
    assert not list(place.root.rglob(".staging*"))

    first, second = started_here(None, 2, "")
    other = place.start("trainer", "--job", "ads", "--experiment", "two", TF_CONFIG=second.written)
    place.environment["TF_CONFIG"] = first.written
    ran = place.good("backfill", *DAYS, "--experiment", "two")
    assert "two: waiting for 2 trainers of TF_CONFIG, the first of them here" in ran.err
    told = other.communicate(timeout=60)
    assert other.returncode == 0, told
    for day in (FIRST, SECOND):
        again, undisturbed = (each.artifact("checkpoint", day, "two").manifest for each in (place, together))
        assert again.tensors == undisturbed.tensors
