"""Counters over bags: how likely a candidate is that is several things at once, and how it suits who asks."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.serving.released.counters import Cells, Floats, halved, known

_NEVER, _ALIKE = 3650.0, 1e-9
Places = NDArray[np.int64]


class Contexts:
    """What all have taken, by context: of the parts ``bags.…`` and ``factors.…``, as far as it was asked for.

    Attributes:
        values: of each context, the values that were ever taken in it, ascending.
        fitted: by settings, context and value: its vector, or its neighbours with their weights.
    """

    def __init__(self, half_lives: Sequence[float]) -> None:
        self.every, self.each = Cells(half_lives), Cells(half_lives)
        self.values: dict[Any, list[Any]] = {}
        self.fitted: dict[str, dict[Any, Any]] = {}

    def add(self, context: Any, row: Mapping[str, Any] | None) -> None:
        """Put in a field of the part ``bags.…``."""
        row = row or {"context": None, "values": [], "last_day": [], "decayed": []}
        self.values[context] = sorted(row["values"])
        if row["context"] is not None:
            last_day, decayed = row["context"]
            self.every.add([context], {"count": [1], "last_day": [last_day], "decayed": [decayed]})
        keys = [(context, value) for value in row["values"]]
        self.each.add(keys, {"count": [1] * len(keys), "last_day": row["last_day"], "decayed": row["decayed"]})

    def fit(self, name: str, row: Mapping[str, Any] | None) -> None:
        """Put in a field of the part ``factors.…``."""
        if row is None:
            return
        fitted = self.fitted.setdefault(name, {})
        if "vectors" in row:
            fitted.update(zip(row["values"], map(vector, row["vectors"]), strict=True))
        else:
            near = zip(row["near"], map(vector, row["weight"]), strict=True)
            fitted.update(zip(row["values"], near, strict=True))


class Asked:
    """The bags of a request's candidates, value by value, and the owner's own events in their contexts.

    Args:
        contexts, bags: of each candidate.
        own: the owner's field of the part ``own_bags.…``, if there is one.
    """

    def __init__(
        self, tables: Contexts, contexts: Sequence[Any], bags: Sequence[Sequence[Any]], own: Mapping[str, Any] | None
    ) -> None:
        self.tables, self.contexts = tables, contexts
        self.lengths = np.array([len(bag) for bag in bags], np.int64)
        self.pair = np.repeat(np.arange(len(bags)), self.lengths)
        self.flat = [(context, value) for context, bag in zip(contexts, bags, strict=True) for value in bag]
        self._each = tables.each.at(tables.each.places(self.flat))
        self._every = tables.every.at(tables.every.places(contexts))
        self._own(own or {"days": [], "contexts": [], "values": []})

    def _own(self, own: Mapping[str, Any]) -> None:
        """Own events in contexts that are asked for: ``group``, the context of each, ``later``, how many came after."""
        asked = dict.fromkeys(self.contexts)
        events = [at for at, context in enumerate(own["contexts"]) if context in asked]
        groups = {context: at for at, context in enumerate(dict.fromkeys(own["contexts"][at] for at in events))}
        self._days = np.array([own["days"][at] for at in events], np.int64)
        self._group = np.array([groups[own["contexts"][at]] for at in events], np.int64)
        self._groups, seen, later = len(groups), [0] * len(groups), []
        for group in reversed(self._group.tolist()):
            later.append(seen[group])
            seen[group] += 1
        self._later = np.array(later[::-1], np.int64)
        self._of_pair = np.array([groups.get(context, -1) for context in self.contexts], np.int64)
        cells: dict[Any, int] = {}
        held = [(at, cells.setdefault((own["contexts"][each], value), len(cells)))
                for at, each in enumerate(events) for value in own["values"][each]]  # fmt: skip
        self._event = np.array([at for at, _ in held], np.int64)
        self._cell, self._cells = np.array([cell for _, cell in held], np.int64), len(cells)
        self._at = np.array([cells.get(key, -1) for key in self.flat], np.int64)

    def counter(self, counter: Mapping[str, Any], day: int) -> NDArray[np.float32]:
        """A declared counter over the bags, ``[candidates]``."""
        return (self._measured(counter, day) / counter["scale"]).astype(np.float32)

    def _measured(self, counter: Mapping[str, Any], day: int) -> Floats:
        measure, owned = counter["measure"], counter["owner"] is not None
        if measure == "likelihood":
            every = self._held(self._every, counter["half_life"], day)
            share = (self._held(self._each, counter["half_life"], day) + counter["rare"]) / (every + 1)[self.pair]
            if owned:
                held, events = self._weights(counter, day)
                share = (held + counter["prior"] * share) / (events + counter["prior"])
            share = np.clip(share, counter["clip"], 1 - counter["clip"])
            return self._sums(np.log(share) - np.log1p(-share))
        if measure == "size":
            size = np.log1p(self.lengths)
            return self._larger(counter, size, day) if owned else size
        if measure == "trend":
            both = (self._held(self._each, each, day) for each in (counter["half_life"], counter["against"]))
            lately, before = (np.log(each + counter["rare"]) for each in both)
            return self._mean(lately - before)
        if measure == "overlap":
            return self._overlap()
        if measure == "count":
            each = self._weights(counter, day)[0] if owned else self._held(self._each, counter["half_life"], day)
            return np.log1p(self._sums(each))
        last = self._last_day() if owned else self._each["last_day"]
        return self._mean(np.log1p(np.where(last > 0, np.minimum(day - last, _NEVER), _NEVER)))

    def _held(self, cells: Mapping[str, Any], half_life: float, day: int) -> Floats:
        return known(cells, self.tables.each.half_lives, half_life, day)[0]

    def _weights(self, counter: Mapping[str, Any], day: int) -> tuple[Floats, Floats]:
        """Own events that hold each value, and all in its context."""
        weight = self._weight(counter, day)
        held = np.append(np.bincount(self._cell, weight[self._event], self._cells), 0.0)
        events = np.append(np.bincount(self._group, weight, self._groups), 0.0)
        return held[self._at], events[self._of_pair[self.pair]]

    def _weight(self, counter: Mapping[str, Any], day: int) -> Floats:
        if counter["own_half_life"] is not None:
            return halved(counter["own_half_life"], day - self._days)
        if counter["own_recency"] is not None:
            return halved(counter["own_recency"], self._later)
        return np.ones(len(self._days))

    def _larger(self, counter: Mapping[str, Any], size: Floats, day: int) -> Floats:
        weight, own = self._weight(counter, day), np.log1p(np.bincount(self._event, minlength=len(self._days)))
        every = np.append(np.bincount(self._group, weight, self._groups), 0.0)
        mean = np.append(np.bincount(self._group, weight * own, self._groups), 0.0) / np.where(every > 0, every, 1)
        return np.where(self._of_pair >= 0, size - mean[self._of_pair], 0.0)

    def _last_day(self) -> Places:
        last = np.zeros(self._cells + 1, np.int64)
        np.maximum.at(last, self._cell, self._days[self._event])
        return last[self._at]

    def _overlap(self) -> Floats:
        """The largest |bag ∩ event| / |bag ∪ event| over own events of the context."""
        holding: dict[int, list[int]] = {}
        for event, cell in zip(self._event.tolist(), self._cell.tolist(), strict=True):
            holding.setdefault(cell, []).append(event)
        sizes, common = np.bincount(self._event, minlength=len(self._days)).tolist(), dict[tuple[int, int], int]()
        for pair, cell in zip(self.pair.tolist(), self._at.tolist(), strict=True):
            for event in holding.get(cell, []):
                common[pair, event] = common.get((pair, event), 0) + 1
        out, lengths = np.zeros(len(self.lengths)), self.lengths.tolist()
        for (pair, event), number in common.items():
            out[pair] = max(out[pair], number / (lengths[pair] + sizes[event] - number))
        return out

    def _sums(self, values: Floats) -> Floats:
        return np.bincount(self.pair, values, len(self.lengths)).astype(np.float64, copy=False)

    def _mean(self, values: Floats) -> Floats:
        return self._sums(values) / np.maximum(self.lengths, 1)

    def suits(self, name: str, owner: Any) -> NDArray[np.float32]:
        """Mean and least over each bag of its values' scores, standard among those of the context: ``[candidates, 2]``.

        Args:
            name: of the settings that they are fitted by.
            owner: the field of the part ``own_factors.…``; ``None`` where there is none.
        """
        fitted = self.tables.fitted.get(name, {})
        members = [(context, value) for context in dict.fromkeys(self.contexts)
                   for value in self.tables.values.get(context, ())]  # fmt: skip
        groups = {context: at for at, context in enumerate(dict.fromkeys(self.contexts))}
        group = np.array([groups[context] for context, _ in members], np.int64)
        score = scores(fitted, owner, [value for _, value in members])
        number = np.maximum(np.bincount(group, minlength=len(groups)), 1)
        mean = np.bincount(group, score, len(groups)) / number
        deviation = np.sqrt(np.bincount(group, np.square(score - mean[group]), len(groups)) / number)
        told = deviation > _ALIKE
        place = {key: at for at, key in enumerate(members)}
        own = np.append(score, 0.0)[[place.get(key, -1) for key in self.flat]]
        at = np.array([groups[context] for context, _ in self.flat], np.int64)
        standard = np.where(told[at], (own - mean[at]) / np.where(told, deviation, 1)[at], 0)
        least = np.full(len(self.lengths), np.inf)
        np.minimum.at(least, self.pair, standard)
        means = self._mean(standard)
        return np.stack([means, np.where(self.lengths > 0, least, 0)], axis=1).astype(np.float32)


def scores(fitted: Mapping[Any, Any], owner: Any, values: Sequence[Any]) -> Floats:
    """Of each value for the owner; 0 where nothing was fitted of one of the two."""
    out = np.zeros(len(values))
    there = [at for at, value in enumerate(values) if value in fitted] if owner is not None else []
    if isinstance(owner, str) and there:
        mine = vector(owner).astype(np.float64)
        out[there] = (mine * np.stack([fitted[values[at]] for at in there])).sum(axis=1)
    elif there:
        took = set(owner)
        for at in there:
            near, weight = fitted[values[at]]
            held = [each in took for each in near] + [False] * (len(weight) - len(near))
            out[at] = (weight.astype(np.float64) * held).sum()
    return out


def vector(text: str) -> NDArray[np.float32]:
    """The float32 numbers that a text holds."""
    return np.frombuffer(b64decode(text), "<f4")
