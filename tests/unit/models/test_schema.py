"""The declared features: which stand together, and where each lies in its side's matrix."""

from __future__ import annotations

from typing import Any

import pytest

from models.schema import (
    MISSING_INT,
    MISSING_STR,
    PAD_INT,
    PAD_STR,
    Columns,
    Feature,
    FeatureSchema,
    Kind,
    Layout,
    Side,
)


def feature(name: str, kind: Kind = Kind.CATEGORICAL, side: Side = Side.REQUEST, **settings: Any) -> Feature:
    space = None if kind is Kind.DENSE else "s"
    return Feature(name, kind, side, **{"space": space, **settings})


def schema(*features: Feature) -> FeatureSchema:
    return FeatureSchema(features, {"s": "int"})


def test_features_lie_one_after_the_other_in_their_sides_matrices() -> None:
    layout = Layout.of(
        schema(
            feature("user"), feature("labels", Kind.BAG, values=4), feature("ad", side=Side.ITEM),
            feature("clicks", Kind.SEQUENCE, steps=5),
            feature("days", Kind.BAG_SEQUENCE, steps=3, lead=2, values=8),
            feature("study", Kind.DENSE, size=3), feature("rank", Kind.DENSE, Side.PAIR, size=2),
        ),
        {"labels": 2, "days": 4},
    )  # fmt: skip
    assert layout.request_ids == {
        "user": Columns(0, 1, ()), "labels": Columns(1, 3, (2,)), "clicks": Columns(3, 8, (5,)),
        "days": Columns(8, 28, (5, 4)),
    }  # fmt: skip
    assert layout.item_ids == {"ad": Columns(0, 1, ())}
    assert (layout.request_dense, layout.pair_dense) == ({"study": Columns(0, 3, (3,))}, {"rank": Columns(0, 2, (2,))})
    assert (Layout.width(layout.request_ids), Layout.width(layout.item_dense)) == (28, 0)


def test_a_name_stands_once_and_a_space_is_declared() -> None:
    with pytest.raises(ValueError, match="features declared twice: a, b"):
        schema(feature("a"), feature("b"), feature("a"), feature("b"), feature("c"))
    with pytest.raises(ValueError, match="feature 'a': id space 't' is not declared"):
        schema(feature("a", space="t"))


def test_features_are_found_by_name_and_by_side() -> None:
    found = schema(feature("a"), feature("b", Kind.DENSE), feature("c", side=Side.ITEM), feature("d"))
    assert found["c"].side is Side.ITEM
    assert [each.name for each in found.on(Side.REQUEST, ids=True)] == ["a", "d"]
    assert [each.name for each in found.on(Side.REQUEST, ids=False)] == ["b"]
    with pytest.raises(KeyError):
        found["e"]


def test_a_subset_keeps_the_order_and_forgets_a_stand_in_that_is_left_out() -> None:
    whole = schema(
        feature("a", Kind.SEQUENCE, stand_in="b"), feature("b", Kind.SEQUENCE), feature("c"),
        feature("d", Kind.SEQUENCE, stand_in="e"), feature("e", Kind.SEQUENCE),
    )  # fmt: skip
    kept = whole.subset({"d", "a", "e"})
    assert [(each.name, each.stand_in) for each in kept.features] == [("a", None), ("d", "e"), ("e", None)]


def test_histories_without_a_group_are_alone_and_stand_ins_are_no_history() -> None:
    found = schema(
        feature("a", Kind.SEQUENCE), feature("b", Kind.SEQUENCE, group="g"), feature("g", Kind.SEQUENCE),
        feature("c", Kind.SEQUENCE, group="g"), feature("d", Kind.SEQUENCE, stand_in="e"), feature("e", Kind.SEQUENCE),
        feature("f", Kind.BAG),
    ).together()  # fmt: skip
    assert [[each.name for each in group] for group in found] == [["a"], ["b", "c"], ["g"], ["d"]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 4}, "their steps differ: 3 and 4"),
        ({"kind": Kind.BAG_SEQUENCE}, "their kind differ"),
        ({"stand_in": "c"}, "only 'b' has its stand_in 'c' in use"),
    ],
)
def test_parts_of_a_step_agree(settings: dict[str, Any], message: str) -> None:
    other = feature("b", **{"kind": Kind.SEQUENCE, "steps": 3, "group": "g", **settings})
    both = schema(feature("a", Kind.SEQUENCE, steps=3, group="g"), other, feature("c", Kind.SEQUENCE, steps=3))
    with pytest.raises(ValueError, match=message):
        both.together()


def test_released_models_and_stored_rows_keep_the_raw_values_of_what_is_no_id() -> None:
    assert (PAD_INT, MISSING_INT) == (-9223372036854775808, -9223372036854775807)
    assert ("", chr(1)) == (PAD_STR, MISSING_STR)
