"""How old labels were when they were read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.days import Day
from pipeline.training.label_age import days_between


@pytest.mark.parametrize(
    ("hour", "age"),
    [("2024-03-01 15:59", 1), ("2024-03-01 16:10", 1), ("2024-03-02 16:10", 2), ("2024-02-29 20:00", 1)],
)
def test_days_are_those_of_the_jobs_zone_and_at_least_one(hour: str, age: int) -> None:
    """03-01 ends at 16:00 UTC in Shanghai: what is read then is read on 03-02, one day after."""
    read = datetime.fromisoformat(hour).replace(tzinfo=UTC)
    assert days_between(Day.of(2024, 3, 1), read, "Asia/Shanghai") == age
