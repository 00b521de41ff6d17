from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.schema import MISSING_STR, PAD_STR
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.ids import fingerprints, idmap
from pipeline.features.ids.fingerprints import MISSING, PADDING, are_known, check_distinct, codes_of, key_of
from pipeline.features.ids.idmap import IdMap


def texts(*values: str) -> np.ndarray:
    out = np.empty(len(values), object)
    out[:] = values
    return out


def test_a_whole_number_is_its_own_code() -> None:
    assert codes_of(np.array([[7, MISSING], [PADDING, -3]])).tolist() == [[7, MISSING], [PADDING, -3]]


def test_codes_of_texts_are_the_same_in_every_version() -> None:
    # A state that is stored is read by later versions: these numbers never change.
    known = codes_of(texts("11|1", "11,12,21|1", "Schüler", PAD_STR, MISSING_STR, "11|1"))
    assert known[:3].tolist() == [1709024908404237530, -700569770841957740, -4714782541540457216]
    assert known[3:].tolist() == [PADDING, MISSING, known[0]]
    assert codes_of(np.zeros((0, 2), object)).shape == (0, 2)


def test_one_key_alone_is_what_it_is_among_others() -> None:
    first = np.array([7, -1, 0, MISSING, 2**63 - 1, -(2**63)])
    second = first[::-1].copy()
    alone = [key_of(first[[at]], second[[at]], first[[at]]) for at in range(len(first))]
    assert np.concatenate(alone).tolist() == key_of(first, second, first).tolist()
    assert (alone[0].dtype, key_of(np.array(7), np.array([[9]])).shape) == (np.int64, (1, 1))


def test_keys_tell_orders_and_lengths_apart() -> None:
    first, second = np.meshgrid(np.arange(2, 300), np.arange(2, 300))
    keys = key_of(first.ravel(), second.ravel())
    assert len(np.unique(keys)) == keys.size
    assert key_of(np.array([7]), np.array([9])) != key_of(np.array([9]), np.array([7]))
    assert key_of(np.array([7])).tolist() == [7]
    assert key_of(np.array([7]), np.array([9])).tolist() == [3284387783329221399]
    assert key_of(np.array([[7]]), np.array([9, 7])).shape == (1, 2)


def test_missing_ids_and_padding_are_nobodys_key() -> None:
    assert are_known(np.array([5, MISSING, 5]), np.array([5, 5, PADDING])).tolist() == [True, False, False]


def test_two_texts_of_one_code_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="space 'package': the ids 'a' and 'c' have one code"):
        check_distinct("package", texts("a", "b", "c"), np.array([4, 9, 4]))
    with pytest.raises(DataError, match="the id 'b' has the code that stands for no id"):
        check_distinct("package", texts("a", "b"), np.array([4, MISSING]))
    # As a map grows: of all texts that begin alike the code is the same here.
    monkeypatch.setattr(idmap, "codes_of", lambda raw: codes_of(texts(*(text[:1] for text in raw.tolist()))))
    grown = IdMap("package", "str", texts()).grown(texts("ab", "b"), Day.of(2024, 3, 1))
    with pytest.raises(DataError, match="the ids 'ab' and 'ac' have one code"):
        grown.grown(texts("b", "ac"), Day.of(2024, 3, 2))


@given(st.lists(st.text(min_size=1, max_size=8), max_size=20, unique=True))
def test_a_map_gives_the_index_of_a_code_as_of_its_id(values: list[str]) -> None:
    found = IdMap("package", "str", texts()).grown(texts(*values), Day.of(2024, 3, 1))
    raw = np.concatenate([found.ids, texts(PAD_STR, MISSING_STR, "an id that nobody has")])
    asked = fingerprints.codes_of(raw).reshape(1, -1)
    assert found.index_of(asked).tolist() == [found.lookup(raw).tolist()]
    assert found.raw_of(asked[:, : len(found.ids)]).tolist() == [found.ids.tolist()]
