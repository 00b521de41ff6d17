from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.schema import MISSING_INT, MISSING_STR, PAD_INT, PAD_STR
from pipeline.config.features import FeatureSettings
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.arrays.raw_values import as_raw, bag_width, raw_inputs
from pipeline.features.frames.frame import Frame, Lists
from pipeline.features.plan.declared import PlannedFeature

DAY = Day.of(2024, 3, 4)


def feature(name: str = "f", **settings: Any) -> PlannedFeature:
    given = FeatureSettings.model_validate({"side": "request", **settings})
    sources = (given.source,) if isinstance(given.source, str) else given.source or ()
    columns = tuple((s.partition(".")[0], s.partition(".")[2]) for s in sources)
    return PlannedFeature(name, given, given.feature(name, steps=given.steps or 3, lead=0), columns)


def build(columns: dict[str, Any], of: str = "int", width: int = 4, **settings: Any) -> Any:
    rows = len(next(iter(columns.values())))
    return raw_inputs([feature(**settings)], Frame(rows, columns), {"s": of}, {"f": width}, DAY)["f"]


def text(*values: str) -> Any:
    return np.array(values, object)


def test_one_id_a_row_of_a_list_its_first() -> None:
    settings = {"kind": "categorical", "space": "s", "source": "row.a"}
    assert build({"row.a": np.array([4, MISSING_INT])}, **settings).tolist() == [4, MISSING_INT]
    lists = Lists.of([[7, 8], []], np.int64)
    assert build({"row.a": lists}, **settings).tolist() == [7, MISSING_INT]


def test_numbers_become_text_in_a_text_space_and_whole_floats_become_ids() -> None:
    settings = {"kind": "categorical", "space": "s", "source": "row.a"}
    assert build({"row.a": np.array([4, MISSING_INT])}, "str", **settings).tolist() == ["4", MISSING_STR]
    assert build({"row.a": np.array([4.0, np.nan])}, "int", **settings).tolist() == [4, MISSING_INT]
    with pytest.raises(DataError, match=r"4\.5.*not an id"):
        build({"row.a": np.array([4.5])}, "int", **settings)


def test_a_limit_belongs_to_the_bucket_above_it() -> None:
    settings = {"kind": "categorical", "space": "s", "source": "row.a", "buckets": [1, 3]}
    values = np.array([0.5, 1, 2, 3, 99, np.nan])
    assert build({"row.a": values}, **settings).tolist() == [0, 1, 1, 2, 2, MISSING_INT]
    assert build({"row.a": np.array([2, MISSING_INT])}, **settings).tolist() == [1, MISSING_INT]


def test_a_bag_is_padded_and_loses_missing_values() -> None:
    settings = {"kind": "bag", "space": "s", "source": "row.a", "values": 3}
    lists = Lists.of([[5, MISSING_INT, 6], [], [1, 2, 3, 4, 5]], np.int64)
    pad = PAD_INT
    assert build({"row.a": lists}, **settings).tolist() == [[5, 6, pad, pad], [pad] * 4, [1, 2, 3, 4]]


def test_several_columns_make_one_bag() -> None:
    settings = {"kind": "bag", "space": "s", "source": ["item.a", "item.b"], "values": 2}
    columns = {"item.a": np.array([3, MISSING_INT]), "item.b": np.array([4, 8])}
    assert build(columns, width=2, **settings).tolist() == [[3, 4], [8, PAD_INT]]


def test_a_sequence_keeps_its_last_steps_oldest_first() -> None:
    settings = {"kind": "sequence", "space": "s", "source": "row.a", "steps": 3}
    lists = Lists.of([[1, 2, 3, 4], [9]], np.int64)
    assert build({"row.a": lists}, **settings).tolist() == [[2, 3, 4], [9, PAD_INT, PAD_INT]]


