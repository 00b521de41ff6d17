"""Curves hold every point where it belongs, and nothing that a name could smuggle in."""

import re

from pipeline.days import Day
from pipeline.report import curves

DAYS = [Day.of(2024, 3, day) for day in (1, 2, 3)]


def test_a_line_per_experiment_with_a_point_per_day() -> None:
    svg = curves.lines({"din": [(DAYS[0], 0.5), (DAYS[2], 0.7)], "pooled": [(DAYS[1], 0.6)]})
    assert svg.count("<polyline") == 2
    assert svg.count("<circle") == 3
    assert "din 2024-03-03: 0.7" in svg
    first = re.search(r"points='([\d.]+),([\d.]+) ([\d.]+),([\d.]+)'", svg)
    assert first is not None
    left, low, right, high = map(float, first.groups())
    assert left == curves.LEFT
    assert right == curves.WIDTH - 12
    assert low > high  # the better value is drawn higher


def test_skipped_days_are_marked_and_days_outside_are_not() -> None:
    svg = curves.lines({"din": [(DAYS[0], 0.5), (DAYS[2], 0.7)]}, skipped=[DAYS[1], Day.of(2025, 1, 1)])
    assert svg.count("class='gap'") == 1
    assert "2024-03-02: skipped" in svg


def test_one_single_value_does_not_divide_by_zero() -> None:
    assert "<circle" in curves.lines({"din": [(DAYS[0], 0.0)]})
    assert "too few" in curves.trace([1.0], "loss")
    assert "<polyline" in curves.trace([1.0, 1.0], "loss")


def test_nothing_tested_says_so() -> None:
    assert "nothing tested yet" in curves.lines({})
    assert "none" in curves.bars({})


def test_names_are_escaped() -> None:
    assert "<script>" not in curves.lines({"<script>": [(DAYS[0], 1.0)]})
    assert "<script>" not in curves.bars({"<script>": 3})


def test_bars_are_to_scale() -> None:
    assert re.findall(r"width:([\d.]+)%", curves.bars({"a": 4, "b": 1})) == ["100.0", "25.0"]
