"""Going back to a release of which something is gone: refused, and nothing is held for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.days import Day
from pipeline.errors import DayspringError
from pipeline.release.publish.publisher import Payload, Publisher, Release
from pipeline.release.publish.release_files import Hold, Pointer, Published, ReleaseFiles


class Store:
    """Redis and the models at once, in memory."""

    where = "memory"

    def __init__(self, served: Pointer, gone: str) -> None:
        self.served, self.gone, self._mark = served, gone, "ours"

    def place(self, root: Path) -> str:
        return self.where

    def mark(self) -> str:
        return self._mark

    def set_mark(self, mark: str) -> None:
        self._mark = mark

    def current(self) -> Pointer:
        return self.served

    def pointer(self) -> bytes:
        return self.served.to_json()

    def switch(self, pointer: Pointer) -> None:
        self.served = pointer

    def fault(self, pointer: Pointer) -> str | None:
        return "is not there" if pointer.release_id == self.gone else None

    def complete(self, *_: object) -> bool:
        return True

    def nothing(self, *_: object) -> None: ...

    keep = expire_all_but = prune = set_pointer = nothing


def pointer(number: int) -> Pointer:
    before = f"r{number - 1}" if number > 1 else None
    return Pointer(f"r{number}", "ads", Day.of(2024, 3, number), "din", f"c{number}", number, {}, before, "digest")


@pytest.fixture
def made(tmp_path: Path) -> tuple[Publisher, ReleaseFiles]:
    files = ReleaseFiles.of(tmp_path, "ads")
    for number in (1, 2, 3):
        files.set_published(Published(pointer(number), f"artifact-{number}", {}, {}))
    files.set_served(pointer(3))
    store: Any = Store(pointer(3), gone="r1")

    def payload(artifact: str) -> Payload:
        number = int(artifact[-1])
        release = Release(f"r{number}", artifact, Day.of(2024, 3, number), "din", f"c{number}", f"e{number}")
        return Payload(release, None, list)

    return Publisher("ads", files, store, store, payload, grace_seconds=1, keep_models=1), files


def test_a_release_whose_model_is_gone_is_refused_and_nothing_is_held(made: tuple[Publisher, ReleaseFiles]) -> None:
    publisher, files = made
    with pytest.raises(DayspringError, match="artifact-1: the exported model was pruned; `python -m pipeline promote"):
        publisher.rollback("bad week", "r1")
    assert (files.hold(), files.rolled_back()) == (None, set())
    assert publisher.publish("artifact-3").status == "published", "the next night goes on"
    assert publisher.rollback("bad week", "r2").release_id == "r2"


def test_what_would_be_done_is_to_end_a_rollback_that_was_interrupted(made: tuple[Publisher, ReleaseFiles]) -> None:
    publisher, files = made
    files.set_hold(Hold(left="r3", restored="r2", reason="bad week"))
    publisher.generations.switch(pointer(2))
    assert publisher.would_restore()[0].release_id == publisher.rollback("bad week").release_id == "r2"
