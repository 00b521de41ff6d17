from __future__ import annotations

import numpy as np
import pytest

from models.engine.view import Read, View
from models.schema import Feature, FeatureSchema, Kind, Layout, Side
from models.tables import TableSpec, one_per_space

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
TABLES = one_per_space(DAY, {"user": 4, "tag": 8, "ad": 4})


def test_blocks_are_table_by_table_and_of_each_the_requests_side_first() -> None:
    view = View.of(DAY, TABLES, LAYOUT)
    names = [[read.feature for read in block.places] for block in view.ids]
    found = [(b.fused.width, b.side, b.source.tolist(), each) for b, each in zip(view.ids, names, strict=True)]
    assert found == [
        (4, Side.REQUEST, [0, 3, 4, 5], ["user", "clicks"]),
        (4, Side.ITEM, [0], ["ad"]),
        (8, Side.REQUEST, [1, 2], ["tags"]),
    ]
    floats = [(block.side, block.source.tolist()) for block in view.dense]
    assert floats == [(Side.REQUEST, [0, 1, 2]), (Side.PAIR, [0])]
    clicks = view.ids[0].places[Read("clicks", "ad")]
    assert (clicks.start, clicks.stop, clicks.shape) == (1, 4, (3,))
    assert [block.shape((5, 7)) for block in (*view.ids, *view.dense)] == [(5, 4), (5, 7, 1), (5, 2), (5, 3), (5, 7, 1)]


def test_a_matrix_that_is_read_whole_is_not_copied() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    whole = View.of(DAY, TABLES, LAYOUT).dense[0]
    assert whole.select(matrix) is matrix
    part = View.of(DAY.subset({"price", "ad"}), one_per_space(DAY.subset({"ad"}), {"ad": 4}), LAYOUT).dense[0]
    assert part.select(matrix).tolist() == [[2.0], [5.0]]


def test_views_of_days_with_other_columns_share_a_compiled_step_and_wider_ones_do_not() -> None:
    few = DAY.subset({"tags", "ad"})
    tables = one_per_space(few, {"tag": 4, "ad": 4})
    one, alone, wider = (
        View.of(few, tables, layout) for layout in (LAYOUT, Layout.of(few, {}), Layout.of(few, {"tags": 4}))
    )
    assert one.ids[0].source.tolist() != alone.ids[0].source.tolist()
    assert one.key == alone.key
    assert one.key != wider.key


def test_a_feature_that_the_day_does_not_have_is_named() -> None:
    with pytest.raises(ValueError, match="feature 'ad' is not in the day's arrays; they hold: none"):
        View.of(DAY, TABLES, Layout.of(DAY.subset({"user", "tags", "clicks"}), {}))


def test_a_feature_is_read_once_a_table_and_tables_of_one_width_are_read_together() -> None:
    """The ad in a wide table and in one of width 1; its history in another table of the same space."""
    ads = FeatureSchema((DAY["clicks"], DAY["ad"]), {"ad": "int"})
    tables = (
        TableSpec("ad", "ad", 4, ("ad",)),
        TableSpec("clicked", "ad", 4, ("clicks",)),
        TableSpec("linear.ad", "ad", 1, ("ad", "clicks"), "linear"),
    )
    found = [(block.fused.width, block.side, list(block.places)) for block in View.of(ads, tables, LAYOUT).ids]
    assert found == [
        (1, Side.REQUEST, [Read("clicks", "linear.ad")]),
        (1, Side.ITEM, [Read("ad", "linear.ad")]),
        (4, Side.REQUEST, [Read("clicks", "clicked")]),
        (4, Side.ITEM, [Read("ad", "ad")]),
    ]
