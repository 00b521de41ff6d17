"""Curves hold every point where it belongs, and nothing that a name could smuggle in."""

import re

from pipeline.days import Day
from pipeline.monitoring.report import curves

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
    drawn = curves.lines({"din": [(DAYS[0], 0.0)]})
    assert "<circle" in drawn
    assert drawn.count(f">{DAYS[0]}</text>") == 1, "one end of the axis, not two on top of one another"
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


def test_calibration_has_a_point_a_bin_and_its_interval() -> None:
    svg = curves.calibration([[0.1, 0.12, 400], [0.3, 0.2, 400]])
    assert svg.count("<circle") == 2
    assert "400 rows: predicted 0.3, positive 0.2" in svg
    heights = [float(low) - float(high) for low, high in re.findall(r"y1='([\d.]+)' y2='([\d.]+)' stroke", svg)]
    assert len(heights) == 2
    assert all(height > 0 for height in heights)
    assert "nothing was tested" in curves.calibration([])


def test_an_interval_of_a_share_holds_it_and_narrows() -> None:
    wide, narrow = curves._wilson(0.2, 10), curves._wilson(0.2, 1000)
    assert 0 <= wide[0] < narrow[0] < 0.2 < narrow[1] < wide[1] <= 1
    assert curves._wilson(0.0, 5)[0] == 0.0


def test_marks_of_an_axis_are_round_and_inside() -> None:
    ticks = curves._ticks(0.4311, 0.6602)
    assert [f"{tick:.3f}" for tick in ticks] == ["0.450", "0.500", "0.550", "0.600", "0.650"]
    assert curves._ticks(2.0, 2.0) == [2.0]
