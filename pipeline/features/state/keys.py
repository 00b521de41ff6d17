"""Rows keyed by several ids together: what tells them apart, and that no two keys are taken for one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataError
from pipeline.features.frames.frame import Column, Lists
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.ids.fingerprints import Codes, are_known, key_of

_ID = "id."


def id_columns(codes: tuple[Codes, ...]) -> dict[str, Column]:
    """The codes as columns beside a key of several ids; none for one id, whose code is the key."""
    return {f"{_ID}{place}": each for place, each in enumerate(codes)} if len(codes) > 1 else {}


def no_ids(arity: int) -> tuple[Codes, ...]:
    return tuple(np.zeros(0, np.int64) for _ in range(arity))


def ids_of(table: Keyed, arity: int) -> tuple[Codes, ...]:
    """The codes of the ids that each row's key is made of."""
    return (table.keys,) if arity == 1 else tuple(_flat(table.columns[f"{_ID}{place}"]) for place in range(arity))


def in_order(codes: tuple[Codes, ...]) -> tuple[Codes, NDArray[np.int64]]:
    """Keys of the rows of which all ids are known, ascending, and those rows, in their order within a key.

    Raises:
        DataError: two rows of other ids have one key.
    """
    known = np.flatnonzero(are_known(*codes))
    keys = key_of(*(each[known] for each in codes))
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], known[order]
    if len(codes) > 1:
        same = np.flatnonzero(keys[1:] == keys[:-1])
        _check_same(tuple(each[rows[same]] for each in codes), tuple(each[rows[same + 1]] for each in codes))
    return keys, rows


def updated(table: Layered, rows: Keyed, arity: int) -> Layered:
    """The table with ``rows`` in place of those of the same keys.

    Raises:
        DataError: a row that is there has the key of other ids.
    """
    if arity > 1:
        names = [f"{_ID}{place}" for place in range(arity)]
        there = np.flatnonzero(table.holds(rows.keys))
        found = table.at(rows.keys[there], names)
        _check_same(
            tuple(_flat(rows.columns[name])[there] for name in names), tuple(_flat(found[name]) for name in names)
        )
    return table.updated(rows)


def _check_same(one: tuple[Codes, ...], other: tuple[Codes, ...]) -> None:
    wrong = np.flatnonzero(np.any([a != b for a, b in zip(one, other, strict=True)], axis=0))
    if len(wrong):
        first, second = (tuple(int(each[wrong[0]]) for each in side) for side in (one, other))
        raise DataError(
            f"the feature state cannot tell the ids of codes {first} from those of {second}: both have one key. Give "
            "one of the ids another spelling in the source's query, or leave the row out"
        )


def _flat(column: Column) -> Codes:
    if isinstance(column, Lists):
        raise TypeError("ids of a key are one a row")
    return column
