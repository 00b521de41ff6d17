"""What could have stood in a step instead: which, how likely each, and that nothing else decides."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.config.negatives import Negatives
from pipeline.features.arrays.negatives import NONE, OwnPlaces, Shown, chances, drawn, drawn_of_own, one_each
from tests.unit.pipeline.features.lessons import DAY

# Owner 5 took the places 1 and 3, owner 7 the place 0, owner 9 all of them.
OWNERS = np.array([5, 7, 9])
TAKEN = OwnPlaces.of(OWNERS, np.array([5, 7, 9, 5, 9, 9, 5, 9]), np.array([3, 0, 0, 1, 1, 2, 3, 3]))
POINTS = np.array([[0.0, 0.26, 0.5, 0.76, 0.999]])


def test_own_places_come_once_each_by_owner() -> None:
    assert (TAKEN.offsets.tolist(), TAKEN.places.tolist()) == ([0, 2, 3, 7], [1, 3, 0, 0, 1, 2, 3])
    others = OwnPlaces.of(OWNERS, np.array([5, 5, 8, 7, 5]), np.array([0, 3, 2, 0, 4]), but=TAKEN)
    assert (others.offsets.tolist(), others.places.tolist()) == ([0, 2, 2, 2], [0, 4])
    nobody = OwnPlaces.of(np.zeros(0, np.int64), OWNERS, OWNERS)
    assert (nobody.offsets.tolist(), nobody.places.tolist()) == ([0], [])


@pytest.mark.parametrize(
    ("weights", "owner", "found"),
    [
        # Left of four places are 0 and 2, a half each; 1, 2, 3, a third each; nothing.
        ([1, 1, 1, 1], 5, [0, 0, 2, 2, 2]),
        ([1, 1, 1, 1], 7, [1, 1, 2, 3, 3]),
        ([1, 1, 1, 1], 9, [NONE] * 5),
        # 1 of 4 and 3 of 4; 2, 3 and 1 of 6; what weighs nothing is never drawn.
        ([1, 2, 3, 1], 5, [0, 2, 2, 2, 2]),
        ([1, 2, 3, 1], 7, [1, 1, 2, 2, 3]),
        ([0, 2, 3, 1], 5, [2, 2, 2, 2, 2]),
        ([0, 2, 0, 1], 5, [NONE] * 5),
    ],
)
def test_places_are_drawn_by_weight_and_none_that_was_taken(
    weights: list[int], owner: int, found: list[int]
) -> None:
    steps = np.array([owner, 7])
    places = drawn(np.array(weights), steps, TAKEN, np.repeat(POINTS, 2, axis=0))
    assert places[0].tolist() == found
    assert (places[1] != 0).all()


def test_of_what_is_his_own_each_is_as_likely() -> None:
    shown = OwnPlaces.of(OWNERS, np.array([5, 5, 7, 5, 5]), np.array([2, 6, 4, 8, 9]))
    places = drawn_of_own(np.array([7, 5, 9]), shown, np.repeat(POINTS, 3, axis=0))
    assert places.tolist() == [[4] * 5, [2, 6, 8, 9, 9], [NONE] * 5]
    nothing = OwnPlaces.of(OWNERS, OWNERS[:0], OWNERS[:0])
    assert (drawn_of_own(OWNERS, nothing, np.repeat(POINTS, 3, axis=0)) == NONE).all()


def test_shown_and_not_taken_or_of_the_day_where_there_is_none() -> None:
    """Owner 5 took 0 and was shown 1; 7 took 1 and was shown nothing else; the place 2 is no id."""
    owner, place = np.array([5, 5, 7, 8, 5]), np.array([0, 1, 1, 3, 2])
    day = Shown(owner, place, np.array([0, 2]), np.array([True, True, False, True]))
    chance = np.array([[0.0, 0.3, 0.6, 0.9]] * 2)
    places, counts = day.drawn(Negatives.model_validate({"count": 4, "from": "shown"}), chance)
    assert places.tolist() == [[1] * 4, [0, 0, 3, 3]]
    assert counts == {"steps_without_shown_negatives": 1, "steps_without_negatives": 0}
    places, counts = day.drawn(Negatives(count=4), chance)
    assert places.tolist() == [[1, 1, 3, 3], [0, 0, 3, 3]]
    # By popularity: 0 and 1 were taken once each, the others never.
    places, counts = day.drawn(Negatives.model_validate({"count": 4, "from": "popularity"}), chance)
    assert (places.tolist(), counts) == ([[1] * 4, [0] * 4], {"steps_without_negatives": 0})


def test_chances_are_of_job_day_owner_and_the_number_of_the_step_alone() -> None:
    owner = np.array([40, 7, 40, -3])
    found = chances("ads", DAY, owner, 3)
    assert found.shape == (4, 3)
    assert ((found >= 0) & (found < 1)).all()
    assert len(np.unique(found)) == 12
    np.testing.assert_array_equal(chances("ads", DAY, owner[[3, 0, 2]], 3), found[[3, 0, 2]])
    np.testing.assert_array_equal(chances("ads", DAY, owner, 2), found[:, :2])
    np.testing.assert_array_equal(chances("ads", DAY, owner[:1], 1), found[:1, :1])
    assert (chances("ads", DAY.next(), owner, 3) != found).all()
    assert (chances("shows", DAY, owner, 3) != found).all()
    assert abs(chances("ads", DAY, np.arange(10_000), 4).mean() - 0.5) < 0.005


def test_a_list_a_step_holds_what_was_drawn_for_it() -> None:
    lists = one_each(np.array([[4, 5], [6, 6], [7, 4]]))
    assert (lists.offsets.tolist(), lists.values.tolist()) == ([0, 2, 4, 6], [4, 5, 6, 6, 7, 4])
