from __future__ import annotations

import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline.config.tables import Column
from pipeline.errors import DataError
from tests.unit.pipeline.reading import read

BROKEN = "not keys with a number each"


@pytest.mark.parametrize(
    ("cell", "expected", "reason"),
    [
        ("11:3,12:40,7:3", [12, 11, 7], ""), (" 11 : 3.5 , 12:1e1,", [12, 11], ""), ("5:0,6:-1,7:2", [7], ""),
        ("5:0", None, ""), ("", None, ""), (None, None, ""), ('{"11": 3, "12": "40"}', [12, 11], ""),
        ("11,12:40", None, BROKEN), ("11:x", None, BROKEN), (":3", None, BROKEN), ("11:nan", None, BROKEN),
        ('{"11": true}', None, BROKEN), ('{"11": [3]}', None, BROKEN), ('{"11": 3', None, BROKEN),
        ("11:3,11:4", None, "a key that stands twice"), ('{"11": 3, "11": 4}', None, "a key that stands twice"),
        ("x:3,12:40", None, "not a whole number"), ("1:1,2:2,3:3,4:4", None, "more than 3 items"),
        ("1:1,2:2,3:3,4:0", [3, 2, 1], ""),
    ],
)  # fmt: skip
def test_the_keys_of_a_map_those_of_larger_numbers_first(
    cell: str | None, expected: list[int] | None, reason: str
) -> None:
    told = {"type": "int_list", "map": ":", "max_items": 3}
    assert read(pa.array([cell, "8:1"], pa.string()), **told) == [(expected, reason), ([8], "")]
    assert read(pa.array([cell, "8:1"], pa.string()).dictionary_encode(), **told)[0] == (expected, reason)


def test_keys_of_text_and_other_marks() -> None:
    cells = ["folk=3;rock:punk=40", None]
    assert read(cells, type="str_list", map="=", separator=";") == [(["rock:punk", "folk"], ""), (None, "")]


def test_what_is_no_text_is_no_map() -> None:
    with pytest.raises(DataError, match="is of type int64, where a map in text is declared"):
        read(pa.array([3]), type="int_list", map=":")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"type": "int", "map": ":"}, "it is for int_list and str_list, not for int"),
        ({"type": "int_list", "map": ","}, "what stands between a key and its number"),
        ({"type": "int_list", "map": ";", "separator": ";"}, "what stands between a key and its number"),
        ({"type": "int_list", "map": " "}, "what stands between a key and its number"),
    ],
)
def test_a_mark_is_of_lists_of_keys(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Column.model_validate(settings)
