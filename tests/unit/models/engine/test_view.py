from __future__ import annotations

import numpy as np
import pytest

from models.engine.view import View
from models.schema import Feature, FeatureSchema, Kind, Layout, Side

DAY = FeatureSchema(
    (
        Feature("user", Kind.CATEGORICAL, Side.REQUEST, "user"),
        Feature("tags", Kind.BAG, Side.REQUEST, "tag", values=2),
        Feature("clicks", Kind.SEQUENCE, Side.REQUEST, "ad", steps=3),
        Feature("age", Kind.DENSE, Side.REQUEST, size=2),
        Feature("price", Kind.DENSE, Side.REQUEST),
        Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad"),
        Feature("seen", Kind.DENSE, Side.PAIR),
    ),
    {"user": "int", "tag": "int", "ad": "int"},
)
"""A day: request ids user 0, tags 1-2, clicks 3-5; floats age 0-1, price 2."""
LAYOUT = Layout.of(DAY, {})


def test_blocks_are_table_by_table_and_of_each_the_requests_side_first() -> None:
    view = View.of(DAY, {"user": 4, "tag": 8, "ad": 4}, LAYOUT)
    found = [(block.width, block.side, block.source.tolist(), list(block.places)) for block in view.ids]
    assert found == [
        (4, Side.REQUEST, [0, 3, 4, 5], ["user", "clicks"]),
        (4, Side.ITEM, [0], ["ad"]),
        (8, Side.REQUEST, [1, 2], ["tags"]),
    ]
    floats = [(block.side, block.source.tolist()) for block in view.dense]
    assert floats == [(Side.REQUEST, [0, 1, 2]), (Side.PAIR, [0])]
    clicks = view.ids[0].places["clicks"]
    assert (clicks.start, clicks.stop, clicks.shape) == (1, 4, (3,))
    assert [block.shape((5, 7)) for block in (*view.ids, *view.dense)] == [(5, 4), (5, 7, 1), (5, 2), (5, 3), (5, 7, 1)]


def test_a_matrix_that_is_read_whole_is_not_copied() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    whole = View.of(DAY, {"user": 4, "tag": 8, "ad": 4}, LAYOUT).dense[0]
    assert whole.select(matrix) is matrix
    part = View.of(DAY.subset({"price", "ad"}), {"ad": 4}, LAYOUT).dense[0]
    assert part.select(matrix).tolist() == [[2.0], [5.0]]


def test_views_of_days_with_other_columns_share_a_compiled_step_and_wider_ones_do_not() -> None:
    few = DAY.subset({"tags", "ad"})
    dims = {"tag": 4, "ad": 4}
    one, alone, wider = (
        View.of(few, dims, layout) for layout in (LAYOUT, Layout.of(few, {}), Layout.of(few, {"tags": 4}))
    )
    assert one.ids[0].source.tolist() != alone.ids[0].source.tolist()
    assert one.key == alone.key
    assert one.key != wider.key


def test_a_feature_that_the_day_does_not_have_is_named() -> None:
    with pytest.raises(ValueError, match="feature 'ad' is not in the day's arrays; they hold: none"):
        View.of(DAY, {"user": 4, "tag": 8, "ad": 4}, Layout.of(DAY.subset({"user", "tags", "clicks"}), {}))
