"""Ids of a request as the exported model takes them: raw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_STR, PAD_STR
from pipeline.features.arrays.raw_values import missing_of, padding_of
from pipeline.features.frames.frame import Array
from pipeline.features.ids.fingerprints import MISSING, PADDING, Codes, codes_of
from pipeline.features.plan.plan import Plan

_BEYOND = 2**31
_MOST_TEXTS = 2**17


class RawIds:
    """A look-up (``features.arrays.look_up``) that gives raw ids, of the texts that it has been told.

    Args:
        counted: by id space, the ids that have a column in counts by id, in order.
    """

    def __init__(self, plan: Plan, counted: Iterable[tuple[str, Sequence[Any]]] = ()) -> None:
        self._plan = plan
        self._texts = _Texts({})
        self._texts.update({PADDING: PAD_STR, MISSING: MISSING_STR})
        self._columns: dict[str, dict[int, int]] = {}
        for space, ids in counted:
            # Two features may count ids of one space: the longer list begins with the other.
            if len(ids) > len(self._columns.get(space, {})):
                codes = self.codes(space, ids).tolist()
                self._columns[space] = {code: column for column, code in enumerate(codes)}

    def own(self) -> RawIds:
        """A look-up that knows what this one does, then and later, and keeps to itself what it is told besides."""
        look = copy(self)
        look._texts = _Texts(self._texts)
        return look

    def codes(self, space: str, raw: Iterable[Any]) -> Codes:
        """The codes of raw ids of a space, ``[ids]``; texts are kept, so that they can be given again."""
        values = array_of(raw, self._plan.space_kind(space))
        codes = codes_of(values)
        if values.dtype.kind == "O":
            self._texts.update(zip(codes.tolist(), values.tolist(), strict=True))
        return codes

    def owner(self, raw: Sequence[Any]) -> tuple[Codes, ...]:
        """The codes of the ids that own a history, one each."""
        spaces = self._plan.request.owner_spaces
        return tuple(self.codes(space, [each]) for space, each in zip(spaces, raw, strict=True))

    def of_raw(self, space: str, raw: Array) -> Array:
        return np.asarray(raw)

    def of_codes(self, space: str, codes: Codes) -> Array:
        if self._plan.space_kind(space) == "int":
            return codes
        out = np.empty(codes.size, object)
        out[:] = [self._texts[code] for code in codes.ravel().tolist()]
        return out.reshape(codes.shape)

    def of_numbers(self, space: str, numbers: NDArray[np.float32], limits: NDArray[np.float32]) -> Array:
        return numbers  # the model has the limits

    def raw(self, space: str, ids: Array) -> Array:
        return ids

    def columns(self, space: str, codes: Codes) -> NDArray[np.int64]:
        known = self._columns.get(space, {})
        none = {MISSING: -1, PADDING: -1}
        found = [none.get(code, known.get(code, _BEYOND)) for code in codes.ravel().tolist()]
        return np.array(found, np.int64).reshape(codes.shape)

    def padding(self, space: str) -> Any:
        return padding_of(self._plan.space_kind(space))

    def unknown(self, space: str) -> Any:
        return missing_of(self._plan.space_kind(space))


class _Texts(dict[int, str]):
    """Texts by code, those that are not here from elsewhere."""

    def __init__(self, others: Mapping[int, str]) -> None:
        super().__init__()
        self._others = others

    def __missing__(self, code: int) -> str:
        return self._others[code]


class RawCodes:
    """Codes of raw ids, those of texts kept: owners' counters name the same ones again and again."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, values: Iterable[Any], kind: str) -> Codes:
        """The codes of raw ids of a space's kind, ``[ids]``."""
        if kind == "int":
            return array_of(values, kind)
        texts = list(values)
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            if len(self._known) > _MOST_TEXTS:
                self._known, new = {}, list(dict.fromkeys(texts))
            self._known.update(zip(new, codes_of(array_of(new, kind)).tolist(), strict=True))
        return np.array([self._known[text] for text in texts], np.int64)


def array_of(values: Iterable[Any], kind: str) -> Array:
    """Raw ids of a space's kind."""
    found = list(values)
    if kind == "int":
        return np.array(found, np.int64)
    out = np.empty(len(found), object)
    out[:] = found
    return out
