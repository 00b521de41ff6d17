from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.serving.batch.learnt_days import LearntDays

LAST = Day.of(2026, 1, 14)
COLUMNS = {"on": {"type": "day"}, "at": {"type": "time"}, "a": {"type": "int"}}
BOTH = Table.model_validate({"source": "log", "day": "on", "time": "at", "columns": COLUMNS})
UTC = pa.timestamp("ms", tz="UTC")


def test_a_row_is_of_the_day_that_its_cells_say_else_of_its_folders() -> None:
    """The 14th ends in Shanghai at 16:00 UTC."""
    rows = pa.table({
        "on": pa.array([date(2026, 1, 14), date(2026, 1, 15), None, None, None], pa.date32()),
        "at": pa.array([datetime(2026, 1, 20), datetime(2026, 1, 1), datetime(2026, 1, 14, 15, 59),
                        datetime(2026, 1, 14, 16), None], UTC),
    })  # fmt: skip
    learnt = LearntDays(BOTH, LAST, "Asia/Shanghai")
    assert learnt.among(rows, None).tolist() == [True, False, True, False, False]
    assert learnt.among(rows, LAST).tolist() == [True, False, True, False, True]
    assert learnt.among(rows, LAST.next()).tolist() == [True, False, True, False, False]
    assert learnt.rows == 7


@pytest.mark.parametrize(("day", "expected"), [(None, False), (LAST.previous(), True), (LAST.next(), False)])
def test_of_rows_that_do_not_say_their_day_the_folder_or_nobody_does(day: Day | None, expected: bool) -> None:
    plain = Table.model_validate({"source": "log", "columns": {"a": {"type": "int"}}})
    for table in (BOTH, plain):
        assert LearntDays(table, LAST, "UTC").among(pa.table({"a": [1, 2]}), day).tolist() == [expected] * 2
