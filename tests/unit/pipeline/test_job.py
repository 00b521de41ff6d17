from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import LockTimeout
from pipeline.features.ids.store import IdMapStore
from pipeline.job import JobContext, default_root
from tests.unit.pipeline.small_job import DAY, config


def test_embedded_defaults_are_under_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYSPRING_TINY_URL", raising=False)
    job = JobContext(config(), tmp_path)
    assert job.source_url == f"parquet:{tmp_path}/sources/ads"
    assert job.source_variable == "DAYSPRING_TINY_URL"
    assert IdMapStore.of(job).folder == tmp_path / "idmaps" / "tiny"


def test_the_environment_names_root_and_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_ROOT", str(tmp_path / "there"))
    monkeypatch.setenv("DAYSPRING_TINY_URL", "parquet:elsewhere")
    assert default_root() == tmp_path / "there"
    assert JobContext(config(), default_root()).source().url == "parquet:elsewhere"
    monkeypatch.delenv("DAYSPRING_ROOT")
    assert default_root() == Path(".dayspring")


def test_a_day_without_a_marker_is_not_skipped(tmp_path: Path) -> None:
    assert JobContext(config(), tmp_path).skipped(DAY) is None


def test_a_lock_is_one_for_all_processes(tmp_path: Path) -> None:
    first, second = (JobContext(config(), tmp_path) for _ in range(2))
    with first.lock("prune"), pytest.raises(LockTimeout, match="prune of job 'tiny'"), second.lock("prune", timeout=0):
        pass


def test_closing_lets_go_and_can_be_followed_by_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_TINY_URL", f"parquet:{tmp_path}")
    job = JobContext(config(), tmp_path)
    called: list[str] = []
    job.on_close(lambda: called.append("closed"))
    before = job.source()
    job.close()
    assert called == ["closed"]
    assert job.source() is not before
