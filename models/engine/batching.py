"""From a day's arrays to batches, in numpy and without a loop over rows: the input side of training and scoring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.engine.engine import Engine
from models.engine.packing import Batch, power_of_two
from models.engine.selection import Selection
from models.engine.tables import step_of_ladder
from models.randomness import stable_seed
from models.schema import DayArrays, Side

ORDERS = ("shuffled", "stored")

_NO_PAIR = -1
_BLOCK = 1 << 22
_SCORED_PAIRS = 4096
_MOST_CANDIDATES = 64
_PROBES = 12


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
    """

    batch_size: int
    negatives: int | None = None
    seed: int = 0
    unknown_share: float = 0.0
    order: str = "shuffled"

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


def examples_of(arrays: DayArrays, settings: Settings) -> Examples:
    """The examples of a day in training order.

    Without ``negatives`` every judged pair is one. With them every positive pair is one, against pairs of
    the same request that are not positive, sampled without replacement: judged negatives first, then
    candidates that were never judged.
    """
    label = np.asarray(arrays.label)
    draw = np.random.Generator(np.random.Philox(stable_seed(settings.seed, "examples")))
    counts = _counts(arrays)
    request_of_pair = np.repeat(np.arange(arrays.requests), counts)
    if settings.negatives is None:
        chosen = np.flatnonzero(label >= 0)
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
        request, pairs = request[order], pairs[order]
    return Examples(request, pairs, left_out)


def _sample(
    arrays: DayArrays,
    label: NDArray[np.int8],
    request: NDArray[np.int64],
    counts: NDArray[np.int64],
    negatives: int,
    draw: np.random.Generator,
) -> NDArray[np.int64]:
    """Pairs ``[examples, negatives]`` of each example's request that are not positive; -1 where too few."""
    out = np.full((len(request), negatives), _NO_PAIR, np.int64)
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
        out[start:stop, :take] = np.where(valid, np.take_along_axis(pair, nearest, axis=1), _NO_PAIR)
        start = stop
    return out


def positive_share(parts: Iterable[tuple[DayArrays, Settings]]) -> float:
    """The share of positives among the pairs that are trained, each with its request's weight; between 0 and 1.

    Smoothed as if a positive and a negative more had been seen, so that it has a logit whatever the labels are.
    """
    positive, every = 1.0, 2.0
    for arrays, settings in parts:
        examples = examples_of(arrays, settings)
        real = examples.pairs != _NO_PAIR
        label = (np.asarray(arrays.label)[np.where(real, examples.pairs, 0)] > 0) & real
        weight = np.asarray(arrays.weight, np.float64)[examples.request][:, None]
        positive += float((weight * label).sum())
        every += float((weight * real).sum())
    return positive / every


