"""How many of a day's positive rows have their item among the first that two towers recall, before it is trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import registry
from models.outputs import ITEM, USER
from models.schema import DayArrays, FeatureSchema, Side
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.evaluation import metrics
from pipeline.evaluation.bootstrap import percentiles
from pipeline.features.arrays import files
from pipeline.features.arrays.look_up import Maps
from pipeline.features.frames.frame import Array
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import Tables
from pipeline.ingest.day_tables import NextTables
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.kinds import FEATURES
from pipeline.training.chain import Chain
from pipeline.training.earlier_days import earlier_on
from pipeline.training.item_vectors import item_vectors
from pipeline.training.keras_trainer import KerasTrainer
from pipeline.training.loaded_trainers import Trainers

WAYS = ("towers", "content", "popularity")
"""What recalls: the towers, the same as if nobody knew who and which, and what was taken most often before."""
_SCORES = 1 << 25


@dataclass(frozen=True)
class Recalled:
    """The positive rows of a day.

    Attributes:
        user: raw id of each, ``[rows]``.
        found: by way, whether its item is among those recalled, bool ``[rows]``.
        cold: by what is new to the chain (``items``, ``users``), bool ``[rows]``.
        random: share of them that are found by chance, of each.
        auc: by way that has scores, of all rows of the day; ``None`` with one class.
    """

    day: Day
    user: Array
    found: Mapping[str, NDArray[np.bool_]]
    cold: Mapping[str, NDArray[np.bool_]]
    random: NDArray[np.float64]
    auc: Mapping[str, float | None]


def recalled(context: JobContext, experiment: str, tested: Collection[Day], many: int) -> list[Recalled]:
    """Of the rows of each tested day, recalled by the newest checkpoint before it among all items then listed.

    What was before is of all days that checkpoints were trained on, those of a window too; each is read once.

    Raises:
        UsageError: the model has no towers, no table lists the items, or a day is the first of the chain.
        PrunedPayload: what would have to be read is gone.
    """
    chain, plan = Chain.of(context, experiment), Plan.of(context)
    maps = {space: IdMapStore.of(context).read(space, kind) for space, kind in plan.spaces.items()}
    before, found = Before(), []
    trained = {each: chain.trained(each) for each in chain.days() if each <= max(tested)}
    windows = {past.ref.day for each in trained.values() if each is not None for past in earlier_on(context, each)}
    for day in sorted({*trained, *windows}):
        rows = _Rows.read(context.needed(FEATURES, day))
        if day in tested:
            parent = chain.parent(day)
            if parent is None:
                raise UsageError(f"{day} is the first day of '{experiment}': nothing was trained before it")
            trainer = Trainers.of(context, experiment).trainer.at(parent)
            if not isinstance(trainer, KerasTrainer) or not registry.has_towers(trainer.model_name):
                raise UsageError(f"experiment '{experiment}' has no two towers to recall by")
            tables = NextTables.needed(context, parent.ref.day)
            found.append(_on(day, rows, before, plan, trainer, maps, tables, many))
        before.add(rows.taken, rows.items, rows.users)
    return found


@dataclass(frozen=True)
class _Rows:
    """A day's arrays, its raw items and users, and of its positive rows the items taken and the requests."""

    arrays: DayArrays
    items: Array
    users: Array
    taken: Array
    request: NDArray[np.int64]

    @classmethod
    def read(cls, features: Artifact) -> _Rows:
        arrays, keys = files.read(features), files.keys(features)
        positive = np.flatnonzero(arrays.label_of(arrays.tasks[0]) == 1)
        users = next(values for name, values in keys.items() if name.startswith("request."))
        taken = keys["item.key"][np.asarray(arrays.pair_item)[positive]]
        return cls(arrays, keys["item.key"], users, taken, _requests(arrays)[positive])


class Before:
    """What the chain's days before one had: how often each item was taken, which items and users there were."""

    def __init__(self) -> None:
        self._items = self._users = self._taken = np.zeros(0)
        self._often = np.zeros(0, np.int64)

    def add(self, taken: Array, items: Array, users: Array) -> None:
        """A day's: the item of each positive row, all of its items and users."""
        distinct, often = np.unique(taken, return_counts=True)
        every = _union(self._taken, distinct)
        counts = np.zeros(len(every), np.int64)
        for keys, of_each in ((self._taken, self._often), (distinct, often)):
            counts[places(every, keys)] += of_each
        self._taken, self._often = every, counts
        self._items, self._users = _union(self._items, items), _union(self._users, users)

    def often(self, items: Array) -> NDArray[np.float32]:
        """How often each of some items was taken, ``[items]``."""
        return np.append(self._often, 0)[places(self._taken, items)].astype(np.float32)

    def cold(self, taken: Array, users: Array) -> dict[str, NDArray[np.bool_]]:
        """By what may be new, whether the item and the user of each row are."""
        return {"items": places(self._items, taken) < 0, "users": places(self._users, users) < 0}


def _union(known: Array, more: Array) -> Array:
    return np.unique(np.concatenate([known, more])) if len(known) else np.unique(more)


