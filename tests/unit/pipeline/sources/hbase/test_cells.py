from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.sources.hbase.cells import Cells, Wanted, overwrites, plain_keys, wanted_columns


def test_a_name_is_looked_for_in_every_family_unless_it_names_one() -> None:
    found, missing = wanted_columns(["row_key", "a", "c:b", "x:b", "u"], ["u", "c"])
    assert found == [
        Wanted("row_key", ()), Wanted("a", (b"c:a", b"u:a")), Wanted("c:b", (b"c:b",)),
        Wanted("u", (b"c:u", b"u:u", b"u:")),
    ]  # fmt: skip
    assert missing == ["x:b"]


def test_rows_become_text_columns() -> None:
    cells = Cells([Wanted("row_key", ()), Wanted("a", (b"c:a",)), Wanted("b", (b"c:b", b"u:b"))])
    batch = cells.batch(
        [(b"1_2", {b"c:a": b"x", b"u:b": b"2"}), (b"1_2_17_0", {b"c:b": b"", b"u:b": b"3"}), (b"k", {})]
    )
    assert batch.to_pydict() == {"row_key": ["1_2", "1_2", "k"], "a": ["x", None, None], "b": ["2", "", None]}
    assert all(pa.types.is_string(each.type) for each in batch.schema)
    assert cells.not_text == 0


def test_bytes_that_are_no_text_stay_apart_and_are_counted() -> None:
    cells = Cells([Wanted("a", (b"c:a",))])
    batch = cells.batch([(b"1", {b"c:a": value}) for value in (b"\xff", b"\xfe", "ÿ".encode(), b"\x00", b"\\xff")])
    assert batch["a"].to_pylist() == ["\\xff", "\\xfe", "ÿ", "\x00", "\\xff"]
    assert cells.not_text == 2


@pytest.mark.parametrize(
    ("key", "plain"),
    [
        ("1_2", "1_2"),
        ("1_2_1709524800000_0", "1_2"),
        ("1_2_0_12", "1_2"),
        ("7", "7"),
        ("1_2_3", "1_2_3"),
        ("1_2_3_4_5", "1_2_3_4_5"),
        ("1_2_x_0", "1_2_x_0"),
        ("a b_2_3_0", "a b_2"),
    ],
)
def test_time_and_ordinal_are_no_part_of_the_key_that_the_job_sees(key: str, plain: str) -> None:
    assert plain_keys(pa.array([key, None])).to_pylist() == [plain, None]


def test_which_keys_overwrite() -> None:
    keys = pa.array([b"1_2", b"1_2_3_0", b"7", b"\xff_2"], pa.binary())
    assert overwrites(keys).to_pylist() == [True, False, False, True]
