"""When a day's labels have come."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.config.labels import Labels
from pipeline.days import Day


def test_labels_mature_whole_days_after_the_end_of_their_day_in_the_jobs_zone() -> None:
    # 2024-03-04 ends in Shanghai at 16:00 UTC.
    assert Labels(delay_days=2).mature_at(Day.of(2024, 3, 4), "Asia/Shanghai") == datetime(2024, 3, 6, 16, tzinfo=UTC)


def test_days_of_23_hours_count_as_days() -> None:
    # In Berlin the clocks are set forward on 2024-03-31: the 30th ends at 23:00 UTC, the 31st at 22:00.
    labels = Labels(delay_days=1)
    assert labels.mature_at(Day.of(2024, 3, 29), "Europe/Berlin") == datetime(2024, 3, 30, 23, tzinfo=UTC)
    assert labels.mature_at(Day.of(2024, 3, 30), "Europe/Berlin") == datetime(2024, 3, 31, 22, tzinfo=UTC)


def test_no_delay_is_no_section() -> None:
    with pytest.raises(ValueError, match="delay_days"):
        Labels(delay_days=0)


def test_only_days_that_wait_for_their_labels_are_held() -> None:
    assert Labels(delay_days=3, until_then="hold").held_days == 3
    assert Labels(delay_days=3).held_days == 0
