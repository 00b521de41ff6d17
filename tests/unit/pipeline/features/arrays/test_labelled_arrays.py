from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.pipeline.features import cells
from tests.unit.pipeline.features.cells import DAY, Cells
from tests.unit.pipeline.features.shown_days import values


def test_each_row_is_a_request_with_one_candidate_of_which_nothing_is_known() -> None:
    job = Cells()
    built = job.day(DAY)
    arrays = built.arrays
    assert (arrays.offsets.tolist(), arrays.pair_item.tolist()) == ([0, 1, 2, 3, 4], [0, 0, 0, 0])
    assert (arrays.item_ids.shape, arrays.item_dense.shape, arrays.pair_dense.shape) == ((1, 0), (1, 0), (4, 0))
    assert arrays.label[:, 0].tolist() == [1, 0, 0, 1]
    assert arrays.user.tolist() == [0, 1, 2, 3]
    assert (built.keys, built.groups, built.key_rank.tolist()) == ({}, {}, [0])


def test_cells_of_a_row() -> None:
    """An empty cell is no id: it reads as unknown, and no map holds it."""
    job = Cells()
    arrays = job.day(DAY).arrays
    ids, places = arrays.request_ids, arrays.layout.request_ids
    assert job.maps["site"].ids.tolist() == ["a", "b", "c"]
    assert values(ids, places, "site").tolist() == [2, 3, 1, 2]
    assert values(ids, places, "app").tolist() == [3, 1, 4, 2]
    assert values(ids, places, "both").tolist() == [[2, 3], [3, 0], [4, 0], [2, 2]]
    dense, at = arrays.request_dense, arrays.layout.request_dense
    assert values(dense, at, "price")[:, 0].tolist()[::2] == [2.5, 1.0]
    assert np.isnan(values(dense, at, "price")[1, 0])
    assert np.isnan(values(dense, at, "bids")[2, 0])


def test_counters_are_of_earlier_days() -> None:
    job = Cells()
    first = job.day(DAY).arrays
    assert values(first.request_dense, first.layout.request_dense, "site_rate")[:, 0].tolist() == [0.5] * 4
    second = job.day(DAY.next()).arrays
    dense, places = second.request_dense, second.layout.request_dense
    # Site a: two of two, b: none of one; the rate of all is one half, and counts as one event. No site has no events.
    assert values(dense, places, "site_rate")[:, 0] == pytest.approx([2.5 / 3, 0.25, 0.5, 2.5 / 3])
    assert values(dense, places, "site_campaign")[:, 0].tolist() == [1.0, 1.0, 0.0, 1.0]


def test_the_day_itself_moves_no_counter_of_its_own() -> None:
    plain, planted = Cells(), Cells()
    flipped = cells.ROWS.set_column(0, "label", pa.array([0, 1, 1, 0]))
    for job in (plain, planted):
        job.day(DAY)
    one, two = plain.day(DAY.next()).arrays, planted.day(DAY.next(), flipped).arrays
    assert np.array_equal(one.request_dense, two.request_dense, equal_nan=True)
    assert np.array_equal(one.request_ids, two.request_ids)


def test_rows_of_a_group_have_its_number() -> None:
    job = Cells(cells.config(rows={"rows": "cells", "label": "label", "group": "campaign"}))
    built = job.day(DAY)
    assert built.arrays.user.tolist() == [0, 0, 1, 1]
    assert built.keys["request.campaign"].tolist() == [7, 7, 8, 8]


def test_a_day_without_rows() -> None:
    arrays = Cells().day(DAY, cells.cells()).arrays
    assert (arrays.requests, arrays.pairs, arrays.user.tolist()) == (0, 0, [])
