"""Days as steps, by hand: a day of lead and a window of three, two parts, holes in both."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from models.layers.day_layouts import DayLayout, laid_out, together
from models.layers.pooling import read_out

CHAPTERS = [[10.0, 0.0], [0.0, 0.0], [0.0, 0.0], [20.0, 22.0]]
SECTIONS = [[1.0, 3.0], [0.0, 0.0], [4.0, 0.0], [0.0, 0.0]]
AGES = [[4.0, 3.0, 2.0, 1.0]]
"""Of the window's days the first has nothing, the second a section, the third two chapters; the lead has both."""


def laid(layout: DayLayout, *parts: list[list[float]], forward: int = 0, aged: bool = False) -> Any:
    vectors = [tf.constant([part])[..., None] for part in parts]
    masks = [tf.constant([part]) != 0 for part in parts]
    steps, mask, ages = laid_out(
        layout, vectors, masks, tf.constant(AGES) if aged else None,
        pooling="mean", forward=forward, backward=0, window=3,
    )  # fmt: skip
    told = [each[0].numpy().tolist() for each in (steps, mask)]
    return (*told, ages[0].numpy().tolist()) if ages is not None else told


def test_paired_days_have_their_parts_side_by_side() -> None:
    assert laid("paired", CHAPTERS, SECTIONS) == [[[0, 0], [0, 4], [21, 0]], [False, True, True]]


def test_stacked_steps_are_the_parts_of_one_day_after_those_of_another() -> None:
    steps, mask = laid("stacked", CHAPTERS, SECTIONS)
    assert steps == [[0], [0], [0], [4], [21], [0]]
    assert mask == [False, False, False, True, True, False]
    # The day of the lead is carried on as a whole, so that both of its parts are there.
    steps, mask = laid("stacked", CHAPTERS, SECTIONS, forward=1)
    assert steps == [[10], [2], [0], [4], [21], [0]]
    assert mask == [True, True, False, True, True, False]


def test_packed_days_are_moved_together_oldest_first() -> None:
    assert laid("packed", CHAPTERS, SECTIONS) == [[[0, 4], [21, 0], [0, 0]], [True, True, False]]
    assert laid("packed", SECTIONS) == [[[4], [0], [0]], [True, False, False]]
    assert laid("packed", CHAPTERS, SECTIONS, forward=1)[0] == [[10, 2], [0, 4], [21, 0]]


def test_flat_steps_are_the_ids() -> None:
    steps, mask = laid("flat", CHAPTERS)
    assert steps == [[0], [0], [0], [0], [20], [22]]
    assert mask == [False] * 4 + [True] * 2


@pytest.mark.parametrize(
    ("layout", "parts", "forward", "expected"),
    [
        ("paired", (CHAPTERS, SECTIONS), 0, [0, 2, 1]),
        ("paired", (CHAPTERS, SECTIONS), 1, [4, 2, 1]),  # as old as the day that it was taken from
        ("packed", (CHAPTERS, SECTIONS), 0, [2, 1, 0]),
        ("stacked", (CHAPTERS, SECTIONS), 0, [0, 0, 0, 2, 1, 0]),
        ("flat", (CHAPTERS,), 1, [4, 0, 0, 0, 1, 1]),
    ],
)
def test_the_age_of_a_day_goes_where_the_day_goes(
    layout: DayLayout, parts: tuple[Any, ...], forward: int, expected: list[float]
) -> None:
    steps, mask, ages = laid(layout, *parts, forward=forward, aged=True)
    assert [steps, mask] == laid(layout, *parts, forward=forward)
    assert ages == expected


@pytest.mark.parametrize(
    ("layout", "parts", "told"),
    [
        ("paired", (CHAPTERS, SECTIONS), {"sum": [21, 4], "mean": [10.5, 2], "last": [21, 0]}),
        ("packed", (CHAPTERS, SECTIONS), {"sum": [21, 4], "mean": [10.5, 2], "last": [21, 0]}),
        ("stacked", (CHAPTERS, SECTIONS), {"sum": [25], "mean": [12.5], "last": [21]}),
        ("flat", (CHAPTERS,), {"sum": [42], "mean": [21], "last": [22]}),
    ],
)
def test_what_is_read_out_of_each_layout_leaves_holes_out(
    layout: DayLayout, parts: tuple[Any, ...], told: dict[str, list[float]]
) -> None:
    steps, mask = (tf.constant([each]) for each in laid(layout, *parts))
    assert {how: read_out(steps, mask, how)[0].numpy().tolist() for how in told} == told
    nothing = [[0.0, 0.0]] * 4
    steps, mask = (tf.constant([each]) for each in laid(layout, *[nothing] * len(parts)))
    assert all(not read_out(steps, mask, how).numpy().any() for how in told)


def test_what_is_moved_together_takes_its_gradient_along() -> None:
    steps = tf.Variable([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]])
    mask = tf.constant([[False, True, True], [True, False, True]])
    with tf.GradientTape() as tape:
        moved, real = together(steps, mask)
        told = tf.reduce_sum(moved * tf.constant([[[1.0], [10.0], [0.0]]]))
    assert moved[..., 0].numpy().tolist() == [[2, 3, 1], [4, 6, 5]]
    assert real.numpy().tolist() == [[True, True, False]] * 2
    assert tf.convert_to_tensor(tape.gradient(told, steps))[..., 0].numpy().tolist() == [[0, 1, 10], [1, 0, 10]]
