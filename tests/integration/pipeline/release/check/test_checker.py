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
from pipeline.release.check import checker as checker_module
from pipeline.release.check.check import judged
from pipeline.release.check.checker import Checker
from tests.unit.pipeline.release.check import small_model
from tests.unit.pipeline.release.check.small_model import CHECKPOINTS, save


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    save(folder / "model")
    small_model.job(folder)
    return folder


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    made = Checker()
    yield made
    made.close()


def job(files: Path, **other: Any) -> dict[str, Any]:
    return {**small_model.job(files), **other}


def reasons_of(figures: dict[str, Any], **settings: Any) -> list[str]:
    return judged(figures, Release(champion="a", **settings), CHECKPOINTS[0])


def test_a_good_model_passes_where_the_project_cannot_be_imported(files: Path, checker: Checker) -> None:
    figures = checker.check(job(files))
    assert figures["importable"] == []
    assert figures["rows"] == 3
    assert figures["probability_difference"] < 1e-6
    assert figures["unknown"] == {"ad": 0.25}
    assert figures["spread"] == pytest.approx(np.std([4, 4, 4, 2]))
    assert reasons_of(figures) == []


def test_scores_unlike_the_trainers_block(files: Path, checker: Checker, tmp_path: Path) -> None:
    logit = np.array([[4.0, 2.0], [1e-3, np.nan]], np.float32)
    probability = 1 / (1 + np.exp(-logit.astype(np.float64)))
    np.savez(tmp_path / "o.npz", logit=logit, probability=probability, special=np.zeros(2, bool))
    figures = checker.check(job(files, outputs=str(tmp_path / "o.npz")))
    assert figures["logit_difference"] == pytest.approx(1e-3)
    assert figures["probability_difference"] == pytest.approx(2.5e-4, rel=1e-3)
    reasons = reasons_of(figures)
    assert [reason.split()[1] for reason in reasons] == ["probability", "logit"]


def test_a_model_that_does_not_know_its_candidates_blocks(files: Path, checker: Checker, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", ad=np.array([[1, 2, 3, 4]], np.int64), user=np.array(["a"]))
    figures = checker.check(job(files, candidates=str(tmp_path / "c.npz")))
    reasons = reasons_of(figures)
    assert "100.0% of the ids of 'ad'" in reasons[0]
    assert "vary by 0, outside" in reasons[1]
    assert "vary by 1e+03" in reasons_of({**figures, "unknown": {}, "spread": 1e3})[0]
    assert reasons_of({**figures, "spread": 1.0}, unknown_share_max=1.0) == []


def test_a_model_that_cannot_be_loaded_blocks_and_the_process_goes_on(
    files: Path, checker: Checker, tmp_path: Path
) -> None:
    figures = checker.check(job(files, model=str(tmp_path)))
    assert "cannot be loaded" in reasons_of(figures)[0]
    assert "error" not in checker.check(job(files))


def test_nothing_to_compare_with_is_no_pass(files: Path, checker: Checker) -> None:
    figures = checker.check(job(files))
    assert reasons_of({**figures, "rows": 0}) == ["it has no golden rows to compare with"]
    assert reasons_of({**figures, "logit_difference": float("nan")}) != []


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


def test_after_so_many_models_that_were_loaded_whole_another_process_starts(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker_module, "_MODELS", 2)
    own = Checker()
    try:
        used = []
        for whole in (False, False, False, True, False):
            how = own.check(job(files, whole=whole))["loaded"]
            used.append((how, own._process))
        assert [how for how, _ in used] == ["whole", "variables", "variables", "whole", "whole"]
        assert [process is used[0][1] for _, process in used] == [True] * 4 + [False]
    finally:
        own.close()


def test_it_dies_with_its_parent(files: Path) -> None:
    code = (
        "import sys, time\nfrom pipeline.release.check.checker import Checker\n"
        "c = Checker()\nc.start()\nprint(c._process.pid, flush=True)\ntime.sleep(600)\n"
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
