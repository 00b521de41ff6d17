"""Ids that a source writes as one and that mean several things, or as several and that mean one thing together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR
from pipeline.config.features import Digits
from pipeline.features.frames.frame import Array


def digits_of(values: NDArray[np.int64], rule: Digits) -> NDArray[np.int64]:
    """The part of composed ids that the rule names, ``plain`` for ids of fewer digits; missing for misfits."""
    part = _part(values, rule)
    plain = MISSING_INT if rule.plain is None else rule.plain
    found = np.where(_composed(values, rule) & _allowed(part, rule), part, MISSING_INT)
    return np.where(_plain(values, rule), plain, found)


def misfits(values: NDArray[np.int64], rule: Digits) -> int:
    """How many ids are neither plain nor composed as the rule says: too long, negative, or with another digit."""
    there = values != MISSING_INT
    fits = _composed(values, rule) & _allowed(_part(values, rule), rule)
    return int((there & ~_plain(values, rule) & ~fits).sum())


def _plain(values: NDArray[np.int64], rule: Digits) -> NDArray[np.bool_]:
    return np.asarray((values >= 0) & (values < 10 ** (rule.of - 1)))


def _composed(values: NDArray[np.int64], rule: Digits) -> NDArray[np.bool_]:
    return np.asarray((values >= 10 ** (rule.of - 1)) & (values < 10**rule.of))


def _part(values: NDArray[np.int64], rule: Digits) -> NDArray[np.int64]:
    behind = rule.of - (rule.at - 1 + rule.count)
    return np.asarray(values // 10**behind % 10**rule.count)


def _allowed(part: NDArray[np.int64], rule: Digits) -> NDArray[np.bool_]:
    return np.ones(part.shape, np.bool_) if rule.allowed is None else np.isin(part, rule.allowed)


def by_column(columns: Sequence[Array], names: Sequence[str]) -> list[Array]:
    """Each value told apart by the column that it stands in: ``label_4:1``. Text in, text out; missing stays so."""
    return [_joined(pa.scalar(name), column) for name, column in zip(names, columns, strict=True)]


def by_pairs(columns: Sequence[Array]) -> list[Array]:
    """Columns two by two as one id, ``<first>:<second>``, whatever the texts hold; missing where either is."""
    pairs = []
    for first, second in zip(columns[::2], columns[1::2], strict=True):
        # A colon in the first must not be the one between the two.
        told = pc.replace_substring(pc.replace_substring(_text(first), "\\", "\\\\"), ":", "\\:")
        pairs.append(_joined(told, second))
    return pairs


def _joined(first: Any, second: Array) -> Array:
    joined = pc.binary_join_element_wise(first, _text(second), ":")
    return np.asarray(pc.fill_null(joined, MISSING_STR).to_numpy(zero_copy_only=False), object)


def _text(values: Array) -> pa.Array:
    return pa.array(values, pa.string(), mask=np.asarray(values == MISSING_STR, bool))
