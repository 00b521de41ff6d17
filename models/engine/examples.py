"""Which rows of a day are trained, against which, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.randomness import stable_seed
from models.schema import ONLY, DayArrays

NO_PAIR = -1
"""In a table of pairs, a place without one."""
ORDERS = ("shuffled", "stored")

_BLOCK = 1 << 22


@dataclass(frozen=True)
class Settings:
    """How a day becomes batches.

    Attributes:
        batch_size: examples a batch.
        negatives: candidates sampled beside each positive; ``None`` takes every judged pair as an example
            of its own, with its label.
        seed: of the order, the negatives and the unknown share.
        unknown_share: of the ids that are new, how many read as unknown, so that the unknown row is trained.
        order: ``shuffled``, or ``stored`` as the arrays have it.
        together: a user's examples stand together, in one batch unless they are more than it holds.
    """

    batch_size: int
    negatives: int | None = None
    seed: int = 0
    unknown_share: float = 0.0
    order: str = "shuffled"
    together: bool = False

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size {self.batch_size}; expected at least 1")
        if self.negatives is not None and self.negatives < 1:
            raise ValueError(f"negatives {self.negatives}; expected at least 1, or none")
        if not 0.0 <= self.unknown_share <= 1.0:
            raise ValueError(f"unknown_share {self.unknown_share}; expected a number from 0 to 1")
        if self.order not in ORDERS:
            raise ValueError(f"order '{self.order}'; expected one of {', '.join(ORDERS)}")


@dataclass(frozen=True)
class Examples:
    """What is trained on: a request each, with the pairs that stand against each other.

    Attributes:
        request: int64 ``[examples]``.
        pairs: int64 ``[examples, candidates]``; -1 for none. The positive comes first.
        left_out: positive pairs without any candidate that is not positive: nothing to tell them from.
    """

    request: NDArray[np.int64]
    pairs: NDArray[np.int64]
    left_out: int

    def __len__(self) -> int:
        return len(self.request)


def hidden_ids(
    old_sizes: Mapping[str, int], sizes: Mapping[str, int], share: float, seed: int
) -> dict[str, NDArray[np.int64]]:
    """A seeded draw of the ids at or beyond the old size of their space, by id: ``share`` of them."""
    hidden: dict[str, NDArray[np.int64]] = {}
    for space, size in sizes.items():
        start = min(old_sizes.get(space, size), size)
        draw = np.random.Generator(np.random.Philox(stable_seed(seed, "unknown", space)))
        hidden[space] = start + np.flatnonzero(draw.random(size - start) < share)
    return hidden


def examples_of(arrays: DayArrays, settings: Settings, tasks: Sequence[str] = (ONLY,)) -> Examples:
    """The examples of a day in training order.

    Without ``negatives`` every pair that is judged in a task is one. With them every positive pair of the first task
    is one, against pairs of the same request that are not positive, sampled without replacement: judged negatives
    first, then candidates that were never judged.
    """
    label = arrays.label_of(tasks[0])
    draw = np.random.Generator(np.random.Philox(stable_seed(settings.seed, "examples")))
    counts = arrays.candidates
    request_of_pair = np.repeat(np.arange(arrays.requests), counts)
    if settings.negatives is None:
        chosen = np.flatnonzero(np.any([arrays.label_of(task) >= 0 for task in tasks], axis=0))
        pairs, left_out = chosen[:, None], 0
        request = request_of_pair[chosen]
    else:
        positive = np.flatnonzero(label > 0)
        others = counts - np.bincount(request_of_pair[positive], minlength=arrays.requests)
        kept = others[request_of_pair[positive]] > 0
        left_out = int(len(positive) - kept.sum())
        positive = positive[kept]
        request = request_of_pair[positive]
        negatives = _sample(arrays, label, request, counts, settings.negatives, draw)
        pairs = np.concatenate([positive[:, None], negatives], axis=1)
    if settings.order == "shuffled":
        order = draw.permutation(len(request))
        if settings.together:
            order = order[_by_user(np.asarray(arrays.user)[request[order]], draw)]
        request, pairs = request[order], pairs[order]
    return Examples(request, pairs, left_out)


def _by_user(users: NDArray[np.int32], draw: np.random.Generator) -> NDArray[np.int64]:
    """An order in which each user's examples stand together, as they were among themselves; users in a drawn one."""
    distinct, user = np.unique(users, return_inverse=True)
    return np.argsort(draw.permutation(len(distinct))[user], kind="stable")


