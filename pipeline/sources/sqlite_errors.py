"""Why a database file that is there cannot be opened or read, and what to do."""

from __future__ import annotations

import os
import pwd
import sqlite3
import stat
from pathlib import Path

_MAGIC = b"SQLite format 3\0"
_OTHERS = {
    b"\x1f\x8b": "it is gzip: unpack it", b"PK\x03\x04": "it is a zip: unpack it",
    b"** This file": "it is SQLite 2: write it anew by SQLite 3", b"PAR1": "it is Parquet: write parquet:FOLDER",
}  # fmt: skip
_WAL = b"\x02"


def unopened(file: Path) -> str | None:
    """What is wrong with a file before it is opened as a database; ``None`` where nothing is seen."""
    try:
        kind = file.stat().st_mode
        if stat.S_ISDIR(kind):
            return "it is a folder; write sqlite:///FILE with the file of the database"
        if not stat.S_ISREG(kind):
            return "it is no file; write sqlite:///FILE with the file of the database"
        with file.open("rb") as opened:
            head = opened.read(100)
    except FileNotFoundError:
        return f"it is a link to {file.readlink()}, which is not there" if file.is_symlink() else None
    except NotADirectoryError:
        return "a part of the path is a file, not a folder"
    except PermissionError:
        return f"{_user()} may not read it; {_closed(file)}"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    if not head:
        return "it is empty; fill it"
    if not head.startswith(_MAGIC) or len(head) < 100:
        other = next((text for magic, text in _OTHERS.items() if head.startswith(magic)), None)
        return other or (
            "it is no database of SQLite, or an encrypted one (such as SQLCipher's), which is not supported: give a "
            "decrypted copy"
        )
    return None


def advice(file: Path, error: BaseException) -> str | None:
    """What SQLite's error means; ``None`` for what only its own words tell."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another process holds it locked; let its writer end (or see which one: `fuser FILE`), then run again"
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return "the file is damaged; bring a copy back, or save what there is: `sqlite3 FILE .recover | sqlite3 NEW`"
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY_")):
        with file.open("rb") as opened:
            journal = opened.read(20)[18:19]
        if journal == _WAL:
            return (
                f"its journal is a WAL, and {_user()} may not write beside it in {file.resolve().parent}, which "
                "reading one needs; let the user write there, or set `PRAGMA journal_mode = DELETE` on the database"
            )
        return (
            f"its last writer left a journal beside it, which {_user()} may not roll back; open it once as its owner: "
            "`sqlite3 FILE 'PRAGMA quick_check'`"
        )
    if name.startswith("SQLITE_IOERR"):
        return "the disk or the network folder that it is on fails; look into the system's log"
    return None


def is_passing(error: BaseException) -> bool:
    """Whether reading again may help."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "").startswith(
        ("SQLITE_BUSY", "SQLITE_LOCKED")
    )


def _user() -> str:
    try:
        return f"the user {pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:  # a container's user may have no name
        return f"the user {os.geteuid()}"


def _closed(file: Path) -> str:
    """Which part of the path is closed to this user."""
    for folder in reversed(file.absolute().parents):
        if not os.access(folder, os.X_OK, effective_ids=True):
            return f"it may not enter {folder}: chmod +x"
    return f"chmod +r {file}"
