"""MySQL's values as Arrow columns."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pymysql.constants import FIELD_TYPE

from pipeline.sources.mysql_values import from_text, typed


@pytest.mark.parametrize(
    ("kind", "values", "expected", "arrow"),
    [
        (FIELD_TYPE.LONGLONG, [b"-9223372036854775808", None, b"7"], [-(2**63), None, 7], "int64"),
        (FIELD_TYPE.LONGLONG, [b"18446744073709551615", None], [2**64 - 1, None], "uint64"),
        (FIELD_TYPE.LONG, [b"00000042"], [42], "int64"),
        (FIELD_TYPE.TINY, [b"2", b"0"], [2, 0], "int64"),
        (FIELD_TYPE.TINY, [None, None], [None, None], "int64"),
        (FIELD_TYPE.DOUBLE, [b"0.30000000000000004", b"1e308", None], [0.1 + 0.2, 1e308, None], "double"),
        (FIELD_TYPE.FLOAT, [b"0.1"], [0.1], "double"),
        (FIELD_TYPE.NEWDECIMAL, [b"1234567890123456789012345678901234567890.01"],
         ["1234567890123456789012345678901234567890.01"], "string"),
        (FIELD_TYPE.DATE, [b"0000-00-00", None], ["0000-00-00", None], "string"),
        (FIELD_TYPE.DATETIME, ["2024-03-04 01:02:03.456"], ["2024-03-04 01:02:03.456"], "string"),
        (FIELD_TYPE.VAR_STRING, ["𝒳é".encode(), b"", None], ["𝒳é", "", None], "string"),
        (FIELD_TYPE.BLOB, [b"\xff\x00a", b"plain", None], ["\\xff\x00a", "plain", None], "string"),
        (FIELD_TYPE.JSON, ['{"a": "é"}'.encode()], ['{"a": "é"}'], "string"),
        (FIELD_TYPE.BIT, [b"\x01\x01", None], [257, None], "int64"),
        (FIELD_TYPE.NULL, [None, None], [None, None], "null"),
    ],
)  # fmt: skip
def test_a_column_holds_the_values_in_the_type_of_its_kind(
    kind: int, values: list[bytes | str | None], expected: list[object], arrow: str
) -> None:
    found = from_text(values, kind)
    assert found.to_pylist() == expected
    assert str(found.type) == arrow


def test_numbers_that_come_as_numbers_get_the_same_types() -> None:
    assert typed(pa.array([1, None], pa.int8()), FIELD_TYPE.TINY).equals(from_text([b"1", None], FIELD_TYPE.TINY))
    assert typed(pa.array([2**40], pa.uint64()), FIELD_TYPE.LONGLONG).type == pa.int64()
    assert typed(pa.array([2**63], pa.uint64()), FIELD_TYPE.LONGLONG).type == pa.uint64()
    assert typed(pa.array(["0.1"]), FIELD_TYPE.FLOAT).to_pylist() == [0.1]
    assert typed(pa.array([b"\xe9"], pa.large_binary()), FIELD_TYPE.BLOB).to_pylist() == ["\\xe9"]
