"""A serving process keeps the two versions that were asked for last."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.serving import loaded_model
from pipeline.serving.loaded_model import ModelCache


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders from which models were loaded."""
    found: list[str] = []

    class Loading:
        def __init__(self, folder: Path) -> None:
            found.append(folder.name)
            self.folder = folder

    monkeypatch.setattr(loaded_model, "LoadedModel", Loading)
    return found


def pointer(version: int, model: str = "digest") -> Any:
    return SimpleNamespace(version=version, model=model)


def folder(of: Any) -> Path:
    return Path(f"{of.version}{of.model}")


def test_the_one_not_asked_for_the_longest_goes(loads: list[str]) -> None:
    cache = ModelCache()
    for version in (1, 2, 1, 3, 1, 2):
        assert cache.get(pointer(version), folder).folder == folder(pointer(version))  # type: ignore[attr-defined]
    # 2 went when 3 came, as 1 had been asked for since.
    assert loads == ["1digest", "2digest", "3digest", "2digest"]


def test_another_model_under_the_same_number_is_another(loads: list[str]) -> None:
    cache = ModelCache()
    cache.get(pointer(1, "a"), folder)
    cache.get(pointer(1, "b"), folder)
    cache.get(pointer(1, "a"), folder)
    assert loads == ["1a", "1b"]
