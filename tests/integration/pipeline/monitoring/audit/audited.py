"""An audit of the job `ads`, and a bit of a file flipped."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tiny import Place, Ran


def flip(path: Path) -> None:
    """One bit of a file, in its middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()  # it may be linked with another day's
    path.write_bytes(data)


def audited(place: Place, *more: str) -> Ran:
    return place.run("audit", "--job", "ads", *more)


def findings(place: Place) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(audited(place, "--json").out)["findings"]
    return found