class DayBatches:
    """The training batches of a day, all of one shape; the last is filled up with rows of weight zero.

    Args:
        engine: whose features and tables the batches are for; already grown to the day's id maps.
        arrays: the day.
        settings: see :class:`Settings`.
        old_sizes: sizes of the id spaces before the day; ids from there on are new. ``None`` for none new.
    """

    def __init__(
        self, engine: Engine, arrays: DayArrays, settings: Settings, old_sizes: Mapping[str, int] | None = None
    ) -> None:
        hidden = hidden_ids(old_sizes or engine.sizes, engine.sizes, settings.unknown_share, settings.seed)
        self.examples = examples_of(arrays, settings)
        self._settings = settings
        self._day = _Day(engine, arrays, hidden)

    def __len__(self) -> int:
        """Number of batches."""
        return -(-len(self.examples) // self._settings.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for number in range(len(self)):
            yield self.batch(number)

    def batch(self, number: int) -> Batch:
        """The batch of that number, from 0."""
        size = self._settings.batch_size
        part = slice(number * size, min((number + 1) * size, len(self.examples)))
        return self._day.batch(self.examples.request[part], self.examples.pairs[part], size)

    @property
    def unique_bucket(self) -> dict[int, int]:
        """For each embedding width, a step of the ladder that the distinct rows of a batch hardly ever exceed.

        From a few batches spread over the day and a sixteenth of head-room.
        """
        most: dict[int, int] = {}
        for number in np.unique(np.linspace(0, max(len(self) - 1, 0), _PROBES).astype(int)) if len(self) else ():
            batch = self.batch(int(number))
            for width in batch.selection.request_ids.blocks:
                of_request, of_item = batch.selection.request_ids.blocks[width], batch.selection.item_ids.blocks[width]
                rows = np.concatenate(
                    [
                        batch.request_rows[:, of_request.start : of_request.stop].ravel(),
                        batch.item_rows[:, :, of_item.start : of_item.stop].ravel(),
                    ]
                )
                most[width] = max(most.get(width, 0), len(np.unique(rows)) + 1)
        return {width: step_of_ladder(count + count // 16) for width, count in most.items()}


def score_day(engine: Engine, arrays: DayArrays, limits: Mapping[str, int] | None = None) -> NDArray[np.float32]:
    """Logits of every pair of a day, float32 ``[pairs]``, in the order of the pairs.

    Args:
        engine: as trained; an index beyond its sizes reads as unknown.
        arrays: the day.
        limits: sizes of id spaces below the engine's own.
    """
    day = _Day(engine, arrays, limits=limits)
    counts = _counts(arrays)
    candidates = power_of_two(int(min(max(counts.max(initial=1), 1), _MOST_CANDIDATES)))
    size = max(1, _SCORED_PAIRS // candidates)
    # A request with more candidates than fit takes several rows.
    rows_of_request = -(-counts // candidates)
    request = np.repeat(np.arange(arrays.requests), rows_of_request)
    first_row = np.cumsum(rows_of_request) - rows_of_request
    begin = np.asarray(arrays.offsets)[request] + (np.arange(len(request)) - first_row[request]) * candidates
    end = np.asarray(arrays.offsets)[request + 1]
    logits = np.empty(arrays.pairs, np.float32)
    for start in range(0, len(request), size):
        part = slice(start, start + size)
        pairs = begin[part][:, None] + np.arange(candidates)
        pairs = np.where(pairs < end[part][:, None], pairs, _NO_PAIR)
        scored = engine.score(day.batch(request[part], pairs, size))[: len(pairs)]
        real = pairs != _NO_PAIR
        logits[pairs[real]] = scored[real]
    return logits


class _Day:
    """A day's matrices as one engine reads them, and batches of any of its requests and pairs."""

    def __init__(
        self,
        engine: Engine,
        arrays: DayArrays,
        hidden: Mapping[str, NDArray[np.int64]] | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.selection: Selection = engine.select(arrays.layout)
        rows = [
            engine.global_rows(side, ids, arrays.layout, limits=limits, hidden=hidden)
            for side, ids in ((Side.REQUEST, arrays.request_ids), (Side.ITEM, arrays.item_ids))
        ]
        self._request_rows, self._item_rows = rows
        self._request_dense = self.selection.request_dense.select(arrays.request_dense)
        self._item_dense = self.selection.item_dense.select(arrays.item_dense)
        self._pair_dense = self.selection.pair_dense.select(arrays.pair_dense)
        self._pair_item = np.asarray(arrays.pair_item)
        self._label = np.asarray(arrays.label) > 0
        self._weight = np.asarray(arrays.weight, np.float32)

    def batch(self, request: NDArray[np.int64], pairs: NDArray[np.int64], size: int) -> Batch:
        """``request [n]`` and ``pairs [n, candidates]`` (-1 for none) as a batch of ``size`` rows."""
        missing = size - len(request)
        if missing:
            request = np.concatenate([request, np.zeros(missing, np.int64)])
            pairs = np.concatenate([pairs, np.full((missing, pairs.shape[1]), _NO_PAIR, np.int64)])
        real = pairs != _NO_PAIR
        pair = np.where(real, pairs, 0)
        item = self._pair_item.take(pair)
        batch = Batch(
            selection=self.selection,
            request_rows=self._request_rows.take(request, axis=0),
            item_rows=self._item_rows.take(item, axis=0),
            request_dense=_take(self._request_dense, request),
            item_dense=_take(self._item_dense, item),
            pair_dense=_take(self._pair_dense, pair),
            label=(self._label.take(pair) & real).astype(np.float32),
            candidate_mask=real.astype(np.float32),
            weight=self._weight.take(request),
        )
        if not real.all():
            nowhere = ~real
            batch.item_rows[nowhere] = 0
            batch.item_dense[nowhere] = np.nan
            batch.pair_dense[nowhere] = np.nan
        if missing:
            batch.request_rows[-missing:] = 0
            batch.request_dense[-missing:] = np.nan
            batch.weight[-missing:] = 0.0
        return batch


def _counts(arrays: DayArrays) -> NDArray[np.int64]:
    """Candidates of every request."""
    offsets = np.asarray(arrays.offsets, np.int64)
    return offsets[1:] - offsets[:-1]


def _take(matrix: NDArray[np.float32], rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Rows of a matrix; of one without columns nothing is read."""
    if matrix.shape[1] == 0:
        return np.zeros((*rows.shape, 0), np.float32)
    return np.asarray(matrix.take(rows, axis=0), np.float32)
