from __future__ import annotations

import pytest

from pipeline.config.load import load_job
from pipeline.release.publish import redis_generations
from pipeline.release.publish.redis_generations import Pace


class Clock:
    """Time that passes only where it is slept, and where a step of work takes it."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(redis_generations, "time", made)
    return made


def test_a_pace_is_kept_however_long_a_step_takes(clock: Clock) -> None:
    pace = Pace(50_000)
    began = clock.now
    for step in range(1_000):
        pace.wait(100)
        clock.now += 0.0005 if step % 2 else 0.003  # every second step is late
    assert 100 * 1_000 / (clock.now - began) == pytest.approx(50_000, rel=0.02)


def test_what_was_missed_is_not_made_up_for_in_a_burst(clock: Clock) -> None:
    pace = Pace(1_000)
    pace.wait(10)
    clock.now += 60
    began = clock.now
    for _ in range(100):
        pace.wait(10)
    assert clock.now - began > 0.9


def test_without_a_pace_nothing_waits(clock: Clock) -> None:
    for _ in range(10):
        Pace(None).wait(10**9)
    assert clock.now == 100.0


def test_the_pace_changes_no_release() -> None:
    config = load_job("ads")
    other = config.model_copy(update={"release": config.release.model_copy(update={"push_fields_per_second": None})})
    assert config.release.push_fields_per_second == 60_000
    assert other.stage_settings("release") == config.stage_settings("release")
    assert other.model_dump_json() == config.model_dump_json()
