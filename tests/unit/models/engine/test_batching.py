from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.batching import DayBatches, Settings, examples_of, hidden_ids, positive_share, score_day
from models.engine.engine import Engine
from models.schema import DayArrays, FeatureSchema
from tests.unit.models.school import SIZES, make_day, school_schema


def with_labels(labels: list[list[int]]) -> DayArrays:
    """A day whose requests have candidates of these labels."""
    counts = [len(of_request) for of_request in labels]
    flat = [label for of_request in labels for label in of_request]
    day = make_day(school_schema(), requests=len(labels))
    return replace(
        day,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        pair_item=np.arange(len(flat), dtype=np.int32) % 50,
        pair_dense=np.zeros((len(flat), day.pair_dense.shape[1]), np.float32),
        label=np.asarray(flat, np.int8),
    )


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
    flat = day.label
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


def test_hidden_ids_read_as_unknown_in_every_row(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    batches = DayBatches(engine, day, Settings(8, 3, unknown_share=1.0), {**SIZES, "teacher": 10})
    plain = DayBatches(engine, day, Settings(8, 3), SIZES)
    column = next(
        block.start + block.places["teacher"].start
        for block in batches.batch(0).selection.request_ids.blocks.values()
        if "teacher" in block.places
    )
    unknown = engine.fused[-1].offsets["teacher"] + 1
    for hidden, full in zip(batches, plain, strict=True):
        index = full.request_rows[:, column] - engine.fused[-1].offsets["teacher"]
        expected = np.where(index >= 10, unknown, full.request_rows[:, column])
        np.testing.assert_array_equal(hidden.request_rows[:, column], expected)


def test_the_last_batch_is_filled_with_rows_of_weight_zero(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    batches = DayBatches(make_engine(), day, Settings(16, 3))
    *_, last = batches
    real = len(batches.examples) - 16 * (len(batches) - 1)
    assert 0 < real < 16
    assert np.all(last.weight[:real] == 1.0)
    assert np.all(last.weight[real:] == 0.0)
    assert np.all(last.candidate_mask[real:] == 0.0)
    assert np.all(last.request_rows[real:] == 0)
    assert np.all(last.item_rows[last.candidate_mask == 0] == 0)


def test_a_bucket_holds_the_rows_of_nearly_every_batch(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    batches = DayBatches(engine, day, Settings(8, 3))
    for width, bucket in batches.unique_bucket.items():
        for batch in batches:
            rows = [
                matrix[..., blocks[width].start : blocks[width].stop].ravel()
                for matrix, blocks in (
                    (batch.request_rows, batch.selection.request_ids.blocks),
                    (batch.item_rows, batch.selection.item_ids.blocks),
                )
            ]
            assert len(np.unique(np.concatenate(rows))) <= bucket


def test_scores_come_in_the_order_of_the_pairs(schema: FeatureSchema, make_engine: Callable[..., Engine]) -> None:
    """A request with more candidates than fit a row is cut into several, and nobody sees it."""
    engine = make_engine("din")
    day = make_day(schema, requests=30, most=150)
    scores = score_day(engine, day)
    assert np.diff(day.offsets).max() > 64
    assert scores.shape == (day.pairs,)
    for request in (0, 7, 29):
        start, stop = day.offsets[request : request + 2]
        alone = replace(
            day,
            request_ids=day.request_ids[request : request + 1],
            request_dense=day.request_dense[request : request + 1],
            offsets=np.array([0, stop - start]),
            pair_item=day.pair_item[start:stop],
            pair_dense=day.pair_dense[start:stop],
            label=day.label[start:stop],
            weight=day.weight[request : request + 1],
            user=day.user[request : request + 1],
        )
        np.testing.assert_allclose(score_day(engine, alone), scores[start:stop], atol=1e-6)


def test_a_day_without_requests_scores_nothing(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    empty = with_labels([[1]])
    empty = replace(
        empty,
        request_ids=empty.request_ids[:0],
        request_dense=empty.request_dense[:0],
        offsets=np.zeros(1, np.int64),
        pair_item=empty.pair_item[:0],
        pair_dense=empty.pair_dense[:0],
        label=empty.label[:0],
        weight=empty.weight[:0],
    )
    engine = make_engine()
    assert score_day(engine, empty).shape == (0,)
    assert len(engine.train_epoch(DayBatches(engine, empty, Settings(8, 3)), 1e-3)) == 0


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
    assert positive_share([(few, Settings(4))]) == pytest.approx(0.4)
    assert positive_share([(few, Settings(4)), (few, Settings(4))]) == pytest.approx(7 / 18)
    assert positive_share([(replace(few, label=np.zeros(6, np.int8)), Settings(4))]) == pytest.approx(1 / 10)
    assert positive_share([]) == 0.5


def test_the_share_of_positives_counts_sampled_negatives() -> None:
    """Two requests of five candidates, one positive each: against two sampled ones (2 + 1) / (6 + 2)."""
    few = with_labels([[1, -1, 0, -1, 0], [0, 0, 1, -1, -1]])
    assert positive_share([(few, Settings(4, 2))]) == pytest.approx(3 / 8)
    assert positive_share([(few, Settings(4, 9))]) == pytest.approx(3 / 12)
