"""A day's rows as a filter of HBase."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.sources.hbase.day_filter import day_filter


def test_the_filter_of_days() -> None:
    first, last = Day.of(2024, 2, 28), Day.of(2024, 3, 1)
    assert day_filter([b"c:log_day"], [first]) == (
        "(SingleColumnValueFilter('c','log_day',=,'binary:2024/02/28',true,true))"
    )
    assert day_filter([b"c:d", b"it's:d"], [last, first]) == (
        "(SingleColumnValueFilter('c','d',>=,'binary:2024/02/28',true,true)"
        " AND SingleColumnValueFilter('c','d',<=,'binary:2024/03/01',true,true))"
        " OR (SingleColumnValueFilter('it''s','d',>=,'binary:2024/02/28',true,true)"
        " AND SingleColumnValueFilter('it''s','d',<=,'binary:2024/03/01',true,true))"
    )
