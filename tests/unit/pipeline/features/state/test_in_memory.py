"""What a process keeps of the state from day to day."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.days import Day
from pipeline.features.ids.fingerprints import codes_of
from pipeline.features.ids.idmap import IdMap
from pipeline.features.state.in_memory import ranks_of, states_of
from pipeline.job import JobContext
from tests.unit.pipeline.features import lessons


def test_there_is_one_store_a_purpose(tmp_path: Path) -> None:
    context = JobContext(lessons.config(), tmp_path)
    assert states_of(context) is states_of(context, "days")
    assert states_of(context, "replays") is not states_of(context)


def test_text_is_ordered_as_it_is_written_and_anew_when_the_map_has_grown(tmp_path: Path) -> None:
    context, day = JobContext(lessons.config(), tmp_path), Day.of(2024, 3, 1)
    words = IdMap("package", "str", np.empty(0, object)).grown(np.array(["b", "a"], object), day)
    asked = codes_of(np.array(["b", "a"], object))
    assert ranks_of(context, words)(asked).tolist() == [1, 0]
    grown = words.grown(np.array(["aa"], object), day.next())
    assert ranks_of(context, grown)(asked).tolist() == [2, 0]


def test_numbers_are_their_own_order(tmp_path: Path) -> None:
    context = JobContext(lessons.config(), tmp_path)
    numbers = IdMap("teacher", "int", np.array([9, 5], np.int64))
    assert ranks_of(context, numbers)(np.array([9, -3, 5])).tolist() == [9, -3, 5]
