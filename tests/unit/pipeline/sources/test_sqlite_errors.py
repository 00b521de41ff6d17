"""A database file that is there and cannot be opened says why, in one message."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pipeline.errors import SourceError, SourceInterrupted
from pipeline.sources import sqlite
from pipeline.sources.sqlite import SqliteSource

_NOBODY = 65534


def _make(path: Path, journal: str = "delete") -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE log (day TEXT, text TEXT)")
        connection.executemany("INSERT INTO log VALUES ('2024-03-04', ?)", [("x" * 100,)] * 500)
        connection.commit()


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that other users may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def _as_another_user() -> Iterator[None]:
    """Root may read everything, so it becomes somebody else."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def _said(path: Path, kind: type[SourceError] = SourceError) -> str:
    with pytest.raises(kind) as raised:
        SqliteSource(f"sqlite:///{path}", "DAYSPRING_TINY_URL").count("homework_candidates", None)
    said = str(raised.value)
    assert "\n" not in said
    assert str(path) in said
    return said


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (Path.mkdir, "cannot be opened: it is a folder"),
        (Path.touch, "cannot be opened: it is empty; fill it"),
        (lambda path: path.write_bytes(b"x"), "it is no database of SQLite, or an encrypted one"),
        (lambda path: path.write_bytes(os.urandom(8192).replace(b"S", b"T")), "or an encrypted one"),
        (lambda path: path.write_bytes(b"\x1f\x8b\x08\x00" * 100), "it is gzip: unpack it"),
        (lambda path: path.symlink_to("/nowhere/a.db"), "it is a link to /nowhere/a.db, which is not there"),
        (os.mkfifo, "it is no file"),
    ],
)
def test_what_is_no_database(tmp_path: Path, make: Callable[[Path], object], told: str) -> None:
    make(tmp_path / "a.db")
    said = _said(tmp_path / "a.db")
    assert told in said
    assert "DAYSPRING_TINY_URL" in said


def test_a_path_through_a_file(tmp_path: Path) -> None:
    _make(tmp_path / "a.db")
    assert "a part of the path is a file" in _said(tmp_path / "a.db" / "b.db")


def test_a_file_and_a_folder_that_the_user_may_not_read(folder: Path) -> None:
    _make(folder / "a.db")
    (folder / "a.db").chmod(0)
    with _as_another_user():
        assert f"may not read it; chmod +r {folder / 'a.db'}" in _said(folder / "a.db")
    (folder / "a.db").chmod(0o644)
    folder.chmod(0o600)
    with _as_another_user():
        assert f"may not read it; it may not enter {folder}: chmod +x" in _said(folder / "a.db")
    folder.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="whoever owns the folder may write there again")
def test_a_wal_in_a_folder_that_the_user_may_not_write_to(folder: Path) -> None:
    _make(folder / "a.db", "wal")
    with _as_another_user():
        assert "its journal is a WAL, and the user " in _said(folder / "a.db")


def test_a_damaged_one(tmp_path: Path) -> None:
    _make(tmp_path / "a.db")
    data = (tmp_path / "a.db").read_bytes()
    (tmp_path / "a.db").write_bytes(data[:100] + b"\x55" * 3996 + data[4096:])
    assert "the file is damaged; bring a copy back" in _said(tmp_path / "a.db")


def test_a_locked_one_may_be_free_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.1)
    _make(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "another process holds it locked" in _said(tmp_path / "a.db", SourceInterrupted)
