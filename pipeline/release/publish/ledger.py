"""The ledger of a job's releases: everything that was ever served, since when, by whose hand and why."""

from __future__ import annotations

import getpass
import json
import logging
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipeline.days import Day
from pipeline.errors import CorruptArtifact, UsageError
from pipeline.release.publish.release_files import Pointer
from pipeline.storage.files import write_atomic

BY = "DAYSPRING_BY"
"""Who acts, where it is not whoever started the process: a run of a scheduler, say."""
_LOG = logging.getLogger(__name__)
What = Literal["publish", "promote", "rollback", "move", "found"]


@dataclass(frozen=True)
class Entry:
    """A release that began to be served.

    Attributes:
        at: when, UTC.
        what: made it so; ``found``: a process that died before it could say.
        before: the release that was served until then.
        by: who; why: in his words, or the pipeline's.
    """

    at: str
    what: What
    release_id: str
    day: Day
    experiment: str
    version: int
    before: str | None
    by: str
    why: str


class Ledger:
    """``ledger.json`` of a job's release files; who writes holds their lock."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ledger.json"

    def entries(self) -> list[Entry]:
        """All of them, oldest first."""
        if not self._path.is_file():
            return []
        try:
            told = json.loads(self._path.read_bytes())["entries"]
            return [Entry(**{**each, "day": Day.parse(each["day"])}) for each in told]
        except (ValueError, TypeError, KeyError, UsageError) as error:
            raise CorruptArtifact(
                f"{self._path}: damaged ({error}); what is served does not depend on it, and the next release moves it "
                "aside and begins anew"
            ) from None

    def enter(self, pointer: Pointer, what: What, why: str) -> None:
        """Note that ``pointer`` is served from now on; where it is already, only that somebody promoted it."""
        try:
            entries = self.entries()
        except CorruptArtifact as error:
            aside = self._path.with_suffix(f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}.json")
            self._path.rename(aside)
            _LOG.warning("%s; it lies in %s now", error, aside)
            entries = []
        # Of a root that has served since before there was a ledger, the pointer knows.
        before = entries[-1].release_id if entries else pointer.previous
        if before == pointer.release_id and what != "promote":
            return
        entry = Entry(
            datetime.now(UTC).isoformat(timespec="seconds"), what, pointer.release_id, pointer.day, pointer.experiment,
            pointer.version, before, os.environ.get(BY) or _user(), why,
        )  # fmt: skip
        told = [{**asdict(each), "day": str(each.day)} for each in (*entries, entry)]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self._path, json.dumps({"entries": told}, indent=1, ensure_ascii=False).encode())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container, of a number that has no name there
        return f"user {os.getuid()}"
