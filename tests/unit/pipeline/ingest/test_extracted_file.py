"""An extracted table: written chunk by chunk, in the types that all of its values need."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.extracted_file import ExtractedFile, Retype
from pipeline.storage.physical_types import Unusable


def batch(**columns: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def test_the_digest_is_of_the_content_and_not_of_the_chunks(tmp_path: Path) -> None:
    whole = ExtractedFile(tmp_path / "whole", ["a", "b"], {})
    whole.write(batch(a=pa.array([1, 2, 3]), b=pa.array(["x", None, "z"])))
    pieces = ExtractedFile(tmp_path / "pieces", ["a", "b"], {})
    for at in range(3):
        pieces.write(batch(a=pa.array([[1], [2], [3]][at]), b=pa.array([["x"], [None], ["z"]][at], pa.string())))
        pieces.write(batch(a=pa.array([], pa.int64()), b=pa.array([], pa.string())))
    for each in (whole, pieces):
        each.close()
    assert whole.digest.hexdigest() == pieces.digest.hexdigest()
    assert pq.read_table(tmp_path / "whole").equals(pq.read_table(tmp_path / "pieces"))
    assert pieces.rows == 3


def test_columns_without_a_value_are_known(tmp_path: Path) -> None:
    file = ExtractedFile(tmp_path / "t", ["a", "b"], {})
    assert file.empty == {"a", "b"}
    file.write(batch(a=pa.array([None, 1]), b=pa.nulls(2, pa.string())))
    assert file.empty == {"b"}
    file.close()


def test_another_type_in_a_later_chunk_asks_to_be_read_again_with_both(tmp_path: Path) -> None:
    chunks = [batch(a=pa.array([1])), batch(a=pa.array(["one"]))]
    file = ExtractedFile(tmp_path / "t", ["a"], {})
    file.write(chunks[0])
    with pytest.raises(Retype) as caught:
        file.write(chunks[1])
    file.abandon()
    assert caught.value.kinds == {"a": frozenset({pa.int64(), pa.string()})}
    again = ExtractedFile(tmp_path / "t", ["a"], caught.value.kinds)
    for chunk in chunks:
        again.write(chunk)
    again.close()
    assert pq.read_table(tmp_path / "t").num_rows == 2


def test_a_type_that_cannot_be_kept_names_its_column(tmp_path: Path) -> None:
    file = ExtractedFile(tmp_path / "t", ["a"], {})
    with pytest.raises(Unusable, match=r"^column 'a' "):
        file.write(batch(a=pa.array([{"x": 1}])))


def test_a_table_without_rows_has_its_columns_as_text(tmp_path: Path) -> None:
    ExtractedFile(tmp_path / "t", ["a"], {}).close()
    assert pq.read_table(tmp_path / "t").schema == pa.schema({"a": pa.string()})