def _on(
    day: Day, rows: _Rows, before: Before, plan: Plan, trainer: KerasTrainer, maps: Maps, tables: Tables, many: int
) -> Recalled:
    """What of a day's rows is recalled.

    Args:
        tables: of the day before, as this one may know them.
    """
    arrays, found, auc = rows.arrays, {}, {}
    label, listed = arrays.label_of(arrays.tasks[0]), np.zeros(0)
    for way, alone in (("towers", False), ("content", True)):
        every = item_vectors(plan, trainer, maps, tables, day, content_alone=alone)
        if every is None:
            raise UsageError(
                f"job '{plan.config.job}' has no table of its items (`impressions.items`) to recall from"
            )
        listed, vectors = every
        of_rows = _of_rows(trainer, arrays, plan.schema, plan.spaces, content_alone=alone)
        found[way] = within(of_rows[USER][rows.request], vectors, places(listed, rows.taken), many)
        logits = (of_rows[USER][_requests(arrays)] * of_rows[ITEM][np.asarray(arrays.pair_item)]).sum(axis=1)
        judged = label >= 0
        auc[way] = metrics.auc(label[judged], logits[judged])
    often, wanted = before.often(listed), places(listed, rows.taken)
    found["popularity"] = within(np.ones((len(wanted), 1), np.float32), often[:, None], wanted, many)
    users = rows.users[rows.request]
    chance = np.full(len(wanted), min(1.0, many / max(len(listed), 1)))
    return Recalled(day, users, found, before.cold(rows.taken, users), chance, auc)


def _requests(arrays: DayArrays) -> NDArray[np.int64]:
    """The request of each pair."""
    return np.repeat(np.arange(arrays.requests), arrays.candidates)


def places(listed: Array, keys: Array) -> NDArray[np.int64]:
    """The place of each key among sorted ones; −1 of one that is not there."""
    if not len(listed):
        return np.full(len(keys), -1)
    at = np.minimum(np.searchsorted(listed, keys), len(listed) - 1)
    return np.where(listed[at] == keys, at, -1)


def within(
    users: NDArray[np.float32], items: NDArray[np.float32], wanted: NDArray[np.int64], many: int
) -> NDArray[np.bool_]:
    """Whether the item at each wanted place is among the ``many`` with the largest products; equal ones in order.

    Args:
        users: ``[rows, dim]``; ``items``: ``[items, dim]``.
        wanted: ``[rows]``; −1 is never found.
    """
    found = np.zeros(len(users), bool)
    block = max(1, _SCORES // max(len(items), 1))
    for start in range(0, len(users), block):
        at = wanted[start : start + block]
        scores = users[start : start + block] @ items.T
        own = scores[np.arange(len(at)), at][:, None]
        above = (scores > own).sum(axis=1) + ((scores == own) & (np.arange(len(items)) < at[:, None])).sum(axis=1)
        found[start : start + block] = (above < many) & (at >= 0)
    return found


def _of_rows(
    trainer: KerasTrainer, arrays: DayArrays, schema: FeatureSchema, kinds: Mapping[str, str], *, content_alone: bool
) -> dict[str, NDArray[np.float32]]:
    """Vectors of a day's requests and of its items."""
    made = {}
    for name, side in ((USER, Side.REQUEST), (ITEM, Side.ITEM)):
        values = {}
        for feature in (f for f in schema.asked.features if f.side is side):
            place = arrays.layout.on(side, ids=feature.has_ids)[feature.name]
            matrix = arrays.on(side, ids=feature.has_ids)[:, place.start : place.stop]
            values[feature.name] = np.asarray(matrix).reshape(len(matrix), *place.shape)
        made[name] = trainer.vectors(name, values, kinds, content_alone=content_alone)
    return made


@dataclass(frozen=True)
class Share:
    """A share of rows, and between which bounds it lies over draws of users."""

    value: float
    low: float
    high: float


def pooled(days: Sequence[Recalled], chosen: str | None, *, resamples: int = 1000, seed: int = 0) -> dict[str, Any]:
    """What was recalled on some days together.

    Args:
        chosen: rows of cold ``items`` or ``users`` only.

    Returns:
        ``rows``; by way ``recall``, the share of rows found with its interval, and ``hit``, the share of users and days
        of which at least one was; ``random`` by chance.
    """
    rows = [each.cold[chosen] if chosen else np.ones(len(each.user), bool) for each in days]
    users = np.concatenate([each.user[kept] for each, kept in zip(days, rows, strict=True)])
    unit = np.unique(users, return_inverse=True)[1]
    told: dict[str, Any] = {"rows": len(users), "users": int(unit.max(initial=-1)) + 1}
    if not len(users):
        return told
    told["random"] = float(np.concatenate([each.random[kept] for each, kept in zip(days, rows, strict=True)]).mean())
    for way in WAYS:
        found = np.concatenate([each.found[way][kept] for each, kept in zip(days, rows, strict=True)])
        hits = [
            np.bincount(np.unique(each.user[kept], return_inverse=True)[1], weights=each.found[way][kept]) > 0
            for each, kept in zip(days, rows, strict=True) if kept.any()
        ]  # fmt: skip
        told[way] = {"recall": _share(found, unit, resamples, seed), "hit": float(np.concatenate(hits).mean())}
    return told


def _share(found: NDArray[np.bool_], unit: NDArray[np.int64], resamples: int, seed: int) -> Share:
    units = int(unit.max()) + 1
    total, count = np.bincount(unit, weights=found, minlength=units), np.bincount(unit, minlength=units)
    draw, shares = np.random.default_rng(seed), np.empty(resamples)
    for at in range(resamples):
        times = np.bincount(draw.integers(0, units, units), minlength=units)
        shares[at] = float(times @ total) / max(float(times @ count), 1.0)
    low, high = percentiles(shares, 0.95) or (np.nan, np.nan)
    return Share(float(found.mean()), low, high)