@pytest.mark.parametrize(("part", "expected"), [(0, "homework"), (1, "exam"), (2, "get/detail")])
def test_parts_of_a_path_stay_in_step(part: int, expected: str) -> None:
    settings = {"kind": "sequence", "space": "s", "source": "row.a", "steps": 3, "part": part}
    lists = Lists.of([["/homework/exam/get/detail", "/", "/x/y/z"]], object)
    found = build({"row.a": lists}, "str", **settings)[0].tolist()
    assert found == [expected, MISSING_STR, "xyz"[part]]


def test_whole_paths_and_text_padding() -> None:
    settings = {"kind": "sequence", "space": "s", "source": "row.a", "steps": 2}
    assert build({"row.a": Lists.of([["/a/b"]], object)}, "str", **settings).tolist() == [["/a/b", PAD_STR]]


def paired(ads: list[list[int]], categories: list[list[int]], **of_categories: Any) -> tuple[Any, Any]:
    """The steps of a click's two parts, three steps long."""
    settings: dict[str, Any] = {"kind": "sequence", "space": "s", "steps": 3, "group": "click"}
    members = [
        feature("ads", **settings, source="row.a"),
        feature("categories", **{**settings, "source": "row.c", **of_categories}),
    ]
    frame = Frame(len(ads), {"row.a": Lists.of(ads, np.int64), "row.c": Lists.of(categories, np.int64)})
    found = raw_inputs(members, frame, {"s": "int"}, {}, DAY)
    return found["ads"].tolist(), found["categories"].tolist()


def test_lists_of_a_group_are_paired_by_position_and_a_shorter_one_is_missing_beyond_its_end() -> None:
    none, pad = MISSING_INT, PAD_INT
    ads, categories = paired([[1, 2, 3], [4], [], [5, 6]], [[7], [8, 9], [], []])
    assert ads == [[1, 2, 3], [4, none, pad], [pad] * 3, [5, 6, pad]]
    assert categories == [[7, none, none], [8, 9, pad], [pad] * 3, [none, none, pad]]


def test_the_last_steps_of_unequal_lists_are_those_of_the_longer_one() -> None:
    # Five clicks, four categories: the last three steps are the third to the fifth of both.
    assert paired([[1, 2, 3, 4, 5]], [[11, 12, 13, 14]]) == ([[3, 4, 5]], [[13, 14, MISSING_INT]])


def test_lists_of_other_groups_stay_as_they_are() -> None:
    assert paired([[1, 2]], [[7]], group="other") == ([[1, 2, PAD_INT]], [[7, PAD_INT, PAD_INT]])
    assert paired([[1, 2]], [[7]], group=None) == ([[1, 2, PAD_INT]], [[7, PAD_INT, PAD_INT]])


def test_dense_values_missing_are_nan_and_dates_are_days_since() -> None:
    settings = {"kind": "dense", "source": "user.a"}
    assert build({"user.a": np.array([3, MISSING_INT])}, **settings)[:, 0].tolist()[0] == 3.0
    assert np.isnan(build({"user.a": np.array([3, MISSING_INT])}, **settings)[1, 0])
    dates = np.array(["2024-03-01", "NaT"], "datetime64[D]")
    found = build({"user.a": dates}, **settings)[:, 0]
    assert found[0] == 3.0
    assert np.isnan(found[1])
    with pytest.raises(DataError, match="no numbers"):
        build({"user.a": text("x")}, **settings)


def test_a_number_beyond_float32_is_a_wild_value_and_not_missing() -> None:
    found = build({"user.a": np.array([1.5, 1e308, -1e39, np.nan])}, kind="dense", source="user.a")[:, 0]
    largest = np.finfo(np.float32).max
    assert found[:3].tolist() == [1.5, largest, -largest]
    assert np.isnan(found[3])


def test_a_date_is_no_id() -> None:
    with pytest.raises(DataError, match="not an id"):
        as_raw(np.array(["2024-03-01"], "datetime64[D]"), "int", "feature 'f'")


def test_widths_are_powers_of_two() -> None:
    assert [bag_width(n, 16) for n in (0, 1, 2, 3, 5, 16, 99)] == [1, 1, 2, 4, 8, 16, 16]
    assert bag_width(99, 10) == 16
