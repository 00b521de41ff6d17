from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.features.arrays.packed import packed
from pipeline.features.arrays.stacked import Stacked
from pipeline.storage import array_file
from pipeline.storage.array_file import StoredArray
from pipeline.storage.digests import tensor_digest

WHOLE = np.arange(15, dtype=np.uint16).reshape(5, 3)


@pytest.fixture
def parts(tmp_path: Path) -> list[StoredArray]:
    found = []
    for number, rows in enumerate((slice(0, 2), slice(2, 2), slice(2, 5))):
        array_file.write(tmp_path / str(number), {"before": np.zeros(7, np.int8), "a": WHOLE[rows]})
        stored = array_file.stored(tmp_path / str(number))[0]["a"]
        assert isinstance(stored, StoredArray)
        found.append(stored)
    return found


def test_some_rows_are_those_of_the_parts_one_below_the_other(parts: list[StoredArray]) -> None:
    stacked = Stacked(parts, 3)
    assert (stacked.shape, len(stacked), stacked.nbytes, stacked.dtype) == ((5, 3), 5, 30, np.uint16)
    for rows in (slice(None), slice(1, 3), slice(-1, None), slice(4, 9), slice(3, 3)):
        assert stacked[rows].tolist() == WHOLE[rows].tolist()
    assert stacked[:, 1:2].tolist() == WHOLE[:, 1:2].tolist()


def test_it_is_written_and_digested_as_the_whole_is(parts: list[StoredArray], tmp_path: Path) -> None:
    stacked = Stacked(parts, 3)
    array_file.write(tmp_path / "stacked", {"a": stacked})
    array_file.write(tmp_path / "whole", {"a": WHOLE})
    assert (tmp_path / "stacked").read_bytes() == (tmp_path / "whole").read_bytes()
    assert tensor_digest(stacked) == tensor_digest(WHOLE)
    assert packed({"a": stacked})[0]["a"] is stacked


def test_rows_of_a_part_may_be_changed(parts: list[StoredArray]) -> None:
    stacked = Stacked(parts, 4, lambda part, rows: np.pad(rows + 10 * part, ((0, 0), (0, 1))))
    assert stacked[1:3].tolist() == [[3, 4, 5, 0], [26, 27, 28, 0]]
