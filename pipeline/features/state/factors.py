"""Vectors of owners and of what they took, fitted to who took what: a truncated SVD, or alternating least squares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.config.bags import Collaborative
from pipeline.days import Day
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.frames.keyed import Keyed
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.state.bags import EVENT, parted
from pipeline.features.state.histories import HistoryTable

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SMOOTHING = 5.0
"""Added to how many values an owner has, and how many owners a value."""
_WHOLE, _STEPS, _TOLERANCE, _NOTHING = 4, 32, 1e-4, 1e-12
_ROUNDS, _SEED = 5, 20091201
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Taken:
    """Who took what, each pair once: the values of each owner as rows of ``values``.

    Attributes:
        values: distinct codes, ascending.
        lists: int64 rows of ``values`` of each owner, ascending.
    """

    values: Codes
    lists: Lists

    @classmethod
    def of(cls, table: HistoryTable, day: Day) -> Taken:
        """Of all owners, as of the end of ``day``."""
        entries = table.all(day)[1]
        _, bags = parted(entries.parts[EVENT])
        held = np.repeat(np.arange(len(entries.offsets) - 1), np.diff(bags.offsets[entries.offsets]))
        values, row = np.unique(bags.values, return_inverse=True)
        pairs = np.unique(held * max(len(values), 1) + row)
        owner, row = np.divmod(pairs, max(len(values), 1))
        ends = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(entries.offsets) - 1))])
        return cls(values, Lists(ends.astype(np.int64), row))

    @property
    def owners(self) -> NDArray[np.int64]:
        """By value, how many owners took it."""
        return np.bincount(self.lists.values, minlength=len(self.values))

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """The owner of each pair."""
        return np.repeat(np.arange(len(self.lists)), self.lists.lengths)

    def weighed(self, weight: Floats) -> csr_array:
        """The matrix of owners and values, ``weight`` of each pair, else 0."""
        from scipy.sparse import csr_array  # only where something is fitted: most processes need none of it

        shape = len(self.lists), len(self.values)
        return csr_array((weight, self.lists.values, self.lists.offsets), shape=shape)


@dataclass(frozen=True)
class Factors:
    """What was fitted as of the end of a day.

    Attributes:
        table: by code of a value its ``vector`` float32 ``[factors]``, and how many ``owners`` int32 took it by then.
        gram: float64 ``[factors, factors]``, of ``als``: what all values together add to an owner's equations.
    """

    table: Keyed
    gram: Floats

    @classmethod
    def none(cls, settings: Collaborative) -> Factors:
        columns = {"vector": np.zeros((0, settings.factors), np.float32), "owners": np.zeros(0, np.int32)}
        return cls(Keyed(np.zeros(0, np.int64), columns), np.zeros((settings.factors, settings.factors)))

    @classmethod
    def fit(cls, settings: Collaborative, table: HistoryTable, day: Day) -> Factors:
        """The vectors of what owners have taken up to the end of ``day``."""
        taken = Taken.of(table, day)
        if not len(taken.values):
            return cls.none(settings)
        vectors = np.zeros((len(taken.values), settings.factors))
        gram = np.zeros((settings.factors, settings.factors))
        if settings.method == "svd":
            found = singular_vectors(taken, settings.factors)
            vectors[:, : found.shape[1]] = found
        else:
            vectors = least_squares(taken, settings)
            gram = vectors.T @ vectors + settings.penalty * np.eye(settings.factors)
        columns = {"vector": vectors.astype(np.float32), "owners": taken.owners.astype(np.int32)}
        return cls(Keyed(taken.values, columns), gram)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Named arrays; ``from_arrays`` makes equal factors of them."""
        return {"values": self.table.keys, "gram": self.gram, **{n: _array(self.table, n) for n in self.table.columns}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Factors:
        keys: Codes = np.asarray(arrays["values"], np.int64)
        columns = {"vector": np.asarray(arrays["vector"], np.float32), "owners": np.asarray(arrays["owners"], np.int32)}
        return cls(Keyed(keys, columns), np.asarray(arrays["gram"], np.float64))

    def vectors(self, values: Codes) -> NDArray[np.float32]:
        """The vectors of values, ``[values, factors]``; zeros for those that were not there at the fit."""
        rows, column = self.table.find(values), _array(self.table, "vector")
        out = column[rows] if len(column) else np.zeros((len(values), column.shape[1]), np.float32)
        out[rows < 0] = 0
        return out

    def owners(self, settings: Collaborative, table: HistoryTable, owner: Codes) -> NDArray[np.float32]:
        """The vectors of owners by what they have taken by now, ``[owners, factors]``; zeros for who took nothing."""
        out = np.zeros((len(owner), settings.factors), np.float32)
        entries = table.entries((owner,))
        _, bags = parted(entries.parts[EVENT])
        ends = bags.offsets[entries.offsets]
        done: dict[int, NDArray[np.float32]] = {}
        for place, row in enumerate(entries.rows.tolist()):
            if row not in done:
                own = np.unique(bags.values[ends[row] : ends[row + 1]])
                there = self.table.find(own)
                done[row] = self._of_owner(settings, there[there >= 0])
            out[place] = done[row]
        return out

    def _of_owner(self, settings: Collaborative, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vector of who has taken the values in these rows of the table."""
        own = _array(self.table, "vector")[rows].astype(np.float64)
        if settings.method == "svd":
            own /= np.sqrt(_array(self.table, "owners")[rows] + SMOOTHING)[:, None]
        if settings.method == "svd" or not len(own):
            return own.sum(axis=0).astype(np.float32)
        return _solved(self.gram, own, settings.weight).astype(np.float32)


def singular_vectors(taken: Taken, factors: int) -> Floats:
    """The first right singular vectors ``[values, ≤ factors]`` of the smoothed matrix, each's largest entry positive.

    Singular values of who took what fall slowly: powers of a block are many passes away from the subspace, where as
    many products with a single vector span it (``leading``). A small matrix is taken apart whole.
    """
    owners = taken.lists.lengths
    of_owner = np.repeat(owners + SMOOTHING, owners)
    matrix = taken.weighed(1 / np.sqrt(of_owner * (taken.owners + SMOOTHING)[taken.lists.values]))
    if min(matrix.shape) <= _WHOLE * factors:
        found: Floats = np.linalg.svd(matrix.toarray(), full_matrices=False)[2][:factors].T
    else:
        across = matrix.T.tocsr()
        found = leading(lambda vector: across @ (matrix @ vector), len(taken.values), factors)
    largest = np.abs(found).argmax(axis=0)
    signed: Floats = found * np.where(found[largest, np.arange(found.shape[1])] < 0, -1.0, 1.0)
    return signed


def leading(product: Callable[[Floats], Floats], width: int, factors: int) -> Floats:
    """The eigenvectors ``[width, factors]`` of the largest eigenvalues of a symmetric matrix, known by its products.

    By Lanczos iteration from a fixed start, each vector held orthogonal to all before. Sums are one after another, not
    a BLAS's: bits do not depend on its threads, which wait for each other at every vector.
    """
    from scipy.linalg import eigh_tridiagonal  # only where something is fitted: most processes need none of it

    draw = np.random.Generator(np.random.Philox(_SEED))
    basis, vector = np.zeros((0, width)), draw.standard_normal(width)
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        done, steps = len(basis), min(width, len(basis) + max(factors, _STEPS))
        basis = np.concatenate([basis, np.zeros((steps - done, width))])
        for row in range(done, steps):
            basis[row] = vector / _length(vector)
            vector = product(basis[row])
            diagonal.append(float(np.einsum("i,i", basis[row], vector)))
            vector = _apart(basis[: row + 1], vector)
            beside.append(_length(vector))
            if beside[-1] <= _NOTHING * abs(diagonal[0]):  # all that the start has a part in is found: from another
                beside[-1], vector = 0.0, _apart(basis[: row + 1], draw.standard_normal(width))
        values, rotated = eigh_tridiagonal(np.array(diagonal), np.array(beside[:-1]))
        first = rotated[:, ::-1][:, :factors]
        left = beside[-1] * np.abs(first[-1])
        if steps == width or (left <= _TOLERANCE * values[::-1][:factors]).all():
            return np.asarray(basis.T @ first)


def _apart(basis: Floats, vector: Floats) -> Floats:
    """What is left of a vector beside orthonormal rows."""
    for _ in range(2):  # once leaves what rounding has put in
        vector = vector - np.einsum("ij,i->j", basis, np.einsum("ij,j->i", basis, vector))
    return vector


def _length(vector: Floats) -> float:
    return float(np.sqrt(np.einsum("i,i", vector, vector)))


def least_squares(taken: Taken, settings: Collaborative) -> Floats:
    """The vectors of values ``[values, factors]`` by alternating least squares from a fixed start."""
    scale = 1 / np.sqrt(settings.factors)
    draw = np.random.Generator(np.random.Philox(_SEED))
    values = draw.standard_normal((len(taken.values), settings.factors)) * scale
    order = np.argsort(taken.lists.values, kind="stable")
    ends = np.concatenate([[0], np.cumsum(taken.owners)]).astype(np.int64)
    takers = Lists(ends, taken.owner[order])
    for _ in range(_ROUNDS):
        owners = _side(taken.lists, values, settings)
        values = _side(takers, owners, settings)
    return values


def _side(lists: Lists, other: Floats, settings: Collaborative) -> Floats:
    """One side's vectors, each solved for those of the other side that belong to it."""
    gram = other.T @ other + settings.penalty * np.eye(settings.factors)
    out = np.zeros((len(lists), settings.factors))
    ends = lists.offsets.tolist()
    for row in np.flatnonzero(lists.lengths).tolist():
        out[row] = _solved(gram, other[lists.values[ends[row] : ends[row + 1]]], settings.weight)
    return out


def _solved(gram: Floats, own: Floats, weight: float) -> Floats:
    found: Floats = np.linalg.solve(gram + weight * (own.T @ own), (1 + weight) * own.sum(axis=0))
    return found


def _array(table: Keyed, name: str) -> Array:
    column = table.columns[name]
    assert not isinstance(column, Lists)
    return column
