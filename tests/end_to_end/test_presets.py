"""Presets of histories over one production day: trained, released, and asked through Redis by their SavedModels."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.presets import CONF, DAY, all_of, write_tables
from models.engine.engine import configure
from pipeline.storage.redis import embedded

configure(2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "presets"),
    [("homework", ["bgru_unshared"]), ("ads", ["clicks_dien_published"])],
)
def test_presets_answer_a_request(
    job: str, presets: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader for each day; DIEN as published, with its loss of next steps."""
    for name in ("ROOT", "CONF", "ADS_URL", "HOMEWORK_URL"):
        monkeypatch.setenv(f"DAYSPRING_{name}", "")  # what is set by what is called is as before afterwards
    try:
        failed = all_of(tmp_path, CONF, job, presets, DAY, write_tables(tmp_path, job))
    finally:
        embedded.stop(tmp_path / "root")
    assert not failed, capsys.readouterr().out
