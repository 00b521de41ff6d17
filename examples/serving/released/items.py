"""The candidates that were asked for so far, with what is theirs whoever asks: made once, and kept with the release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.serving.released.ids import (
    MISSING,
    PAD,
    Feature,
    array,
    canonical,
    numbers,
    padded,
    several,
    single,
    width_of,
)


class Items:
    """A row each.

    Args:
        features: of the candidates.
        day: as of whose end the release stands.

    Attributes:
        row: by raw id.
        first: by feature with ids, the first id of each.
        bags: by bag, the ids of each, every one once.
    """

    def __init__(self, features: Sequence[Feature], day: int) -> None:
        self._features, self._day = features, day
        self.row: dict[Any, int] = {}
        self.keys: list[Any] = []
        self.first: dict[str, list[Any]] = {each.name: [] for each in features if each.ids}
        self.bags: dict[str, list[list[Any]]] = {each.name: [] for each in features if each.kind == "bag"}
        self._values: dict[str, NDArray[Any]] = {}
        self._lengths: dict[str, NDArray[np.int64]] = {}
        self._before: tuple[Any, dict[str, NDArray[Any]]] = (None, {})

    def add(self, keys: Sequence[Any], columns: Sequence[Mapping[str, Any]]) -> None:
        """Put in candidates that are not there yet, each with its columns."""
        self.row.update(zip(keys, range(len(self.row), len(self.row) + len(keys)), strict=True))
        self.keys += keys
        for feature in self._features:
            made = self._made(feature, [[row.get(name) for name in feature.columns] for row in columns])
            before = self._values.get(feature.name)
            if before is None:
                self._values[feature.name] = made
                continue
            if feature.kind == "bag":
                wide = max(before.shape[1], made.shape[1])
                before, made = (_wide(feature.ids, each, wide) for each in (before, made))
            self._values[feature.name] = np.concatenate([before, made])

    def inputs(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """What a model is asked of candidates, ``[1, candidates, …]`` by feature; bags as wide as the longest needs.

        Of the very rows of the call before, the very arrays: their tensors need not be made again.
        """
        if self._before[0] is rows:
            return dict(self._before[1])
        found: dict[str, NDArray[Any]] = {}
        for feature in self._features:
            values = self._values[feature.name]
            if feature.kind == "bag":
                longest = int(self._lengths[feature.name][rows].max(initial=0))
                values = values[:, : width_of(longest, values.shape[1])]
            found[feature.name] = values[rows][None]
        self._before = rows, found
        return dict(found)

    def _made(self, feature: Feature, rows: Sequence[Sequence[Any]]) -> NDArray[Any]:
        if not feature.ids:
            return np.stack([numbers(feature, values, self._day + 1) for values in rows])
        kind = feature.ids
        if feature.kind == "categorical":
            # The first id that the rule makes of a list: of composed ids, the others are left out.
            ids = [_first(feature, values[0]) for values in rows]
            self.first[feature.name] += ids
            return array(kind, ids)
        lists = [several(feature, values) for values in rows]
        self.first[feature.name] += [each[0] if each else MISSING[kind] for each in lists]
        if feature.kind == "sequence":
            return padded(kind, [each[-feature.steps :] for each in lists], feature.steps)
        self.bags[feature.name] += [list(dict.fromkeys(each)) for each in lists]
        lengths = np.array([len(each) for each in lists], np.int64)
        self._lengths[feature.name] = np.concatenate([self._lengths.get(feature.name, lengths[:0]), lengths])
        return padded(kind, lists, width_of(int(lengths.max(initial=0)), feature.values))


def _first(feature: Feature, value: Any) -> Any:
    if not isinstance(value, list):
        return single(feature, value)
    if feature.plain:
        return canonical(value[0] if value else None, feature.ids)
    return (several(feature, [value]) or [MISSING[feature.ids]])[0]


def _wide(kind: str, bags: NDArray[Any], width: int) -> NDArray[Any]:
    more = np.full((len(bags), width - bags.shape[1]), PAD[kind], bags.dtype)
    return np.concatenate([bags, more], axis=1)
