from __future__ import annotations

import pyarrow as pa
import pytest

from tests.unit.pipeline.reading import read


@pytest.mark.parametrize(
    ("cell", "expected", "reason"),
    [
        ("12,13", [12, 13], ""), ("[12, 13]", [12, 13], ""), ('"12,13"', [12, 13], ""), ("['12', '13']", [12, 13], ""),
        ('"[7, 5]"', [7, 5], ""), ("12.0,13", [12, 13], ""), ("5", [5], ""), ("[]", None, ""), ("", None, ""),
        (None, None, ""), ("[1, x]", None, "not a whole number"), ('"12,,13"', None, "an empty item in a list"),
        ("12,13,", None, "an empty item in a list"), ("[1, 2", None, "a list without its other bracket"),
        ("[", None, "a list without its other bracket"), ("4,-1", None, "below 0"), ("4,0", [4], ""),
        (",".join(map(str, range(1, 10_001))), None, "more than 1000 items"),
    ],
)  # fmt: skip
def test_lists_of_ints(cell: str | None, expected: list[int] | None, reason: str) -> None:
    assert read(pa.array([cell], pa.string()), type="int_list", min=0, absent=[0]) == [(expected, reason)]


def test_a_bad_list_leaves_its_neighbours_alone() -> None:
    cells = ["1,2", "[1, x]", None, "3", "5,,6", "7,8,9"]
    assert [value for value, _ in read(cells, type="int_list")] == [[1, 2], None, None, [3], None, [7, 8, 9]]


def test_plain_cells_and_those_that_must_be_looked_into_stand_side_by_side() -> None:
    cells = ["[a, b]", '["a", "b, c"]', "a", None, "[]", "[a, null]", "[ a ]", "[a,, b]", '["a", null]', "null", "[a"]
    assert read(pa.array(cells), type="str_list") == [
        (["a", "b"], ""), (["a", "b, c"], ""), (["a"], ""), (None, ""), (None, ""), (["a", "null"], ""), (["a"], ""),
        (None, "an empty item in a list"), (["a"], ""), (None, ""), (None, "a list without its other bracket"),
    ]  # fmt: skip


def test_cells_with_a_dictionary_are_read_as_without() -> None:
    cells = pa.array(["[1, 2]", "x", None, "[1, 2]", "3"])
    assert read(cells.dictionary_encode(), type="int_list") == read(cells, type="int_list")


def test_lists_that_are_lists_already() -> None:
    assert read(pa.array([[1, 2], None, [], [3]]), type="int_list") == [([1, 2], ""), (None, ""), (None, ""), ([3], "")]
    assert read(pa.array([[1] * 5, [2]]), type="int_list", max_items=4) == [(None, "more than 4 items"), ([2], "")]


def test_vectors_are_whole_and_finite() -> None:
    cells = [
        "[1, -2.5]", "0.5,1e3", None, "[]", "[1]", "[1, 2, 3]", "[1, inf]", "[1, nan]", "[1, x]", "[1, null]", "1,",
    ]  # fmt: skip
    expected: list[tuple[list[float] | None, str]] = [
        ([1.0, -2.5], ""), ([0.5, 1000.0], ""), (None, ""), (None, ""), (None, "fewer than 2 items"),
        (None, "more than 2 items"), (None, "not a finite number"), (None, "not a finite number"),
        (None, "not a number"), (None, "fewer than 2 items"), (None, "an empty item in a list"),
    ]  # fmt: skip
    assert read(pa.array(cells), type="float_list", items=2) == expected
    lists = [[1.0, 2.0], None, [], [float("nan"), 1.0], [1.0, float("inf")], [1.0, None]]
    assert read(pa.array(lists, pa.list_(pa.float32())), type="float_list", items=2) == [
        ([1.0, 2.0], ""), (None, ""), (None, ""), (None, "not a finite number"), (None, "not a finite number"),
        (None, "fewer than 2 items"),
    ]  # fmt: skip
    assert read(pa.array([[1, 2, 3]]), type="float_list", max=2) == [(None, "above 2")]


def test_a_sliced_list_column_keeps_its_own_rows() -> None:
    assert read(pa.array([[9], [1, 2], [3]]).slice(1), type="int_list") == [([1, 2], ""), ([3], "")]


def test_text_lists_and_paths() -> None:
    assert read(["79323P, 85048", '"x"'], type="str_list") == [(["79323P", "85048"], ""), (["x"], "")]
    assert read(["[/a/b/c, /d/e]", "[a]"], type="path_list") == [(["/a/b/c", "/d/e"], ""), (None, "not a path")]