def batch_bounds(examples: Examples, arrays: DayArrays, settings: Settings) -> NDArray[np.int64]:
    """Where each batch begins, and where the last ends.

    With ``together`` a user who does not fit into what is left of a batch begins the next one, and of one with more
    examples than a batch holds each further batch is begun as one is full.
    """
    size, many = settings.batch_size, len(examples)
    if not settings.together:
        return np.append(np.arange(0, many, size), many)
    users = np.asarray(arrays.user)[examples.request]
    starts = np.flatnonzero(np.diff(users, prepend=users[:1] - 1)) if many else np.zeros(0, np.int64)
    bounds = [0] if many else []
    for start, stop in zip(starts, np.append(starts[1:], many), strict=True):
        if stop - bounds[-1] > size and start > bounds[-1]:
            bounds.append(int(start))
        bounds += range(bounds[-1] + size, int(stop), size)
    return np.array([*bounds, many], np.int64)


def _sample(
    arrays: DayArrays,
    label: NDArray[np.int8],
    request: NDArray[np.int64],
    counts: NDArray[np.int64],
    negatives: int,
    draw: np.random.Generator,
) -> NDArray[np.int64]:
    """Pairs ``[examples, negatives]`` of each example's request that are not positive; -1 where too few."""
    out = np.full((len(request), negatives), NO_PAIR, np.int64)
    offsets = np.asarray(arrays.offsets)
    start = 0
    while start < len(request):
        # As many examples as fit a block of bounded memory.
        widest = np.maximum.accumulate(counts[request[start : start + _BLOCK]])
        fits = widest * np.arange(1, len(widest) + 1) <= _BLOCK
        stop = start + max(1, int(fits.sum()))
        rows = request[start:stop]
        width = int(counts[rows].max())
        place = np.arange(width)
        pair = offsets[rows][:, None] + place
        inside = place < counts[rows][:, None]
        judged = label[np.where(inside, pair, 0)]
        # Judged negatives draw from [0, 1), the others from [1, 2): the smallest are taken.
        key = draw.random(pair.shape, dtype=np.float32) + (judged < 0)
        key[~inside | (judged > 0)] = np.inf
        take = min(negatives, width)
        nearest = np.argpartition(key, take - 1, axis=1)[:, :take]
        valid = np.isfinite(np.take_along_axis(key, nearest, axis=1))
        out[start:stop, :take] = np.where(valid, np.take_along_axis(pair, nearest, axis=1), NO_PAIR)
        start = stop
    return out


def positive_shares(parts: Iterable[tuple[DayArrays, Settings]], tasks: Sequence[str] = (ONLY,)) -> list[float]:
    """By task, the share of positives among the pairs that are trained, each with its request's weight; from 0 to 1.

    Smoothed as if a positive and a negative more had been seen, so that it has a logit whatever the labels are.
    """
    positive, every = np.ones(len(tasks)), np.full(len(tasks), 2.0)
    for arrays, settings in parts:
        examples = examples_of(arrays, settings, tasks)
        inside = examples.pairs != NO_PAIR
        weight = np.asarray(arrays.weight, np.float64)[examples.request][:, None]
        for number, task in enumerate(tasks):
            label = arrays.label_of(task)[np.where(inside, examples.pairs, 0)]
            # What nobody judged is a negative where it was drawn as one.
            real = inside if settings.negatives is not None else inside & (label >= 0)
            positive[number] += float((weight * ((label > 0) & real)).sum())
            every[number] += float((weight * real).sum())
    return [float(share) for share in positive / every]
