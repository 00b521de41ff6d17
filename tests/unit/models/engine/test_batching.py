from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.engine.batching import DayBatches, power_of_two, score_day
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.engine.view import Read
from models.schema import DayArrays, FeatureSchema, Side
from tests.unit.models.school import SIZES, make_day, with_labels


def test_hidden_ids_read_as_unknown_in_every_row(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    batches = DayBatches(engine, day, Settings(8, 3, unknown_share=1.0), {**SIZES, "teacher": 10})
    plain = DayBatches(engine, day, Settings(8, 3), SIZES)
    number, place = next(
        (n, block.places[Read("teacher", "teacher")].start)
        for n, block in enumerate(batches.batch(0).view.ids)
        if Read("teacher", "teacher") in block.places
    )
    offset = engine.fused[-1].offsets["teacher"]
    for hidden, full in zip(batches, plain, strict=True):
        rows = full.rows[number][:, place]
        np.testing.assert_array_equal(hidden.rows[number][:, place], np.where(rows - offset >= 10, offset + 1, rows))


def test_the_last_batch_is_filled_with_rows_of_weight_zero(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    batches = DayBatches(make_engine(), day, Settings(16, 3))
    *_, last = batches
    real = len(batches.examples) - 16 * (len(batches) - 1)
    assert 0 < real < 16
    assert np.all(last.weight[:real] == 1.0)
    assert np.all(last.weight[real:] == 0.0)
    _, mask, _ = last.told
    assert np.all(mask[real:] == 0.0)
    nobody = {Side.REQUEST: last.weight == 0, **dict.fromkeys((Side.ITEM, Side.PAIR), mask == 0)}
    for block, rows in zip(last.view.ids, last.rows, strict=True):
        assert np.all(rows[nobody[block.side]] == 0)
    for block, values in zip(last.view.dense, last.dense, strict=True):
        assert np.all(np.isnan(values[nobody[block.side]]))


def test_a_bucket_holds_the_rows_of_nearly_every_batch(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    batches = DayBatches(engine, day, Settings(8, 3))
    for width, bucket in batches.unique_bucket.items():
        for batch in batches:
            assert len(np.unique(batch.by_table()[width])) <= bucket


def test_scores_come_in_the_order_of_the_pairs(schema: FeatureSchema, make_engine: Callable[..., Engine]) -> None:
    """A request with more candidates than fit a row is cut into several, and nobody sees it."""
    engine = make_engine("din")
    day = make_day(schema, requests=30, most=150)
    scores = score_day(engine, day)
    assert np.diff(day.offsets).max() > 64
    assert scores.shape == (day.pairs, 1)
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
    assert score_day(engine, empty).shape == (0, 1)
    assert len(engine.train_epoch(DayBatches(engine, empty, Settings(8, 3)), 1e-3)) == 0


def test_power_of_two() -> None:
    assert [power_of_two(n) for n in (0, 1, 2, 3, 64, 65)] == [1, 1, 2, 4, 64, 128]
