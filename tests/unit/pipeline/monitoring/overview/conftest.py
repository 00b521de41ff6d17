"""A job of thirty days and two experiments, as manifests alone."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from benchmarks.school_year import write_year
from pipeline.days import Day

FIRST = Day.of(2024, 1, 1)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed but for the index that a look at it leaves (``overview/``)."""
    root = tmp_path_factory.mktemp("written")
    write_year(root, first=FIRST, days=45, experiments=2)
    # What was written a moment ago is looked at twice; this is of an hour ago.
    then = time.time() - 3600
    for path in root.rglob("*"):
        os.utime(path, (then, then))
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    """A copy to break, as nobody has looked at it yet."""
    return Path(shutil.copytree(written, tmp_path / "root", ignore=shutil.ignore_patterns("overview")))
