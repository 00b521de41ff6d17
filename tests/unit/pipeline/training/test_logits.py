"""A test's logits as they are kept: by pair where there is one task, by pair and task where there are several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.schema import ONLY
from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.training import logits
from tests.unit.pipeline.release.days import FIRST, context

TWO = np.array([[1, 4], [2, 5], [3, 6]], np.float32)


def kept(tmp_path: Path, scores: np.ndarray, **said: list[str]) -> Artifact:
    here = context(tmp_path)
    with here.store.draft(Ref("test", here.job, FIRST, "a")) as draft:
        logits.write(draft.path, scores)
        return draft.commit(key="a", digest="a", inputs=[], extra=said)


def test_the_logits_of_one_task_are_a_list(tmp_path: Path) -> None:
    test = kept(tmp_path, TWO[:, :1])
    assert np.load(test.file(logits.LOGITS)).tolist() == [1, 2, 3]
    assert {task: each.tolist() for task, each in logits.read(test).items()} == {ONLY: [1, 2, 3]}


def test_those_of_several_are_found_by_what_the_test_says(tmp_path: Path) -> None:
    found = logits.read(kept(tmp_path, TWO, tasks=["click", "view"]))
    assert {task: each.tolist() for task, each in found.items()} == {"click": [1, 2, 3], "view": [4, 5, 6]}


def test_damaged_logits_are_named(tmp_path: Path) -> None:
    test = kept(tmp_path, TWO)
    whole = test.file(logits.LOGITS).read_bytes()
    test.file(logits.LOGITS).write_bytes(b"\0" * len(whole))
    with pytest.raises(CorruptArtifact, match=r"logits\.npy: damaged"):
        logits.read(test)
