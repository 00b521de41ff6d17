"""What has changed between two readings of a table: rows that came, went or were corrected, labels by direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.ingest.row_order import key_of_rows
from pipeline.storage.physical_types import texts

_EMPTY = "empty"
"""How a missing label is named in a direction."""


@dataclass(frozen=True)
class RowChanges:
    """Counts of rows.

    Attributes:
        before, after: rows of the two readings.
        added, removed: rows of one reading whose identity the other lacks.
        corrected: rows of both that differ elsewhere than in the label.
        labels: rows of both whose label changed, by direction such as ``0→1``.
    """

    before: int
    after: int
    added: int = 0
    removed: int = 0
    corrected: int = 0
    labels: dict[str, int] = field(default_factory=dict)

    @property
    def none(self) -> bool:
        return not (self.added or self.removed or self.corrected or self.labels)


def row_changes(before: pa.Table, after: pa.Table, identity: Sequence[str], label: str | None = None) -> RowChanges:
    """Compare two readings of a table, as multisets of rows; their order says nothing.

    Args:
        identity: columns that tell which rows of the two readings are the same; those that a table lacks are empty.
        label: the column whose changes are counted by direction.
    """
    names = sorted(set(before.column_names) | set(after.column_names))
    left, right = _texts(before, names), _texts(after, names)
    gone, come = _unmatched(*_coded(left, right, names))
    lost, found = left.take(pa.array(gone)), right.take(pa.array(come))
    same = [name for name in identity if name in names] or [name for name in names if name != label]
    pairs = _paired(*_coded(lost, found, same))
    directions: dict[str, int] = {}
    if label is not None and label in names:
        old, new = (_labels(each, label, rows) for each, rows in zip((lost, found), pairs, strict=True))
        for was, now in zip(old, new, strict=True):
            if was != now:
                directions[f"{was}→{now}"] = directions.get(f"{was}→{now}", 0) + 1
    matched = len(pairs[0])
    return RowChanges(
        before.num_rows, after.num_rows, added=len(come) - matched, removed=len(gone) - matched,
        corrected=matched - sum(directions.values()), labels=dict(sorted(directions.items())),
    )  # fmt: skip


def _texts(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """The columns as text: a column may come as numbers once and as text the other time."""
    columns = {
        name: texts(table[name].combine_chunks())
        if name in table.column_names
        else pa.nulls(table.num_rows, pa.string())
        for name in names
    }
    return pa.table(columns)


def _labels(table: pa.Table, label: str, rows: NDArray[np.int64]) -> list[str]:
    return [str(each) for each in pc.fill_null(table[label].take(pa.array(rows)), _EMPTY).to_pylist()]


def _coded(left: pa.Table, right: pa.Table, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each row of both tables, equal where the named columns are."""
    keys = [key_of_rows(each, names) for each in (left, right)]
    codes = pa.concat_arrays(keys).dictionary_encode("encode").indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes[: left.num_rows], codes[left.num_rows :]


def _unmatched(left: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the rows of either side that have no equal one on the other; of several equal ones the last."""
    width = int(max(left.max(initial=-1), right.max(initial=-1))) + 1
    ours, theirs = np.bincount(left, minlength=width), np.bincount(right, minlength=width)
    return np.flatnonzero(_nth(left) >= theirs[left]), np.flatnonzero(_nth(right) >= ours[right])


def _paired(left: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of rows that belong together, the n-th of a number on one side with the n-th on the other."""
    width = max(len(left), len(right)) + 1
    _, ours, theirs = np.intersect1d(
        left * width + _nth(left), right * width + _nth(right), assume_unique=True, return_indices=True
    )
    return ours.astype(np.int64), theirs.astype(np.int64)


def _nth(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many equal numbers stand before each."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(codes) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[starts, len(codes)])
    nth = np.empty(len(codes), np.int64)
    nth[order] = np.arange(len(codes)) - np.repeat(starts, lengths)
    return nth
