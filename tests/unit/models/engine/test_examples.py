from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.examples import Settings, batch_bounds, examples_of, hidden_ids, positive_shares
from models.schema import DayArrays
from tests.unit.models.school import with_labels


def test_without_negatives_every_judged_pair_is_an_example() -> None:
    day = with_labels([[1], [0], [-1], [0, 1]])
    examples = examples_of(day, Settings(4, order="stored"))
    assert examples.request.tolist() == [0, 1, 3, 3]
    assert examples.pairs.tolist() == [[0], [1], [3], [4]]


def test_judged_negatives_come_before_unjudged_ones() -> None:
    day = with_labels([[-1, 0, 1, -1, 0], [1, -1]])
    examples = examples_of(day, Settings(4, 3, order="stored"))
    first, second = examples.pairs
    assert first[0] == 2
    assert {1, 4} < set(first.tolist())
    assert set(first.tolist()) - {1, 2, 4} <= {0, 3}
    assert second.tolist() == [5, 6, -1, -1]


def test_another_positive_is_never_a_negative_and_all_positive_requests_are_counted() -> None:
    day = with_labels([[1, 1, 0], [1, 1], [1]])
    examples = examples_of(day, Settings(4, 5, order="stored"))
    assert examples.pairs.tolist() == [[0, 2, -1, -1, -1, -1], [1, 2, -1, -1, -1, -1]]
    assert examples.left_out == 3


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=9), min_size=1, max_size=8),
    st.integers(1, 6),
    st.integers(0, 5),
)
def test_sampled_negatives_keep_the_rules(labels: list[list[int]], negatives: int, seed: int) -> None:
    day = with_labels(labels)
    examples = examples_of(day, Settings(4, negatives, seed=seed))
    flat = day.label[:, 0]
    request_of = np.repeat(np.arange(day.requests), np.diff(day.offsets))
    assert len(examples) + examples.left_out == int((flat == 1).sum())
    for request, pairs in zip(examples.request, examples.pairs, strict=True):
        chosen = pairs[pairs >= 0]
        assert flat[chosen[0]] == 1
        assert np.all(request_of[chosen] == request)
        assert len(set(chosen.tolist())) == len(chosen)
        others = chosen[1:]
        assert np.all(flat[others] < 1)
        available = flat[(request_of == request) & (flat < 1)]
        assert len(others) == min(negatives, len(available))
        assert (flat[others] == 0).sum() == min(negatives, (available == 0).sum())


def test_negatives_are_drawn_evenly() -> None:
    day = with_labels([[1, *[-1] * 8]] * 2000)
    examples = examples_of(day, Settings(4, 2, order="stored"))
    places = (examples.pairs[:, 1:] - day.offsets[examples.request][:, None]).ravel()
    counts = np.bincount(places, minlength=9)[1:]
    assert counts.sum() == 4000
    assert np.all(np.abs(counts - 500) < 120)


def test_the_same_seed_gives_the_same_examples_and_another_others(day: DayArrays) -> None:
    one, two, other = (examples_of(day, Settings(8, 3, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.pairs, two.pairs)
    assert not np.array_equal(one.pairs, other.pairs)


def test_hidden_ids_are_new_ones_and_about_their_share() -> None:
    hidden = hidden_ids({"a": 100, "b": 5}, {"a": 1100, "b": 5}, 0.2, seed=3)
    assert hidden["a"].min() >= 100
    assert hidden["a"].max() < 1100
    assert 150 < len(hidden["a"]) < 250
    assert len(hidden["b"]) == 0
    assert len(hidden_ids({"a": 100}, {"a": 1100}, 0.0, seed=3)["a"]) == 0
    assert len(hidden_ids({"a": 100}, {"a": 1100}, 1.0, seed=3)["a"]) == 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size 0"),
        ({"batch_size": 1, "negatives": 0}, "negatives 0"),
        ({"batch_size": 1, "unknown_share": 1.5}, "unknown_share 1.5"),
        ({"batch_size": 1, "order": "random"}, "'random'.*shuffled, stored"),
    ],
)
def test_wrong_settings_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings(**arguments)  # type: ignore[arg-type]


def test_the_share_of_positives_is_that_of_the_pairs_that_are_trained() -> None:
    """Six impressions of which two are clicked, the requests weighing 1, 1, 1, 1, 2 and 2: (3 + 1) / (8 + 2)."""
    few = replace(
        with_labels([[0], [1], [0], [0], [1], [0]]), weight=np.array([1, 1, 1, 1, 2, 2], np.float32)
    )  # fmt: skip
    assert positive_shares([(few, Settings(4))]) == pytest.approx([0.4])
    assert positive_shares([(few, Settings(4)), (few, Settings(4))]) == pytest.approx([7 / 18])
    assert positive_shares([(replace(few, label=np.zeros((6, 1), np.int8)), Settings(4))]) == pytest.approx([1 / 10])
    assert positive_shares([]) == [0.5]


def test_the_share_of_positives_counts_sampled_negatives() -> None:
    """Two requests of five candidates, one positive each: against two sampled ones (2 + 1) / (6 + 2)."""
    few = with_labels([[1, -1, 0, -1, 0], [0, 0, 1, -1, -1]])
    assert positive_shares([(few, Settings(4, 2))]) == pytest.approx([3 / 8])
    assert positive_shares([(few, Settings(4, 9))]) == pytest.approx([3 / 12])


def test_a_users_rows_stand_together_and_in_one_batch_if_it_holds_them() -> None:
    """Batches of four: users of 3, 2, 1 and 6 rows; the one of six takes a batch and what is left of it the next."""
    user = np.repeat(np.array([7, 8, 9, 5], np.int32), [3, 2, 1, 6])
    day = replace(with_labels([[1]] * 12), user=user)
    settings = Settings(4, together=True, seed=3)
    examples = examples_of(day, settings)
    order = user[examples.request]
    assert sorted(examples.request) == list(range(12))
    assert (np.diff(order) != 0).sum() == 3, "each user once"
    bounds = batch_bounds(examples, day, settings)
    batches = [order[start:stop].tolist() for start, stop in pairwise(bounds)]
    assert [each for batch in batches for each in batch] == order.tolist()
    assert max(len(batch) for batch in batches) <= 4
    for one, rows in ((7, 3), (8, 2), (9, 1)):
        assert [batch.count(one) for batch in batches if one in batch] == [rows]
    assert [batch.count(5) for batch in batches if 5 in batch] == [4, 2]
    np.testing.assert_array_equal(examples_of(day, settings).request, examples.request)
    assert (examples_of(day, replace(settings, seed=4)).request != examples.request).any()
    assert batch_bounds(examples, day, Settings(5)).tolist() == [0, 5, 10, 12]
