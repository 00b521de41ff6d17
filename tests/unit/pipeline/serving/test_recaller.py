"""What is recalled where vectors were updated after the release, and where they are gone again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.export import nearest
from pipeline.errors import UsageError
from pipeline.release.publish.upserts import Upserted
from pipeline.serving import recaller
from pipeline.serving.recaller import Recaller


class Tower:
    """One that makes the same vector of every user."""

    def __init__(self, _: Path) -> None:
        self.inputs = frozenset({"user"})

    def answer(self, _: Any) -> dict[str, Any]:
        return {"vector/user": SimpleNamespace(numpy=lambda: np.float32([[1, 0]]))}


class Updates:
    def __init__(self) -> None:
        self.now = Upserted(None, [], np.array([], np.float32))

    def newest(self, _: str) -> str | None:
        return self.now.newest

    def read(self, _: str) -> Upserted:
        return self.now


def opened(folder: Path, keys: list[int], vectors: list[list[float]], monkeypatch: Any) -> tuple[Recaller, Updates]:
    monkeypatch.setattr(recaller, "LoadedModel", Tower)
    nearest.write_items(folder / nearest.BESIDE / nearest.FOLDER, np.array(keys, np.int64), np.float32(vectors))
    updates: Any = Updates()
    return Recaller(folder, "r1", updates), updates


def test_what_was_updated_counts_as_it_is_now_and_no_more_once_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, updates = opened(tmp_path, [7, 8, 9], [[3, 0], [2, 0], [1, 0]], monkeypatch)
    assert made.recall({}, 2)[0] == [7, 8]
    updates.now = Upserted("10:00", [7, 70], np.float32([[0.5, 0], [9, 0]]))
    keys, scores = made.recall({}, 4)
    assert (keys, scores.tolist()) == ([70, 8, 9, 7], [9.0, 2.0, 1.0, 0.5])
    updates.now = Upserted("11:00", [], np.array([], np.float32), gone=[7, 70])
    keys, scores = made.recall({}, 4)
    assert (keys, scores.tolist()) == ([8, 9], [2.0, 1.0])
    updates.now = Upserted(None, [], np.array([], np.float32))  # as a hash reads that has come to its end
    assert made.recall({}, 2)[0] == [7, 8]


def test_a_release_without_an_item_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="release r1 has no item to recall"):
        opened(tmp_path, [], [], monkeypatch)
