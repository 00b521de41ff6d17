"""Which alerts have been sent, by which way: one JSON line each, kept for good."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.monitoring.alerts.causes import Alert
from pipeline.monitoring.alerts.channels import ALL
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.locks import held

LOCK_SECONDS = 60.0
_log = logging.getLogger("dayspring.alerts")


class SentAlerts:
    """The record of a job, ``alerts/<job>.jsonl`` under the root."""

    def __init__(self, root: Path, job: str) -> None:
        self._path = root / "alerts" / f"{job}.jsonl"
        self._lock = ArtifactStore(root).lock_path(job, "alerts")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One sender at a time, so that two never send the same; ``LockTimeout`` names the other."""
        with held(self._lock, timeout=LOCK_SECONDS, what=f"the record {self._path}"):
            yield

    def read(self) -> list[dict[str, Any]]:
        """Every record, oldest first. A line that a crash cut short is left out: its alert is sent again."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        found = []
        for number, line in enumerate(text.splitlines(), 1):
            try:
                record = json.loads(line)
                whom = {"to": [str(each) for each in record["to"]]} if "to" in record else {}
                found.append({**record, "key": str(record["key"]), "way": str(record["way"]), **whom})
            except (ValueError, TypeError, KeyError):
                _log.warning("%s: line %d is damaged and was passed over", self._path, number)
        return found

    def received(self) -> dict[tuple[str, str], set[str]]:
        """Keys of the alerts sent, by way and receiver; the receiver is empty where the record tells none apart."""
        found: dict[tuple[str, str], set[str]] = {}
        for record in self.read():
            for each in record.get("to", ALL):
                found.setdefault((record["way"], each), set()).add(record["key"])
        return found

    def add(self, alerts: Sequence[Alert], way: str, to: Sequence[str]) -> None:
        """Record that ``to`` got ``alerts`` by ``way``; only under ``locked``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        whom = {} if tuple(to) == ALL else {"to": list(to)}
        lines = [json.dumps({"key": each.key, "way": way, "at": at, **whom, **each.as_dict()}) for each in alerts]
        with self._path.open("a+b") as file:
            # After a line that was cut short, a new one.
            whole = file.tell() == 0 or self._path.read_bytes().endswith(b"\n")
            file.write((("" if whole else "\n") + "\n".join(lines) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
