"""A second process is really asked: where a lock or a rename does not hold, it says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import DayspringError
from pipeline.storage import probe
from pipeline.storage.probe import hold_between_processes


def test_a_local_disk_holds_and_is_left_as_it_was(tmp_path: Path) -> None:
    hold_between_processes(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_locks_that_hold_for_nobody_else_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def of_this_process_alone(path: Path, *, timeout: float, what: str) -> Iterator[None]:
        yield

    monkeypatch.setattr(probe, "held", of_this_process_alone)
    with pytest.raises(DayspringError, match=r"a second process gets a lock that the first one holds; mount it with"):
        hold_between_processes(tmp_path)


def test_a_rename_that_is_not_seen_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "write_atomic", lambda path, content, durable: None)
    with pytest.raises(DayspringError, match="does not read what a rename has put in a file's place"):
        hold_between_processes(tmp_path)
