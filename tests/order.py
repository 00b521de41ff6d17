"""In which order the tests of a run begin, and which of them one process runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

_AIRFLOW = (
    "tests/end_to_end/test_recovery.py", "tests/end_to_end/test_scheduler.py", "tests/end_to_end/test_night.py",
    "tests/end_to_end/test_celery.py", "tests/dags/test_scheduler_wiring.py", "tests/end_to_end/test_page.py",
)  # fmt: skip
"""An Airflow each, which waits as often as it works: one process runs one after the other, beside all the rest."""

_LABELLED = (
    "tests/integration/test_labelled_rows.py", "tests/integration/test_labelled_serving.py",
    "tests/integration/pipeline/cli/test_predict.py",
)  # fmt: skip
"""All look at one job, which is served from where it was trained."""

_BEGUN_FIRST = (
    *_AIRFLOW, "tests/unit/pipeline/training/test_trainer.py", "tests/end_to_end", "tests/faults", "tests/integration",
    "tests/unit/models", "tests/dags",
)  # fmt: skip
"""What takes long, so that no process is left with it at the end; files of the rest take seconds."""


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The items as they are to begin; those of a file stay as they stand there."""

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(_BEGUN_FIRST) if item.nodeid.startswith(name)), len(_BEGUN_FIRST))

    return sorted(items, key=place)


def together(nodeid: str) -> str:
    """What a test's process runs with it: its file, which shares fixtures, or several of which that is so."""
    file = nodeid.partition("::")[0]
    return next((files[0] for files in (_AIRFLOW, _LABELLED) if file in files), file)
