"""The items whose vectors have the largest inner product with a user's: exact of a few, by an index of many."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

BESIDE: Final = "assets.extra"
"""Folder of a SavedModel for files that the model itself does not read."""
USER, ITEM = "user", "item"
"""Folders of the towers in it."""
FOLDER = "items"
"""Of a model with two towers, beside these: the raw ids of items, their vectors, the index of many."""
_KEYS, _VECTORS = "keys.npy", "vectors.npy"

EXACT = 100_000
"""Items up to which every one is looked at."""
_INDEX = "index.faiss"
_CANDIDATES = 30
"""Of each item that is asked for, how many the index gives, whose products are then taken exactly."""
_SAMPLE = 65_536
_SUBSPACE = 2
"""Values that a code of four bits stands for."""


class Nearest:
    """Items by the inner product of their vectors with a user's.

    Beyond ``EXACT`` items an index scans all of them as codes of four bits for two values (product quantisation) and
    gives some thirty for each that is wanted; of these the products are exact.

    Args:
        vectors: ``[items, dim]``.
        index: as of :func:`built`, of more than ``EXACT`` items.
    """

    def __init__(self, vectors: Vectors, index: Any = None) -> None:
        self._vectors = vectors
        self._index = index

    @classmethod
    def of(cls, vectors: Vectors) -> Nearest:
        """Of vectors without a file."""
        return cls(vectors, built(vectors) if len(vectors) > EXACT else None)

    @classmethod
    def read(cls, folder: Path, vectors: Vectors) -> Nearest:
        """Of vectors and the index that :meth:`write` has put beside them."""
        if len(vectors) <= EXACT:
            return cls(vectors)
        import faiss

        return cls(vectors, faiss.read_index(str(folder / _INDEX)))

    def write(self, folder: Path) -> None:
        """Write the index, where there is one; the same vectors give the same bytes."""
        if self._index is not None:
            import faiss

            faiss.write_index(self._index, str(folder / _INDEX))

    def search(self, user: Vectors, many: int) -> tuple[NDArray[np.int64], Vectors]:
        """Places and products of the best ``many`` items or fewer, best first, equal ones in the order of their places.

        Args:
            user: ``[dim]``.
        """
        places = np.arange(len(self._vectors))
        if self._index is not None and many * _CANDIDATES < len(self._vectors):
            _, found = self._index.search(padded(user[None]), many * _CANDIDATES)
            places = np.sort(found[0][found[0] >= 0])
        scores = (self._vectors if len(places) == len(self._vectors) else self._vectors[places]) @ user
        best = np.arange(len(scores))
        if many < len(scores):
            least = np.partition(scores, len(scores) - many)[len(scores) - many]
            best = np.flatnonzero(scores >= least)
        order = best[np.argsort(-scores[best], kind="stable")][:many]
        return places[order], scores[order]


def built(vectors: Vectors) -> Any:
    """The index of vectors: a function of them alone, so one thread makes it."""
    import faiss

    whole = padded(vectors)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        index = faiss.IndexPQFastScan(whole.shape[1], whole.shape[1] // _SUBSPACE, 4, faiss.METRIC_INNER_PRODUCT)
        index.train(whole[:: max(1, len(whole) // _SAMPLE)])
        index.add(whole)
    finally:
        faiss.omp_set_num_threads(threads)
    return index


def padded(vectors: Vectors) -> Vectors:
    """With zeros up to whole subspaces."""
    rest = -vectors.shape[1] % _SUBSPACE
    return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, rest))), np.float32)


def write_items(folder: Path, keys: NDArray[Any], vectors: Vectors) -> None:
    """Write the raw ids of items, int64 or text, and their vectors ``[items, dim]``, with the index of many."""
    folder.mkdir(parents=True)
    np.save(folder / _KEYS, keys if keys.dtype.kind == "i" else keys.astype(str))
    np.save(folder / _VECTORS, vectors)
    Nearest.of(vectors).write(folder)


def read_items(folder: Path) -> tuple[NDArray[Any], Vectors]:
    """What :func:`write_items` has written; texts as objects."""
    keys = np.load(folder / _KEYS)
    return keys if keys.dtype.kind == "i" else keys.astype(object), np.load(folder / _VECTORS)
