"""In which order the tests of a run begin, and which of them one process runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

AIRFLOW = (
    "tests/end_to_end/test_recovery.py", "tests/end_to_end/test_scheduler.py", "tests/end_to_end/test_night.py",
    "tests/dags/test_scheduler_wiring.py", "tests/end_to_end/test_page.py",
)  # fmt: skip
"""An Airflow each, which waits as often as it works: one process runs one after the other, beside all the rest."""

_BEGUN_FIRST = (
    *AIRFLOW, "tests/unit/pipeline/training/test_trainer.py", "tests/end_to_end", "tests/faults", "tests/integration",
    "tests/unit/models", "tests/dags",
)  # fmt: skip
"""What takes long, so that no process is left with it at the end; files of the rest take seconds."""


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The items as they are to begin; those of a file stay as they stand there."""

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(_BEGUN_FIRST) if item.nodeid.startswith(name)), len(_BEGUN_FIRST))

    return sorted(items, key=place)


def together(nodeid: str) -> str:
    """What a test's process runs with it: its file, which shares fixtures; all that have an Airflow."""
    file = nodeid.partition("::")[0]
    return "airflow" if file in AIRFLOW else file
