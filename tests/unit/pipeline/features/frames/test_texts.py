from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.features.frames.frame import Lists
from pipeline.features.frames.texts import Texts, placed

WORDS = np.array(["x", "ü", "x", "never"], object)


def texts(*codes: int) -> Texts:
    return Texts(WORDS, np.array(codes, np.int8))


def test_they_read_as_the_array_that_they_stand_for() -> None:
    found = texts(1, 0, 2)
    assert (found.dtype, found.shape, found.ndim, found.size, len(found)) == (object, (3,), 1, 3, 3)
    assert found.tolist() == np.asarray(found).tolist() == np.concatenate([found]).tolist() == ["ü", "x", "x"]
    assert pa.array(found, pa.string()).to_pylist() == ["ü", "x", "x"]
    assert found[0] == "ü"
    assert found[1:].tolist() == found[np.array([False, True, True])].tolist() == ["x", "x"]
    assert found.take(np.array([2, 0])).reshape(1, 2).tolist() == [["x", "ü"]]
    assert ((found == "x").tolist(), (found != "x").tolist()) == ([False, True, True], [True, False, False])


def test_words_are_told_apart_by_what_they_say_in_order_of_first_appearance() -> None:
    assert texts(2, 1, 0).distinct().tolist() == ["x", "ü"]
    found = Texts.of(texts(1, 0, 2))
    assert (found.words.tolist(), found.codes.tolist()) == (["ü", "x"], [0, 1, 1])
    plain = Texts.of(np.array(["b", "a", "b"], object))
    assert (plain.words.tolist(), plain.codes.tolist()) == (["b", "a"], [0, 1, 0])


@pytest.mark.parametrize("number", [0, 1, 3, 16, 17, 40])
def test_few_texts_become_what_arrow_makes_of_many(number: int) -> None:
    values = np.array((["b", "ü", "", "b"] * 10)[:number], object)
    found, arrow = Texts.of(values), Texts.of(pa.array(values, pa.string()))
    assert found.words.tolist() == arrow.words.tolist()
    assert (found.codes.dtype, found.codes.tolist()) == (arrow.codes.dtype, arrow.codes.tolist())
    with pytest.raises(pa.ArrowTypeError):
        Texts.of(np.array([*values, 1], object))


def test_a_rule_is_asked_once_a_word() -> None:
    asked: list[str] = []

    def shout(words: np.ndarray) -> np.ndarray:
        asked.extend(words)
        return np.array([word.upper() for word in words], object)

    assert texts(0, 1, 1, 1).made(shout).tolist() == ["X", "Ü", "Ü", "Ü"]
    assert asked == WORDS.tolist()
    assert texts(1, 3).each(lambda words: np.array([len(word) for word in words])).tolist() == [1, 5]


def test_values_at_their_places_and_something_else_between() -> None:
    assert placed(np.array([5, 6]), np.array([2, 0]), 4, -1).tolist() == [6, -1, 5, -1]
    assert placed(texts(1, 0), np.array([2, 0]), 4, "").tolist() == ["x", "", "ü", ""]


@pytest.mark.parametrize("words", [127, 128])
def test_codes_are_wide_enough_for_one_word_more(words: int) -> None:
    many = Texts(np.array([str(word) for word in range(words)], object), np.array([0, words - 1], np.int8))
    lists = Lists(np.array([0, 1, 2]), many)
    assert lists.padded(2, "none").tolist() == [["0", "none"], [str(words - 1), "none"]]


@given(rows=st.lists(st.lists(st.sampled_from(["a", "b", "cc", ""]), max_size=4)), width=st.integers(0, 3))
def test_lists_of_them_are_padded_as_lists_of_objects_are(rows: list[list[str]], width: int) -> None:
    lists = Lists.of(rows, object)
    found = Lists(lists.offsets, Texts.of(lists.values)).padded(width, "-")
    assert (found.shape, found.tolist()) == ((len(rows), width), lists.padded(width, "-").tolist())
