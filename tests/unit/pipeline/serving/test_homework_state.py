"""What a request for homework reads of the state besides, out of a release's fields."""

from __future__ import annotations

import numpy as np

from pipeline.features.frames.frame import Lists
from pipeline.features.plan.plan import Plan
from pipeline.features.state.state import FeatureState
from pipeline.serving.homework_state import small_latest, small_style_counts
from pipeline.serving.raw_look_up import RawIds
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import lists

PLAN = Plan(lessons.config())
EMPTY = FeatureState.empty(lessons.config())
OWNER = (np.array([501]), np.array([9001]))


def test_each_style_of_the_owner_is_an_entry_with_its_count() -> None:
    day = DAY.ordinal
    found = {"days": [day - 2, day - 1, day - 1], "styles": [3, 1, 8], "counts": [4, 2, 6]}
    table = small_style_counts(PLAN.request, RawIds(PLAN), OWNER, found, EMPTY.counts_by_id)
    assert table is not None
    entries = table.entries(OWNER)
    assert (entries.offsets.tolist(), entries.days.tolist()) == ([0, 3], [day - 2, day - 1, day - 1])
    assert lists(entries.parts["styles"]) == [[3], [1], [8]]
    assert lists(entries.parts["counts"]) == [[4], [2], [6]]
    assert table.entries((np.array([502]), np.array([9001]))).offsets.tolist() == [0, 0]


def test_an_owner_of_whom_nothing_is_told_was_set_nothing() -> None:
    assert small_style_counts(PLAN.request, RawIds(PLAN), OWNER, None, EMPTY.counts_by_id) is EMPTY.counts_by_id
    assert small_style_counts(PLAN.request, RawIds(PLAN), OWNER, {"days": []}, None) is None
    space = str(PLAN.request.study_owner_space)
    assert small_latest(PLAN.request, RawIds(PLAN), space, 9001, None, EMPTY.latest) is EMPTY.latest


def test_study_values_by_section_and_what_is_missing_of_them() -> None:
    found = {"sections": [12, 11], "day": [DAY.ordinal - 1, DAY.ordinal - 9], "values": [[3.0, None], [1.0, 10.0]]}
    space = str(PLAN.request.study_owner_space)
    table = small_latest(PLAN.request, RawIds(PLAN), space, 9001, found, EMPTY.latest)
    sections = Lists.of([[11], [12], [11, 12], [11]], np.int64)
    means = table.means(np.array([9001, 9001, 9001, 9002]), sections)
    assert means[0].tolist() == [1, 10, 1]
    assert (means[1, 0], np.isnan(means[1, 1]), means[1, 2]) == (3, True, 1)
    assert means[2].tolist() == [2, 10, 2]
    assert means[3, 2] == 0, "of another class nothing is told"
    other = table.means(np.array([9001, 9001, 9001]), Lists.of([[], [13, 11], [13]], np.int64))
    assert other[1].tolist() == [1, 10, 1]
    assert (other[[0, 2], 2].tolist(), np.isnan(other[[0, 2], :2]).all()) == ([0, 0], True)
