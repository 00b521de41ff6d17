from __future__ import annotations

import numpy as np

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.ids import fingerprints
from pipeline.features.state.events import HistoryRows
from pipeline.features.state.last_year import last_year_days, last_year_windows, own_first


def rows(*content: tuple[int, int, list[int]]) -> HistoryRows:
    """Rows of (owner, group, chapters)."""
    owners, groups, chapters = zip(*content, strict=True)
    return HistoryRows(
        (np.array(owners),), {"chapters": Lists.of(list(chapters), np.int64)}, np.array(groups), np.array(owners) + 1000
    )


RANKS = {"chapters": lambda codes: -codes}  # the raw keys run against the codes
P, MISSING = fingerprints.PADDING, fingerprints.MISSING


def test_the_days_of_a_window_one_year_earlier() -> None:
    days = last_year_days(Day.of(2024, 3, 1), 3, years=2)
    assert [[str(day) for day in slot] for slot in days] == [
        ["2023-02-27", "2022-02-27"], ["2023-02-28", "2022-02-28"], ["2023-02-28", "2022-02-28"],
    ]  # fmt: skip


def test_the_most_frequent_ids_of_a_group_with_ties_by_raw_key() -> None:
    day = rows((1, 50, [7, 5]), (2, 50, [5, 6]), (3, 50, [9]), (4, 60, [8]))
    found = last_year_windows([[day], []], np.array([60, 50, 70]), RANKS, values=3)["chapters"]
    # 5 twice; 9, 7 and 6 once: the raw key of 9 is the smallest.
    assert found.tolist() == [[[8, P, P], [P, P, P]], [[5, 9, 7], [P, P, P]], [[P, P, P], [P, P, P]]]


def test_a_class_counts_once_a_day_and_years_add_up() -> None:
    this = rows((1, 50, [7, 7]), (1, 50, [7]), (2, 50, [5]))
    before = rows((3, 50, [5, MISSING, P]))
    found = last_year_windows([[this, before]], np.array([50]), RANKS, values=4)["chapters"]
    assert found.tolist() == [[[5, 7, P, P]]]


def test_the_classs_own_history_goes_first() -> None:
    day = rows((1, 50, [7]), (2, 50, [5]), (3, 50, [5]))
    group = last_year_windows([[day]], np.array([50]), RANKS, values=2)
    own = last_year_windows([[day]], np.array([1001, 1009]), RANKS, values=2, by="own")
    both = {part: windows[[0, 0]] for part, windows in group.items()}
    assert own_first(own, both)["chapters"].tolist() == [[[7, P]], [[5, 7]]]


def test_nothing_wanted_and_nothing_there() -> None:
    assert last_year_windows([[]], np.zeros(0, np.int64), RANKS, values=2)["chapters"].shape == (0, 1, 2)
    assert last_year_windows([[]], np.array([5]), RANKS, values=2)["chapters"].tolist() == [[[P, P]]]
