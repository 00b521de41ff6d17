from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import CorruptArtifact
from pipeline.storage import array_file


def test_every_array_comes_back_mapped_and_read_only(tmp_path: Path) -> None:
    arrays = {
        "matrix": np.arange(12, dtype=np.float32).reshape(3, 4), "none": np.zeros((0, 5), np.int32),
        "flags": np.array([True, False]), "text": np.array(["a", "", "ü,|"], object), "no text": np.zeros(0, object),
        "one": np.array(7),
    }  # fmt: skip
    array_file.write(tmp_path / "a", arrays, {"layout": {"x": [1, 2]}})
    found, meta = array_file.read(tmp_path / "a")
    assert meta == {"layout": {"x": [1, 2]}}
    assert list(found) == sorted(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        assert found[name].tolist() == array.tolist(), name
    with pytest.raises(ValueError, match="read-only"):
        found["matrix"][0, 0] = 1


def test_equal_arrays_give_equal_files(tmp_path: Path) -> None:
    arrays = {"b": np.arange(5), "a": np.array(["x"], object)}
    array_file.write(tmp_path / "1", arrays)
    array_file.write(tmp_path / "2", arrays)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.mark.parametrize("keep", [0, 4, 20, 100])
def test_a_truncated_file_is_told(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a"
    array_file.write(path, {"a": np.arange(1000)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorruptArtifact, match=r"the arrays are damaged"):
        array_file.read(path)


def test_objects_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError)):
        array_file.write(tmp_path / "a", {"a": np.array(["x", None], object)})


@pytest.mark.parametrize("from_end", [1, 40, 200])
def test_one_flipped_bit_is_noticed(tmp_path: Path, from_end: int) -> None:
    path = tmp_path / "some.arrays"
    array_file.write(path, {"a": np.arange(100, dtype=np.int32), "b": np.array(["x", "yz"], object)})
    data = bytearray(path.read_bytes())
    data[-from_end] ^= 4
    path.write_bytes(data)
    with pytest.raises(CorruptArtifact, match="checksum"):
        array_file.read(path)


def test_a_file_of_before_there_was_a_checksum_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    array_file.write(path, {"a": np.arange(1000)})
    data = path.read_bytes()
    header = data[16 : 16 + int.from_bytes(data[8:16], "little")]
    older = json.loads(header)
    del older["crc32"]
    path.write_bytes(data.replace(header, json.dumps(older).encode().ljust(len(header))))
    assert array_file.read(path)[0]["a"].tolist() == list(range(1000))


def test_some_rows_of_what_was_written_just_now(tmp_path: Path) -> None:
    array_file.write(tmp_path / "a", {"n": np.arange(6).reshape(3, 2), "t": np.array(["é", ""], object)}, {"of": 1})
    arrays, meta = array_file.stored(tmp_path / "a")
    assert (arrays["n"].shape, arrays["n"][1:].tolist(), arrays["n"][5:].shape) == ((3, 2), [[2, 3], [4, 5]], (0, 2))
    assert (arrays["t"].tolist(), meta) == (["é", ""], {"of": 1})  # type: ignore[union-attr]
