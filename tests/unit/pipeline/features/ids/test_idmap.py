from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.schema import MISSING_INT, MISSING_STR, PAD_INT, PAD_STR
from pipeline.errors import UsageError
from pipeline.features.ids.idmap import IdMap
from pipeline.features.ids.store import IdMapStore
from tests.unit.pipeline.features.ids.given import D1, D2, D3, D4, ints, texts


@pytest.fixture
def store(tmp_path: Path) -> IdMapStore:
    return IdMapStore(tmp_path / "idmaps" / "homework")


def test_ids_count_from_two_in_order_of_first_appearance(store: IdMapStore) -> None:
    chapters = store.add("chapter", "int", ints(605659, 54377, 605659, 86915), D1)
    assert chapters.ids.tolist() == [605659, 54377, 86915]
    assert chapters.size == 5
    chapters = store.add("chapter", "int", ints(7, 86915, 54377, -1), D2)
    assert chapters.lookup(ints(605659, 54377, 86915, 7, -1)).tolist() == [2, 3, 4, 5, 6]
    assert chapters.marks == [(D1, 5), (D2, 7)]


def test_lookup_of_every_kind_of_value() -> None:
    chapters = IdMap("chapter", "int", ints(30, 10, 20))
    found = chapters.lookup(np.array([[30, 10, 20], [5, MISSING_INT, PAD_INT]]))
    assert found.dtype == np.int32
    assert found.tolist() == [[2, 3, 4], [1, 1, 0]]
    assert chapters.lookup(ints(5, MISSING_INT, PAD_INT), padding=True).tolist() == [1, 0, 0]
    assert chapters.lookup(ints(30, 10, 20, PAD_INT), limit=3).tolist() == [2, 1, 1, 0]
    assert chapters.lookup(np.array([30.0, np.nan, 10.5])).tolist() == [2, 1, 1]
    assert chapters.lookup(np.array([" 30", "x", None], object)).tolist() == [2, 1, 1]
    assert chapters.lookup(np.array([30], np.int32)).tolist() == [2]
    assert chapters.lookup(np.empty((0, 4), np.int64)).shape == (0, 4)


def test_lookup_of_text() -> None:
    users = IdMap("user", "str", texts("é", "b", "12"))
    found = users.lookup(np.array([["e\u0301", " b "], ["c", MISSING_STR], [None, PAD_STR]], object))
    assert found.tolist() == [[2, 3], [1, 1], [1, 0]]
    assert users.lookup(texts("c", None, MISSING_STR, PAD_STR), padding=True).tolist() == [1, 0, 0, 0]
    assert users.lookup(texts("é", "b", "12"), limit=4).tolist() == [2, 3, 1]
    assert users.lookup(np.array(["b", "12"])).tolist() == [3, 4]
    assert users.lookup(np.array([12, 13])).tolist() == [4, 1]
    assert users.lookup(np.array(["b", 12, PAD_STR, 1.5, None], object)).tolist() == [3, 4, 0, 1, 1]
    assert users.lookup(np.empty(0, object)).tolist() == []


def test_raw_is_the_way_back() -> None:
    chapters = IdMap("chapter", "int", ints(30, 10))
    assert chapters.raw(np.array([[0, 1], [2, 3]])).tolist() == [[PAD_INT, MISSING_INT], [30, 10]]
    assert IdMap("user", "str", texts("a")).raw(np.array([0, 1, 2])).tolist() == [PAD_STR, MISSING_STR, "a"]
    for index in (-1, 4):
        with pytest.raises(UsageError, match=f"index {index} is outside the map, which holds 4"):
            chapters.raw(np.array([2, index]))


def test_size_at_any_day(store: IdMapStore) -> None:
    store.add("chapter", "int", ints(1), D1)
    chapters = store.add("chapter", "int", ints(1, 2, 3), D3)
    assert [chapters.size_at(day) for day in (D1.previous(), D1, D2, D3, D4)] == [2, 3, 3, 5, 5]


def test_a_late_day_stands_at_the_end(store: IdMapStore) -> None:
    store.add("chapter", "int", ints(1), D1)
    store.add("chapter", "int", ints(2), D3)
    chapters = store.add("chapter", "int", ints(9, 2), D2)
    assert chapters.ids.tolist() == [1, 2, 9]
    assert chapters.marks == [(D1, 3), (D3, 4), (D2, 5)]
    assert [chapters.size_at(day) for day in (D1, D2, D3)] == [3, 5, 4]
    assert chapters.lookup(ints(9), limit=chapters.size_at(D3)).tolist() == [1]


def test_a_day_mapped_again_with_more_ids_knows_them_all(store: IdMapStore) -> None:
    store.add("chapter", "int", ints(1), D1)
    store.add("chapter", "int", ints(2), D2)
    chapters = store.add("chapter", "int", ints(1, 2), D1)
    assert chapters.ids.tolist() == [1, 2]
    assert chapters.size_at(D1) == 4, "id 2 is now one of the first day's"
    chapters = store.add("chapter", "int", ints(3), D1)
    assert chapters.marks == [(D1, 3), (D2, 4), (D1, 5)], "repeats of one day are one mark"
    assert store.add("chapter", "int", ints(2), D2).size_at(D2) == 4


@settings(deadline=None)
@given(st.lists(st.text(), unique=True), st.lists(st.one_of(st.text(), st.none(), st.integers(), st.floats())))
def test_text_lookup_agrees_with_a_dictionary(known: list[str], asked: list[Any]) -> None:
    users = IdMap("user", "str", np.empty(0, object)).grown(np.array([*known, None], object)[:-1], D1)
    table = {value: index + 2 for index, value in enumerate(users.ids.tolist())}
    found = users.lookup(np.array([*asked, None], object)[:-1])
    from pipeline.ingest.canonical_ids import canonical_ids

    expected = [
        0 if isinstance(value, str) and value == PAD_STR else table.get(canonical_ids([value], "str").values[0], 1)
        for value in asked
    ]
    assert found.tolist() == expected
