"""What lies in a root and is no artefact is none of ours: neither drawn, nor counted, nor damaged, nor swept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.school_year import JOB, write_year
from pipeline.days import Day
from pipeline.monitoring.audit.artifacts import audit_artifacts
from pipeline.monitoring.audit.findings import Audit
from pipeline.monitoring.overview.picture import Overview
from pipeline.storage.artifacts.store import ArtifactStore

NOT_OURS = (
    "sources/{job}/midas_online_context/day=2024-01-02/part-0000.parquet",  # what `make demo` puts beside artefacts
    "sources/{job}/day=2024-01-02/part-0000.parquet",
    "backup/{job}/day=2024-01-02/gen=0001/notes.txt",
    "extract/{job}/kept by hand/day=2024-01-02/rows.csv",
    "checkpoint/{job}/day=2024-01-02/rows.csv",
    "bucket/{job}/models/2024010201/saved_model.pb",
    ".trash/{job}/day=2024-01-02/x",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_year(tmp_path / "root", first=Day.of(2024, 1, 1), days=3, experiments=1)
    return tmp_path / "root"


def drawn(root: Path) -> dict[str, Any]:
    return Overview(root).picture(JOB)


def audited(root: Path) -> Audit:
    found = Audit()
    audit_artifacts(ArtifactStore(root), JOB, found, payloads=False)
    return found


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_is_no_artefact_is_neither_damaged_nor_to_be_deleted(root: Path, name: str) -> None:
    """Raw tables under the root were called damaged artefacts, with the advice to delete them."""
    before, size, found = drawn(root), ArtifactStore(root).sizes(JOB), audited(root)
    path = root / name.format(job=JOB)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"rows" * 1000)
    if not name.startswith("checkpoint"):
        assert drawn(root) == before
    assert drawn(root)["damaged"] == []
    assert audited(root) == found
    if not name.startswith(("extract", "checkpoint")):
        assert ArtifactStore(root).sizes(JOB) == size


def test_a_day_that_dayspring_did_not_write_is_told_without_a_word_of_deleting_it(root: Path) -> None:
    path = root / "extract" / JOB / "day=2023-12-31" / "my rows.csv"
    path.parent.mkdir()
    path.write_text("rows")
    (found,) = drawn(root)["damaged"]
    assert found["path"] == f"extract/{JOB}/day=2023-12-31"
    assert "delete" not in found["problem"]


def test_staging_below_folders_that_are_not_ours_is_not_swept(root: Path) -> None:
    name = ".staging.day=2024-01-02.1.1.00000000.another-host"
    for kind in ("sources", "extract"):
        folder = root / kind / JOB / name
        folder.mkdir(parents=True)
        os.utime(folder, (0, 0))
    assert ArtifactStore(root).sweep() == [str(root / "extract" / JOB / name)]
