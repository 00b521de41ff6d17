from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.layers.history import every_value, fill_gaps, fill_sources, reach, stand_in


def filled(days: str, *, forward: int = 0, backward: int = 0) -> str:
    present = tf.constant([[day == "1" for day in days]])
    _, after = fill_sources(present, forward, backward)
    return "".join("1" if day else "0" for day in after.numpy()[0])


@pytest.mark.parametrize(
    ("days", "forward", "backward", "expected"),
    [
        ("0001", 0, 2, "0111"),
        ("1000", 2, 0, "1110"),
        ("0000", 4, 4, "0000"),
        ("0010", 4, 0, "0011"),
        ("0010", 0, 4, "1110"),
        ("10001", 1, 1, "11011"),
        ("100001", 9, 0, "111111"),
        ("01000", 0, 0, "01000"),
    ],
)
def test_fill_is_bounded_in_both_directions(days: str, forward: int, backward: int, expected: str) -> None:
    assert filled(days, forward=forward, backward=backward) == expected


def test_a_day_between_two_known_ones_takes_the_earlier() -> None:
    source, _ = fill_sources(tf.constant([[True, False, False, True]]), 1, 2)
    assert source.numpy().tolist() == [[0, 0, 3, 3]]


def test_forward_fill_draws_on_the_lead_and_the_window_is_cut_after() -> None:
    vectors = tf.constant([[[5.0], [0.0], [0.0], [7.0], [0.0]]])
    present = tf.constant([[True, False, False, True, False]])
    out, mask = fill_gaps(vectors, present, forward=2, backward=0, window=3)
    assert out.numpy()[0, :, 0].tolist() == [5.0, 7.0, 7.0]
    assert mask.numpy().tolist() == [[True, True, True]]
    out, mask = fill_gaps(vectors, present, forward=1, backward=0, window=3)
    assert out.numpy()[0, :, 0].tolist() == [0.0, 7.0, 7.0]
    assert mask.numpy().tolist() == [[False, True, True]]


def test_without_a_fill_the_window_is_as_it_was() -> None:
    vectors = tf.constant([[[5.0], [0.0], [7.0]]])
    out, mask = fill_gaps(vectors, tf.constant([[True, False, True]]), forward=0, backward=0, window=2)
    assert out.numpy()[0, :, 0].tolist() == [0.0, 7.0]
    assert mask.numpy().tolist() == [[False, True]]


def test_all_reaches_over_the_whole_history() -> None:
    assert reach("all", 21) == 21
    assert reach(3, 21) == 3


def test_stand_in_only_where_every_day_is_empty() -> None:
    own = tf.constant([[[1.0], [0.0]], [[0.0], [0.0]]])
    other = tf.constant([[[8.0], [9.0]], [[8.0], [9.0]]])
    vectors, mask = stand_in(
        own, tf.constant([[True, False], [False, False]]), other, tf.constant([[True, True], [False, True]])
    )
    assert vectors.numpy()[..., 0].tolist() == [[1.0, 0.0], [8.0, 9.0]]
    assert mask.numpy().tolist() == [[True, False], [False, True]]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(0, 9), st.integers(0, 9))
def test_fill_equals_a_loop(present: list[bool], forward: int, backward: int) -> None:
    expected_source, expected_filled = [], []
    for day in range(len(present)):
        before = next((d for d in range(day, max(-1, day - forward - 1), -1) if present[d]), None)
        after = next((d for d in range(day, min(len(present), day + backward + 1)) if present[d]), None)
        chosen = before if before is not None else after
        expected_filled.append(chosen is not None)
        expected_source.append(day if chosen is None else chosen)
    source, filled_days = fill_sources(tf.constant([present]), forward, backward)
    assert source.numpy()[0].tolist() == expected_source
    assert filled_days.numpy()[0].tolist() == expected_filled
    assert np.all(np.asarray(present) <= filled_days.numpy()[0])


def test_every_value_of_every_day_is_a_step_and_gaps_are_filled_with_all_of_a_day() -> None:
    # Days: 1 and 2; none; 3; the first is before the window of two days.
    vectors = tf.constant([[[[1.0], [2.0]], [[9.0], [9.0]], [[3.0], [9.0]]]])
    present = tf.constant([[[True, True], [False, False], [True, False]]])
    steps, mask = every_value(vectors, present, forward=0, backward=0, window=2)
    assert steps.numpy()[0, :, 0].tolist() == [0.0, 0.0, 3.0, 0.0]
    assert mask.numpy().tolist() == [[False, False, True, False]]
    steps, mask = every_value(vectors, present, forward=1, backward=0, window=2)
    assert steps.numpy()[0, :, 0].tolist() == [1.0, 2.0, 3.0, 0.0]
    assert mask.numpy().tolist() == [[True, True, True, False]]
    steps, mask = every_value(vectors, present, forward=0, backward=1, window=3)
    assert steps.numpy()[0, :, 0].tolist() == [1.0, 2.0, 3.0, 0.0, 3.0, 0.0]
