"""A job of thirty days and two experiments, as manifests alone."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
import yaml

from benchmarks.school_year import JOB, write_year
from tests.unit.pipeline.monitoring.overview.drawn import FIRST, settings


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


@pytest.fixture(autouse=True)
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of the job to change."""
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / f"{JOB}.yaml").write_text(yaml.safe_dump(settings(), sort_keys=False), encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_CONF", str(folder))
    return folder