@pytest.mark.parametrize(
    ("cell", "expected", "reason"),
    [
        ('["rock, punk","jazz"]', ["rock, punk", "jazz"], ""), ('["caf\\u00e9"]', ["café"], ""),
        ('["cafe\u0301"]', ["café"], ""), ('["a\\/b"]', ["a/b"], ""), ("[null]", None, ""),
        ('["a", null, "b"]', ["a", "b"], ""), ('["\\"x\\", y", "]"]', ['"x", y', "]"], ""),
        ('["1.50", 1.50, 7, true]', ["1.50", "1.50", "7", "true"], ""),
        ('"[\\"a, b\\", \\"c\\"]"', ["a, b", "c"], ""),
        (' [ "a" ] ', ["a"], ""), ('["\'tis", "\\ud83c\\udfb5"]', ["'tis", "🎵"], ""), ("[]", None, ""),
        ('["a", ""]', None, "an empty item in a list"), ('["a", "b]', None, "not a list in JSON"),
        ('["a" "b"]', None, "not a list in JSON"), ('[1, "x]', None, "not a list in JSON"),
        ('["a", ["b"]]', None, "a list or an object within a list"),
        ('[{"a": 1}]', None, "a list or an object within a list"),
        ("[[1, 2], [3]]", None, "a list or an object within a list"), ('["\\ud800"]', None, "not a list in JSON"),
        ('["a", "b"', None, "a list without its other bracket"), ("[rock, null]", ["rock", "null"], ""),
        ("['a', 'b, c']", ["a", "b, c"], ""), ("[a b, c]", ["a b", "c"], ""),
        ("Action|Comedy", ["Action|Comedy"], ""),
        ('["a"],["b"]', None, "not a list in JSON"), ("[" * 5000 + '"', None, "a list without its other bracket"),
        ("[" * 5000 + "]", None, "not a list in JSON"), ("null", None, ""), (' "null" ', None, ""),
        ('{"a": 1, "b": 2}', None, "in braces, which is no list"), ("{rock,punk}", None, "in braces, which is no list"),
        ('["' + '", "'.join(["x"] * 1001) + '"]', None, "more than 1000 items"),
    ],
)  # fmt: skip
def test_lists_in_json(cell: str, expected: list[str] | None, reason: str) -> None:
    (alone,) = read([cell], type="str_list")
    assert alone == (expected, reason)
    # Whatever else stands in the column.
    others = ['["x"]', "y, z", None, '["a", "b]', '["u"],["v"]']
    assert read([*others[:3], cell, *others[3:]], type="str_list")[3] == alone


@pytest.mark.parametrize(
    ("cell", "expected", "reason"),
    [
        ("['rock, punk', 'jazz']", ["rock, punk", "jazz"], ""), ("""["it's", 'b']""", ["it's", "b"], ""),
        ("['caf\\u00e9', 'a\\\\b', 'it\\'s']", ["café", "a\\b", "it's"], ""), ("['a', None]", ["a"], ""),
        ("['a', nan, 1.50, True]", ["a", "1.50", "true"], ""), ("['a, b',]", ["a, b"], ""),
        ("['[x]', 'y']", ["[x]", "y"], ""), ("['a, b', '']", None, "an empty item in a list"),
        ("['\\ud800', 'a']", ["\\ud800", "a"], ""), ("[rock 'n' roll, jazz]", ["rock 'n' roll", "jazz"], ""),
        ("['tis, 'twas]", ["tis", "twas"], ""), ("[Nonesuch, 'a']", ["Nonesuch", "a"], ""),
        ("""['a', ["b, c"]]""", None, "not a list in JSON"),
    ],
)  # fmt: skip
def test_lists_as_python_writes_them(cell: str, expected: list[str] | None, reason: str) -> None:
    assert read([cell], type="str_list") == [(expected, reason)]
    others = ['["x, y"]', "y, z", None, "['u', 'v']", '["u"],["v"]']
    assert read([*others[:3], cell, *others[3:]], type="str_list")[3] == (expected, reason)


def test_numbers_and_paths_in_json() -> None:
    assert read(['["12", 13.0, null, 14]', "[15, null]", '[1e3, "x"]'], type="int_list") == [
        ([12, 13, 14], ""), ([15], ""), (None, "not a whole number"),
    ]  # fmt: skip
    assert read(['["\\/a\\/b", "/c,d"]', "[/homework/exam/a, /b/c]", '["a"]'], type="path_list") == [
        (["/a/b", "/c,d"], ""), (["/homework/exam/a", "/b/c"], ""), (None, "not a path"),
    ]  # fmt: skip


def test_a_missing_item_is_left_out_of_lists_of_every_type() -> None:
    for lists in (pa.array([["a", None]]), pa.array(['["a", null]'])):
        assert read(lists, type="str_list") == [(["a"], "")]
    for lists in (pa.array([[1, None]]), pa.array([[1.0, float("nan")]]), pa.array(["[1, null]"])):
        assert read(lists, type="int_list") == [([1], "")]


def test_the_separator_is_a_setting() -> None:
    cells = ["Action|Comedy", "[a, b | c]", "x", "|y", '["a|b", "c"]', "[1, 2]"]
    assert read(cells, type="str_list", separator="|") == [
        (["Action", "Comedy"], ""), (["a, b", "c"], ""), (["x"], ""), (None, "an empty item in a list"),
        (["a|b", "c"], ""), (["1", "2"], ""),
    ]  # fmt: skip
    assert read(["12;13", "14"], type="int_list", separator=";") == [([12, 13], ""), ([14], "")]
    assert read(["/a::/b"], type="path_list", separator="::") == [(["/a", "/b"], "")]
    assert read(["a|b|c"], type="str_list", separator="|", max_items=2) == [(None, "more than 2 items")]
