"""How old what was read and what is served may be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.monitoring import freshness as module
from pipeline.monitoring.freshness import freshness
from tests.unit.pipeline.small_job import DAY, config

# 2024-03-08 00:30 in Shanghai: yesterday is the 7th.
NOW = datetime(2024, 3, 7, 16, 30, tzinfo=UTC)


def look(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    extracted: Day | None = DAY,
    served: Day | None = DAY,
    **settings: object,
) -> module.Freshness:
    context = JobContext(config(**settings), root)
    monkeypatch.setattr(context.store, "days", lambda kind, job: [extracted] if extracted is not None else [])
    pointer = {"checkpoint_day": str(served)} if served is not None else None
    monkeypatch.setattr(module, "served", lambda context: pointer)
    return freshness(context, NOW)


def test_three_days_are_not_too_old_and_four_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(tmp_path, monkeypatch)
    assert (found.yesterday, found.extracted, found.checkpoint) == (Day.of(2024, 3, 7), DAY, DAY)
    assert (found.expected, found.stale) == (3, ())
    found = look(tmp_path, monkeypatch, served=DAY.previous())
    assert found.stale == ("the served checkpoint is 2024-03-03, 4 days before 2024-03-07 (more than 3)",)
    found = look(tmp_path, monkeypatch, extracted=DAY.previous(), alerts={"age_days": 4})
    assert found.stale == ()


def test_days_that_are_held_may_be_as_much_older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"delay_days": 2, "until_then": "hold"}
    found = look(tmp_path, monkeypatch, extracted=DAY.plus(-2), served=DAY.plus(-3), labels=held)
    assert found.expected == 5
    assert found.stale == ("the served checkpoint is 2024-03-01, 6 days before 2024-03-07 (more than 5)",)
    found = look(tmp_path, monkeypatch, extracted=DAY.plus(-2), labels={"delay_days": 2})
    assert found.stale == ("the newest extracted day is 2024-03-02, 5 days before 2024-03-07 (more than 3)",)


def test_data_that_has_ended_does_not_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_SCHEDULE_END", "2024-02-10")
    assert look(tmp_path, monkeypatch, extracted=Day.of(2024, 2, 7), served=None).stale == ()
    monkeypatch.setenv("DAYSPRING_SCHEDULE_END", "2025-01-01")
    assert look(tmp_path, monkeypatch).yesterday == Day.of(2024, 3, 7)


def test_where_nothing_is_there_nothing_is_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(tmp_path, monkeypatch, extracted=None, served=None)
    assert (found.extracted, found.checkpoint, found.stale) == (None, None, ())
