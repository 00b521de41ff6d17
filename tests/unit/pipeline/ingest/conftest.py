"""A job with a log of five rows and two ads, to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.job import JobContext
from tests.unit.pipeline.small_job import context, log_rows, write_ads, write_log


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    write_log(tmp_path, log_rows(5))
    write_ads(tmp_path)
    return context(tmp_path, monkeypatch)
