"""Features that are made of a frame's own columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.schema import MISSING_INT, MISSING_STR, PAD_INT, Side
from pipeline.features.arrays.framed import bag_widths, framed
from pipeline.features.frames.frame import Frame
from pipeline.features.plan.plan import Plan
from pipeline.serving.raw_look_up import RawIds
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell


def items(*rows: tuple[int, str, int, int, float]) -> Frame:
    ad, kind, tag_1, tag_2, clicks = zip(*rows, strict=True)
    return Frame(len(rows), {
        "item.ad": np.array(ad), "item.kind": np.array(kind, object), "item.tag_1": np.array(tag_1),
        "item.tag_2": np.array(tag_2), "item.clicks": np.array(clicks),
    })  # fmt: skip


def found(frame: Frame) -> dict[str, Any]:
    plan = Plan(shows.config())
    return {name: values.tolist() for name, values in framed(plan, Side.ITEM, frame, RawIds(plan), DAY).items()}


def test_only_features_of_the_side_are_made_and_of_what_its_frame_holds() -> None:
    none = MISSING_INT
    assert found(items((10, "game", 5, 6, 1.5), (12, MISSING_STR, 6, none, 2.0))) == {
        "ad": [10, 12], "kind": ["game", MISSING_STR], "tags": [[5, 6], [6, PAD_INT]], "ad_clicks": [[1.5], [2.0]],
    }  # fmt: skip


def test_a_bag_is_as_wide_as_its_longest_row_needs() -> None:
    plan, none = Plan(shows.config()), MISSING_INT
    chosen = plan.of_frame("item")
    narrow, wide = (10, "a", 5, none, 0.0), (11, "a", 5, 6, 0.0)
    assert bag_widths(plan, chosen, items(narrow)) == {"tags": 1}
    assert bag_widths(plan, chosen, items(narrow, wide)) == {"tags": 2}
    assert found(items(narrow))["tags"] == [[5]]


def test_request_features(school: School) -> None:
    rows = school.rows(DAY)
    arrays = school.built(rows).arrays
    ids, places = arrays.request_ids, arrays.layout.request_ids
    assert school.raw("grade", cell(ids, places, "grade")) == [5, 5]
    assert school.raw("years", cell(ids, places, "years")) == [1, 2]  # 2 and 9 years: buckets of [1, 3]
    assert school.raw("weekday", cell(ids, places, "weekday")) == [0, 0]
    asked = cell(ids, places, "asked")
    assert asked.shape == (2, 2)
    assert (school.raw("chapter", asked[1]), asked[0, 1]) == ([1, 2], 0)
    assert cell(arrays.request_dense, arrays.layout.request_dense, "tenure")[0].tolist() == [2.0]
