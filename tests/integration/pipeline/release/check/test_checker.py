"""The clean process against a small SavedModel: what it finds, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from pipeline.config.experiment import Release
from pipeline.errors import DayspringError
from pipeline.release.check.check import judged
from pipeline.release.check.checker import Checker

_EXPORT = """
import sys
import tensorflow as tf

inputs = [tf.TensorSpec([None, None], tf.int64, "ad"), tf.TensorSpec([None], tf.string, "user")]

class Model(tf.Module):
    # Score = weight x number of known ids; 7 and "a" are known.
    def __init__(self, weight):
        self.weight = tf.Variable(weight)

    @tf.function(input_signature=inputs)
    def serve(self, ad, user):
        logit = self.weight * (tf.cast(ad == 7, tf.float32) + tf.cast(user == "a", tf.float32)[:, None])
        return {"logit": logit, "probability": tf.sigmoid(logit)}

    @tf.function(input_signature=inputs)
    def unknown(self, ad, user):
        missing = {"ad": ad != 7, "user": user != "a"}
        return {name: tf.reduce_mean(tf.cast(each, tf.float32)) for name, each in missing.items()}

model = Model(float(sys.argv[2]))
tf.saved_model.save(model, sys.argv[1], {"serving_default": model.serve, "unknown": model.unknown})
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    subprocess.run([sys.executable, "-c", _EXPORT, str(folder / "model"), "2"], check=True, capture_output=True)
    ad = np.array([[7, 8], [8, 8]], np.int64)
    user = np.array(["a", "\x01"])
    np.savez(folder / "inputs.npz", ad=ad, user=user)
    logit = np.array([[4.0, 2.0], [0.0, np.nan]], np.float32)  # the last one is no candidate
    np.savez(folder / "outputs.npz", logit=logit, probability=1 / (1 + np.exp(-logit.astype(np.float64))))
    np.savez(folder / "candidates.npz", ad=np.array([[7, 7, 7, 9]], np.int64), user=np.array(["a"]))
    return folder


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    made = Checker()
    yield made
    made.close()


def job(files: Path, **other: Any) -> dict[str, Any]:
    return {
        "model": str(files / "model"), "inputs": str(files / "inputs.npz"), "outputs": str(files / "outputs.npz"),
        "candidates": str(files / "candidates.npz"), "fields": ["ad"], "count": 4, **other,
    }  # fmt: skip


def test_a_good_model_passes_where_the_project_cannot_be_imported(files: Path, checker: Checker) -> None:
    figures = checker.check(job(files))
    assert figures["importable"] == []
    assert figures["rows"] == 3
    assert figures["probability_difference"] < 1e-6
    assert figures["unknown"] == {"ad": 0.25}
    assert figures["spread"] == pytest.approx(np.std([4, 4, 4, 2]))
    assert judged(figures, Release(champion="a")) == []


def test_scores_unlike_the_trainers_block(files: Path, checker: Checker, tmp_path: Path) -> None:
    logit = np.array([[4.0, 2.0], [1e-3, np.nan]], np.float32)
    np.savez(tmp_path / "o.npz", logit=logit, probability=1 / (1 + np.exp(-logit.astype(np.float64))))
    figures = checker.check(job(files, outputs=str(tmp_path / "o.npz")))
    assert figures["logit_difference"] == pytest.approx(1e-3)
    assert figures["probability_difference"] == pytest.approx(2.5e-4, rel=1e-3)
    reasons = judged(figures, Release(champion="a"))
    assert [reason.split()[1] for reason in reasons] == ["probability", "logit"]


def test_a_model_that_does_not_know_its_candidates_blocks(files: Path, checker: Checker, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", ad=np.array([[1, 2, 3, 4]], np.int64), user=np.array(["a"]))
    figures = checker.check(job(files, candidates=str(tmp_path / "c.npz")))
    reasons = judged(figures, Release(champion="a"))
    assert "100.0% of the ids of 'ad'" in reasons[0]
    assert "vary by 0, outside" in reasons[1]
    assert "vary by 1e+03" in judged({**figures, "unknown": {}, "spread": 1e3}, Release(champion="a"))[0]
    assert judged({**figures, "spread": 1.0}, Release(champion="a", unknown_share_max=1.0)) == []


def test_a_model_that_cannot_be_loaded_blocks_and_the_process_goes_on(
    files: Path, checker: Checker, tmp_path: Path
) -> None:
    figures = checker.check(job(files, model=str(tmp_path)))
    assert "cannot be loaded" in judged(figures, Release(champion="a"))[0]
    assert "error" not in checker.check(job(files))


def test_nothing_to_compare_with_is_no_pass(files: Path, checker: Checker) -> None:
    figures = checker.check(job(files))
    assert judged({**figures, "rows": 0}, Release(champion="a")) == ["it has no golden rows to compare with"]
    assert judged({**figures, "logit_difference": float("nan")}, Release(champion="a")) != []


def test_one_process_serves_many_models_and_another_starts_after_it_died(files: Path, checker: Checker) -> None:
    checker.check(job(files))
    first = checker._process
    checker.check(job(files))
    assert first is not None
    assert checker._process is first
    first.kill()
    first.wait()
    with pytest.raises(DayspringError, match="ended without an answer"):
        checker.check(job(files))
    assert "error" not in checker.check(job(files))


def test_it_dies_with_its_parent(files: Path) -> None:
    code = (
        "import sys, time\nfrom pipeline.release.check.checker import Checker\n"
        "c = Checker()\nc._start()\nprint(c._process.pid, flush=True)\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    for _ in range(500):
        if not _runs(child):
            return
        time.sleep(0.02)
    raise AssertionError("the checking process outlived its parent")


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
