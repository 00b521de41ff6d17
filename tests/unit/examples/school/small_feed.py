"""A small feed of ads to look at."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from examples.school.audience import Audience, make_audience
from examples.school.impressions import Feed
from examples.school.options import Options
from pipeline.days import Day

FIRST = Day.of(2024, 2, 28)


def options(*effects: str, impressions: int = 5000) -> Options:
    return Options(FIRST, days=2, users=300, ads=80, impressions=impressions, effects=frozenset(effects))


def rows_of(feed: Feed, day: Day) -> pa.Table:
    return pa.concat_tables([rows for rows, _ in feed.impressions(day)])


def numbers(rows: pa.Table, name: str) -> np.ndarray:
    return rows[name].to_numpy().astype(np.int64)


def audience_of(*effects: str) -> Audience:
    return make_audience(options(*effects))
