"""One logical value in whatever physical type a file has it: the same value, or a reason why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.ingest.extracted_file import ExtractedFile, Kinds, Retype
from pipeline.monitoring.audit.payloads import _digest
from pipeline.storage.physical_types import Unusable, is_mixed, mixed_values, name_of, one_of, plain, texts
from tests.unit.pipeline.reading import read

INEXACT = "a float too large to name one whole number"
Encode = Callable[[Sequence[Any]], pa.Array]


def each_as(turn: Callable[[Any], Any], kind: pa.DataType) -> Encode:
    return lambda values: pa.array([None if each is None else turn(each) for each in values], kind)


INTS: dict[str, Encode] = {
    **{str(kind): each_as(int, kind) for kind in (pa.int64(), pa.int32(), pa.uint8(), pa.uint64())},
    **{str(kind): each_as(float, kind) for kind in (pa.float64(), pa.float32(), pa.float16())},
    **{str(kind): each_as(str, kind) for kind in (pa.string(), pa.large_string(), pa.string_view())},
    "decimal": each_as(Decimal, pa.decimal128(38, 9)),
    "bytes": each_as(lambda each: str(each).encode(), pa.binary()),
    "dictionary": lambda values: pa.array(values, pa.int64()).dictionary_encode(),
    "dictionary of text": lambda values: each_as(str, pa.string_view())(values).dictionary_encode(),
    "null": lambda values: pa.nulls(len(values)),
}


def extracted(folder: Path, files: Sequence[pa.Array], chunk: int = 10_000) -> tuple[pa.Array, str]:
    """A column out of files of several types, kept as an extract and read back; with its digest."""
    kinds: Kinds = {}
    while True:
        file = ExtractedFile(folder / "it.parquet", ["x"], kinds)
        try:
            for array in files:
                for start in range(0, len(array), chunk):
                    file.write(pa.RecordBatch.from_arrays([array.slice(start, chunk)], ["x"]))
            file.close()
            break
        except Retype as change:
            kinds = {**kinds, **change.kinds}
    return pq.read_table(folder / "it.parquet")["x"].combine_chunks(), file.digest.hexdigest()


SMALL = st.one_of(st.none(), st.integers(0, 127))
FILES = st.lists(
    st.tuples(st.sampled_from(sorted(INTS)), st.lists(SMALL, min_size=1, max_size=4)), min_size=1, max_size=5
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(FILES, st.sampled_from(["int", "str", "float", "int_list", "str_list"]), st.integers(1, 5))
def test_a_number_is_one_value_in_every_type(tmp_path: Path, given: Any, kind: str, chunk: int) -> None:
    column, digest = extracted(tmp_path, [INTS[name](values) for name, values in given])
    again, other = extracted(tmp_path, [INTS[name](values) for name, values in given], chunk)
    wanted = {
        "int": lambda each: each, "float": float, "str": str,
        "int_list": lambda each: [each], "str_list": lambda each: [str(each)],
    }[kind]  # fmt: skip
    expected = [
        (None if each is None or name == "null" else wanted(each), "") for name, values in given for each in values
    ]
    assert read(column, type=kind) == read(again, type=kind) == expected
    assert digest == other
    with pq.ParquetFile(tmp_path / "it.parquet") as file:
        assert _digest(file, name_of) == digest


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.one_of(st.integers(0, 2**64 - 1), st.floats(0, 1e19)), min_size=1, max_size=6), st.integers(1, 6))
def test_a_number_is_itself_or_has_a_reason(tmp_path: Path, values: list[float], chunk: int) -> None:
    files = [
        pa.array([each], pa.float64()) if isinstance(each, float) else pa.array([each], pa.uint64()) for each in values
    ]
    column, _ = extracted(tmp_path, files, chunk)
    for each, (as_int, why_int), (as_text, why_text) in zip(
        values, read(column, type="int"), read(column, type="str"), strict=True
    ):
        if isinstance(each, int):
            assert as_text == str(each)
            assert (as_int, why_int) == ((each, "") if each < 2**63 else (None, "does not fit in 64 bits"))
        elif not each.is_integer():
            assert (as_int, why_int, as_text) == (None, "not a whole number", repr(each))
        elif each < 2**53:
            assert (as_int, as_text) == (int(each), str(int(each)))
        else:
            assert (as_int, why_int, as_text, why_text) == (None, INEXACT, None, INEXACT)


CELLS = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=3),
    st.text('"[]{},|\\/ \'0128n.:TZ+-\u00e9\u0301', max_size=9),
    st.sampled_from(["12", "12.0", "2024-03-04", "2024-03-04T16:00:00Z", "null"]),
    st.sampled_from(['["a, b", null]', "[1,2]", "[/a/b, /c]", '["\\/a"]', "[[1]]"]),
)  # fmt: skip
KINDS = ["int", "float", "str", "int_list", "str_list", "path_list", "day", "time"]


@settings(max_examples=100, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=8), st.sampled_from(KINDS))
def test_a_value_is_read_alike_whatever_stands_beside_it(values: list[Any], kind: str) -> None:
    column = mixed_values(values)
    alone = [read(mixed_values([each]), type=kind)[0] for each in values]
    assert list(map(repr, read(column, type=kind))) == list(map(repr, alone))
    assert not any(why and value is not None for value, why in alone)


LISTS: dict[str, Encode] = {
    "list<int64>": lambda values: pa.array(values, pa.list_(pa.int64())),
    "list<double>": lambda values: pa.array(values, pa.list_(pa.float64())),
    "large_list<int32>": lambda values: pa.array(values, pa.large_list(pa.int32())),
    "list<uint64>": lambda values: pa.array(values, pa.list_(pa.field("element", pa.uint64(), nullable=False))),
    "list<string>": lambda values: pa.array([[str(each) for each in row] for row in values], pa.list_(pa.string())),
    "list<dictionary>": lambda values: pa.array(
        [[str(each) for each in row] for row in values], pa.list_(pa.dictionary(pa.int32(), pa.string()))
    ),
    "text": lambda values: pa.array([str(row) for row in values], pa.string()),
    "fixed": lambda values: pa.array([(row * 3)[:3] or None for row in values], pa.list_(pa.int64(), 3)),
}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(LISTS)), st.lists(st.lists(st.integers(0, 99), max_size=3), min_size=1, max_size=3)
        ),
        min_size=1, max_size=4,
    ),
    st.sampled_from([int, str]), st.integers(1, 3),
)  # fmt: skip
def test_a_list_is_one_value_in_every_type(tmp_path: Path, given: Any, item: type, chunk: int) -> None:
    column, digest = extracted(tmp_path, [LISTS[name](values) for name, values in given])
    assert extracted(tmp_path, [LISTS[name](values) for name, values in given], chunk)[1] == digest
    expected: list[Any] = []
    for name, values in given:
        for row in values:
            held = (row * 3)[:3] if name == "fixed" else row
            expected.append(([item(each) for each in held] or None, ""))
    assert read(column, type="int_list" if item is int else "str_list") == expected


def test_lists_with_unsigned_numbers_beyond_64_bits(tmp_path: Path) -> None:
    lists = pa.array([[1, 2], [3, 2**63], None, [4]], pa.list_(pa.uint64()))
    for chunk in (1, 4):
        column, _ = extracted(tmp_path, [lists], chunk)
        assert read(column, type="int_list") == [
            ([1, 2], ""), (None, "does not fit in 64 bits"), (None, ""), ([4], ""),
        ]  # fmt: skip
        assert read(column, type="str_list")[1] == (["3", str(2**63)], "")


START = datetime(2024, 2, 26, 1, 2, 3, tzinfo=UTC)
LOCAL = START + timedelta(hours=8)
UNITS = ("s", "ms", "us", "ns")
TIMES: dict[str, pa.Array] = {
    **{unit: pa.array([LOCAL.replace(tzinfo=None)], pa.timestamp(unit)) for unit in UNITS},
    **{f"{unit} UTC": pa.array([START], pa.timestamp(unit, "UTC")) for unit in UNITS},
    **{f"{unit} New York": pa.array([START], pa.timestamp(unit, "America/New_York")) for unit in UNITS},
    "int": pa.array([1708909323000]),
    "double": pa.array([1708909323000.0]),
    "decimal": pa.array([Decimal(1708909323000)]),
    **{
        text: pa.array([text])
        for text in (
            "1708909323000", "1708909323000.0", "2024-02-26 09:02:03", "2024/02/26 09:02:03,000000",
            "2024-02-26T01:02:03Z", "2024-02-26 10:02:03.000+09:00",
        )
    },
}  # fmt: skip


def test_a_time_is_one_instant_in_every_type(tmp_path: Path) -> None:
    for files in (list(TIMES.values()), list(reversed(TIMES.values())), [pa.nulls(1), *TIMES.values()]):
        column, _ = extracted(tmp_path, files)
        found = [pair for pair in read(column, type="time") if pair != (None, "")]
        assert found == [(START, "")] * len(TIMES)
    for name, array in TIMES.items():
        assert read(array, type="time") == [(START, "")], name


def test_a_type_that_a_column_cannot_be_of_is_a_fault_of_its_rows(tmp_path: Path) -> None:
    column, _ = extracted(tmp_path, [pa.array([1]), pa.array([START.date()]), pa.array([[2]])])
    assert read(column, type="int") == [
        (1, ""), (None, "of type date32[day], where int is declared"),
        (None, "of type list<item: int64>, where int is declared"),
    ]  # fmt: skip


def test_flags_are_numbers(tmp_path: Path) -> None:
    column, _ = extracted(tmp_path, [pa.array([True, None]), pa.array(["1"]), pa.array([0.0])])
    assert read(column, type="int", allowed=[0, 1]) == [(1, ""), (None, ""), (1, ""), (0, "")]


@pytest.mark.parametrize("chunk", [1, 2, 9])
def test_what_comes_first_does_not_matter(tmp_path: Path, chunk: int) -> None:
    arrays = [pa.nulls(2), pa.array([float("nan"), 1e11 + 2]), pa.array([10**11 + 2, 2**60 + 1])]
    for files in (arrays, arrays[::-1]):
        column, _ = extracted(tmp_path, files, chunk)
        assert sorted(each for each, why in read(column, type="str") if each is not None and not why) == [
            "100000000002", "100000000002", str(2**60 + 1),
        ]  # fmt: skip


def test_text_of_values_does_not_show_their_type() -> None:
    assert texts(pa.array([12.0, 1e11, 0.5, None])).to_pylist() == ["12", "100000000000", "0.5", None]
    decimals = pa.array([Decimal("12.50"), Decimal(0), Decimal("-0.00000001"), None], pa.decimal128(30, 10))
    assert texts(decimals).to_pylist() == ["12.5", "0", "-0.00000001", None]
    times = [texts(pa.array([START], pa.timestamp(unit, "Asia/Shanghai"))).to_pylist() for unit in ("s", "ms", "ns")]
    assert times == [["2024-02-26 01:02:03Z"]] * 3
    assert texts(pa.array([[1.0, None], None])).to_pylist() == texts(pa.array([[1, None], None])).to_pylist()


def test_what_cannot_be_kept_says_its_type() -> None:
    for array in (pa.array([{"a": 1}]), pa.array([[[1]]]), pa.array([timedelta(1)])):
        with pytest.raises(Unusable, match=r"is of type (struct|list|duration).*write it as text"):
            plain(array)
    assert not is_mixed(pa.array([{"a": 1}]).type)
    assert one_of({"int64": None, "string": "x"}) == "x"
