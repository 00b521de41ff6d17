"""Digests of content: equal for equal values, whatever their form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.storage.digests import content_digest, tensor_digest


def test_digest_is_of_values_not_of_layout() -> None:
    table = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert tensor_digest(table) == tensor_digest(np.asfortranarray(table))
    assert tensor_digest(table) == tensor_digest(np.repeat(table, 2, axis=0)[::2])
    assert tensor_digest(table) == tensor_digest(table.astype(">f4"))


def test_digest_of_a_memory_mapped_tensor(tmp_path: Path) -> None:
    table = np.arange(10, dtype=np.int32)
    np.save(tmp_path / "table.npy", table)
    assert tensor_digest(np.load(tmp_path / "table.npy", mmap_mode="r")) == tensor_digest(table)


def test_digest_tells_type_shape_and_one_bit_apart() -> None:
    table = np.zeros((2, 3), np.float32)
    other = table.copy()
    other[1, 2] = np.nextafter(np.float32(0), np.float32(1))
    digests = {
        tensor_digest(each)
        for each in (table, other, table.reshape(3, 2), table.astype(np.float64), table.view(np.int32), -table)
    }
    assert len(digests) == 6


def test_digest_of_text_does_not_depend_on_its_width() -> None:
    assert tensor_digest(np.array(["a", "b"], "U1")) == tensor_digest(np.array(["a", "b"], "U9"))
    assert tensor_digest(np.array(["a", "b"])) == tensor_digest(np.array(["a", "b"], object))
    assert tensor_digest(np.array(["ab", ""])) != tensor_digest(np.array(["a", "b"]))
    assert tensor_digest(np.array([1, None], object)) != tensor_digest(np.array(["1", None], object))


def test_empty_and_scalar_tensors() -> None:
    assert tensor_digest(np.empty((0, 3))) != tensor_digest(np.empty((3, 0)))
    assert tensor_digest(np.ones((), np.float32)) == tensor_digest(np.array(1, np.float32))


def test_content_digest_ignores_order_and_tells_parts_apart() -> None:
    parts = {"a": b"1", "b": np.arange(3), "c": {"y": 1, "x": [None, 1.5, "t"]}, "d": np.int64(3)}
    assert content_digest(parts) == content_digest(dict(reversed(parts.items())))
    assert content_digest({"a": "1"}) != content_digest({"a": b"1"}) != content_digest({"a": 1})
    assert content_digest({"a": "1", "b": "2"}) != content_digest({"a": "2", "b": "1"})
    with pytest.raises(TypeError, match="set"):
        content_digest({"a": {1, 2}})
