from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.schema import MISSING_INT, MISSING_STR, PAD_INT
from pipeline.features.frames.frame import Column, Lists
from pipeline.features.frames.stored import PackedColumns, StoredColumns
from pipeline.storage import array_file

LARGEST = 2**63 - 1


def there_and_back(path: Path, **columns: Column) -> tuple[dict[str, Column], PackedColumns]:
    packed = PackedColumns()
    for name, column in columns.items():
        packed.add(name, column)
    array_file.write(path, packed.arrays, {"columns": packed.index})
    arrays, meta = array_file.read(path)
    stored = StoredColumns(arrays, meta["columns"])
    return {name: stored[name] for name in columns}, packed


def assert_equal(found: Column, expected: Column) -> None:
    if isinstance(expected, Lists):
        assert isinstance(found, Lists)
        assert_equal(found.offsets, expected.offsets)
        assert_equal(found.values, expected.values)
        return
    assert not isinstance(found, Lists)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if expected.dtype == object:
        assert found.tolist() == expected.tolist()
    else:
        assert found.tobytes() == expected.tobytes()


def texts(*values: str) -> Any:
    return np.array([*values, None], object)[:-1]


COLUMNS: dict[str, Column] = {
    "numbers": np.array([3, MISSING_INT, -7, 3], np.int64),
    "wide": np.array([LARGEST, MISSING_INT, 0, PAD_INT], np.int64),
    "floats": np.array([1.5, np.nan, -np.inf, -0.0]),
    "single": np.array([[1, np.nan], [2, 3]], np.float32),
    "labels": np.array([1, 0, -1, -128], np.int8),
    "marked": np.array([True, False, True, True]),
    "text": texts("", MISSING_STR, "nul\0inside\0", "早安 🙂"),
    "days": np.array(["2024-02-29", "NaT", "1969-12-31", "9999-12-31"], "datetime64[D]"),
    "times": np.array(["2024-02-29T12:30:00.007", "NaT", "1969-12-31", "2024-01-01"], "datetime64[ms]"),
    "number lists": Lists.of([[1, 2], [], [MISSING_INT], [2**40]], np.int64),
    "text lists": Lists.of([["a|b"], [], ["", "\0"], ["é"]], object),
    "day lists": Lists(np.array([0, 0, 1]), np.array(["2024-02-29"], "datetime64[D]")),
}  # fmt: skip


@pytest.mark.parametrize("name", list(COLUMNS))
def test_a_column_of_every_type_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    assert_equal(there_and_back(tmp_path / "file", column=COLUMNS[name])[0]["column"], COLUMNS[name])


@pytest.mark.parametrize("name", list(COLUMNS))
def test_a_column_of_no_rows_keeps_its_type(tmp_path: Path, name: str) -> None:
    column = COLUMNS[name]
    none = column.take(np.zeros(0, np.int64)) if isinstance(column, Lists) else column[:0]
    assert_equal(there_and_back(tmp_path / "file", column=none)[0]["column"], none)


@given(values=st.lists(st.one_of(st.integers(-(2**63), LARGEST), st.integers(-200, 200), st.just(MISSING_INT))))
def test_any_whole_numbers_come_back(tmp_path_factory: pytest.TempPathFactory, values: list[int]) -> None:
    column = np.array(values, np.int64)
    found, _ = there_and_back(tmp_path_factory.mktemp("file") / "file", column=column)
    assert_equal(found["column"], column)


@pytest.mark.parametrize(
    ("values", "width"),
    [([0, 127, MISSING_INT], 1), ([-127], 1), ([-128], 2), ([128], 2), ([-(2**15)], 4), ([2**31 - 1], 4),
     ([2**31], 8), ([MISSING_INT], 1)],
)  # fmt: skip
def test_whole_numbers_are_kept_as_narrow_as_they_are(tmp_path: Path, values: list[int], width: int) -> None:
    _, packed = there_and_back(tmp_path / "file", column=np.array(values, np.int64))
    assert packed.arrays["column"].dtype.itemsize == width


def test_a_text_is_kept_once_and_so_is_a_column_of_two_names(tmp_path: Path) -> None:
    text, lists = texts(*["long words"] * 1000), COLUMNS["number lists"]
    found, packed = there_and_back(tmp_path / "file", first=text, second=text, third=lists, fourth=lists)
    assert {name: array.nbytes for name, array in packed.arrays.items() if name.startswith(("first", "second"))} == {
        "first": 1000, "first#words": 8,
    }  # fmt: skip
    assert found["second"] is found["first"]
    assert found["fourth"] is found["third"]
