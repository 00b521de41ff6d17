"""What parts of a day come to in the tests of engines: by name, so that any process finds it."""

from __future__ import annotations

import os

from pipeline.errors import PrunedPayload


def squared(part: int) -> tuple[int, int]:
    return part * part, os.getpid()


def failing(part: int) -> int:
    if part > 0:
        raise PrunedPayload(f"part {part} is gone", artifact=f"rows/{part}")
    return part


def wrong(part: int) -> int:
    return 1 // part
