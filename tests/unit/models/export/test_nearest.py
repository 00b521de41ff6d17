from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.export import nearest
from models.export.nearest import Nearest, built, read_items, write_items

VECTORS = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 0.0], [-1.0, 1.0]], np.float32)
USER = np.array([1.0, 0.25], np.float32)


def test_the_largest_products_come_first_and_equal_ones_in_order() -> None:
    places, scores = Nearest(VECTORS).search(USER, 3)
    assert places.tolist() == [0, 2, 1]
    assert scores.tolist() == [1.0, 1.0, 0.5]
    assert Nearest(VECTORS).search(USER, 1)[0].tolist() == [0]
    assert Nearest(VECTORS).search(USER, 9)[0].tolist() == [0, 2, 1, 3]


def directions(items: int, dim: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((items, dim)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_an_index_finds_nearly_all_with_exact_products_and_is_the_same_bits_when_built_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An odd width: the last value has no partner."""
    monkeypatch.setattr(nearest, "EXACT", 1000)
    vectors, users = directions(20_000, 17), directions(20, 17, seed=1)
    for name in ("one", "two"):
        write_items(tmp_path / name, np.arange(20_000), vectors)
    assert (tmp_path / "one" / "index.faiss").read_bytes() == (tmp_path / "two" / "index.faiss").read_bytes()
    keys, read = read_items(tmp_path / "one")
    near, found = Nearest.read(tmp_path / "one", read), 0
    for user in users:
        exact = np.argsort(-(vectors @ user), kind="stable")[:20]
        places, scores = near.search(user, 20)
        assert scores.tolist() == sorted((vectors[places] @ user).tolist(), reverse=True)
        found += len(np.intersect1d(exact, keys[places]))
    assert found >= 0.98 * 20 * len(users)


def test_text_ids_come_back_as_they_are(tmp_path: Path) -> None:
    write_items(tmp_path / "items", np.array(["a", "bé"], object), VECTORS[:2])
    keys, vectors = read_items(tmp_path / "items")
    assert keys.tolist() == ["a", "bé"]
    np.testing.assert_array_equal(vectors, VECTORS[:2])
    assert not (tmp_path / "items" / "index.faiss").exists()
    assert built(VECTORS[:, :1].repeat(32, axis=0)).ntotal == 128
