"""From a day's arrays to batches, in numpy and without a loop over rows: the input side of training and scoring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.engine.engine import Engine
from models.engine.examples import NO_PAIR, Settings, batch_bounds, examples_of, hidden_ids
from models.engine.packing import Batch
from models.engine.tables import lookups, rows_of, step_of_ladder
from models.engine.view import Block
from models.schema import DayArrays, Side
from models.tables import Fused
from models.tasks import IN_BATCH

_SCORED_PAIRS = 4096
_MOST_CANDIDATES = 64
_PROBES = 12


class DayBatches:
    """The training batches of a day, all of one shape; what is not full is filled up with rows of weight zero.

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
        self.examples = examples_of(arrays, settings, [task.name for task in engine.tasks])
        self._settings = settings
        self._bounds = batch_bounds(self.examples, arrays, settings)
        self._day = DayView(engine, arrays, hidden, ranked=settings.negatives is not None)
        self._by_item = any(task.loss in IN_BATCH for task in engine.tasks)

    def __len__(self) -> int:
        """Number of batches."""
        return len(self._bounds) - 1

    def __iter__(self) -> Iterator[Batch]:
        for number in range(len(self)):
            yield self.batch(number)

    def batch(self, number: int) -> Batch:
        """The batch of that number, from 0."""
        size = self._settings.batch_size
        part = slice(*self._bounds[number : number + 2])
        request, pairs = self.examples.request[part], self.examples.pairs[part]
        return self._day.batch(
            request, pairs, size, to_train=True, by_user=self._settings.together, by_item=self._by_item
        )

    @property
    def unique_bucket(self) -> dict[Fused, int]:
        """For each fused table, a step of the ladder that the distinct rows of a batch hardly ever exceed.

        From a few batches spread over the day and a sixteenth of head-room.
        """
        most: dict[Fused, int] = {}
        for number in np.unique(np.linspace(0, max(len(self) - 1, 0), _PROBES).astype(int)) if len(self) else ():
            for fused, rows in self.batch(int(number)).by_table().items():
                most[fused] = max(most.get(fused, 0), len(np.unique(rows)) + 1)
        return {fused: step_of_ladder(count + count // 16) for fused, count in most.items()}


def score_day(engine: Engine, arrays: DayArrays, limits: Mapping[str, int] | None = None) -> NDArray[np.float32]:
    """Logits of every pair of a day by the engine's tasks, float32 ``[pairs, tasks]``, in the order of the pairs.

    Args:
        engine: as trained; an index beyond its sizes reads as unknown.
        arrays: the day.
        limits: sizes of id spaces below the engine's own.
    """
    day = DayView(engine, arrays, limits=limits, to_train=False)
    counts = arrays.candidates
    candidates = power_of_two(int(min(max(counts.max(initial=1), 1), _MOST_CANDIDATES)))
    size = max(1, _SCORED_PAIRS // candidates)
    # A request with more candidates than fit takes several rows.
    rows_of_request = -(-counts // candidates)
    request = np.repeat(np.arange(arrays.requests), rows_of_request)
    first_row = np.cumsum(rows_of_request) - rows_of_request
    begin = np.asarray(arrays.offsets)[request] + (np.arange(len(request)) - first_row[request]) * candidates
    end = np.asarray(arrays.offsets)[request + 1]
    logits = np.empty((arrays.pairs, len(engine.tasks)), np.float32)
    for start in range(0, len(request), size):
        part = slice(start, start + size)
        pairs = begin[part][:, None] + np.arange(candidates)
        pairs = np.where(pairs < end[part][:, None], pairs, NO_PAIR)
        scored = engine.score(day.batch(request[part], pairs, size))[: len(pairs)]
        real = pairs != NO_PAIR
        logits[pairs[real]] = scored[real]
    return logits


class DayView:
    """A day's arrays as one model reads them, and batches of any of its requests and pairs.

    Ids are looked up once a day: rows of the fused tables, one matrix a block of the view. An index beyond a table
    reads as unknown. Floats stay where they are, memory-mapped, unless only some columns of a matrix are read.

    Args:
        engine: whose view and tables these are.
        arrays: the day.
        hidden: for an id space, indices that read as unknown all the same.
        limits: sizes of id spaces below the model's own; an index from there on reads as unknown.
        ranked: whether a pair that nobody judged is trained as a negative.
        to_train: also what models read in training alone.
    """

    def __init__(
        self,
        engine: Engine,
        arrays: DayArrays,
        hidden: Mapping[str, NDArray[np.int64]] | None = None,
        limits: Mapping[str, int] | None = None,
        *,
        ranked: bool = False,
        to_train: bool = True,
    ) -> None:
        self.view = engine.view(arrays.layout, to_train=to_train)
        found = lookups(engine.fused, limits or {}, hidden or {})
        self.rows = [self._look_up(block, arrays.on(block.side, ids=True), found) for block in self.view.ids]
        self._dense = [block.select(arrays.on(block.side, ids=False)) for block in self.view.dense]
        self._pair_item = np.asarray(arrays.pair_item)
        labels = [arrays.label_of(task.name) for task in engine.tasks]
        self._labels = [np.maximum(each, 0) for each in labels] if ranked else labels
        self._weight = np.asarray(arrays.weight, np.float32)
        self._user = np.asarray(arrays.user)

    @cached_property
    def _log_q(self) -> NDArray[np.float32]:
        """By item, the logarithm of its share of the day's pairs."""
        shown = np.bincount(self._pair_item)
        return np.log(np.maximum(shown, 1) / max(len(self._pair_item), 1)).astype(np.float32)

    def _look_up(
        self, block: Block, ids: NDArray[np.int32], found: Mapping[str, NDArray[np.int32]]
    ) -> NDArray[np.int32]:
        out = np.empty((len(ids), len(block.source)), np.int32)
        for read, place in block.places.items():
            first = int(block.source[place.start])
            indices = ids[:, first : first + place.stop - place.start]
            out[:, place.start : place.stop] = rows_of(found[read.table], indices)
        return out

    def batch(
        self,
        request: NDArray[np.int64],
        pairs: NDArray[np.int64],
        size: int,
        *,
        to_train: bool = False,
        by_user: bool = False,
        by_item: bool = False,
    ) -> Batch:
        """``request [n]`` and ``pairs [n, candidates]`` (-1 for none) as a batch of ``size`` rows.

        Args:
            to_train: with label, mask and weight; scoring reads none.
            by_user: and with whose each row is.
            by_item: and with which item each pair is of, and how often that is among the day's.
        """
        missing = size - len(request)
        if missing:
            request = np.concatenate([request, np.zeros(missing, np.int64)])
            pairs = np.concatenate([pairs, np.full((missing, pairs.shape[1]), NO_PAIR, np.int64)])
        real = pairs != NO_PAIR
        pair = np.where(real, pairs, 0)
        item: NDArray[np.integer[Any]] = self._pair_item.take(pair)
        rows = {Side.REQUEST: request, Side.ITEM: item, Side.PAIR: pair}
        nobody = slice(size - missing, size)
        nowhere: dict[Side, Any] = {}
        if not real.all():
            nowhere = {Side.REQUEST: nobody, **dict.fromkeys((Side.ITEM, Side.PAIR), np.nonzero(~real))}

        def take(blocks: tuple[Block, ...], matrices: list[NDArray[Any]], nothing: float) -> list[NDArray[Any]]:
            parts = [matrix.take(rows[block.side], axis=0) for block, matrix in zip(blocks, matrices, strict=True)]
            for block, part in zip(blocks, parts, strict=True) if nowhere else ():
                part[nowhere[block.side]] = nothing
            return parts

        floats = take(self.view.dense, self._dense, np.nan)
        if to_train:
            weight = self._weight.take(request)
            weight[nobody] = 0.0
            floats += [*(label.take(pair) * real for label in self._labels), real, weight]
        if by_user:
            # By number within the batch: a float holds no user's index of many millions.
            floats.append(np.unique(self._user.take(request), return_inverse=True)[1])
        if by_item:
            floats += [np.unique(item, return_inverse=True)[1], self._log_q.take(item)]
        ints = _flat(take(self.view.ids, self.rows, 0), np.int32)
        told = (len(self._labels), by_user, by_item)
        return Batch(self.view, (size, pairs.shape[1]), ints, _flat(floats, np.float32), *told)


def _flat(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate([part.ravel() for part in parts], dtype=dtype) if parts else np.zeros(0, dtype)


def power_of_two(count: int) -> int:
    """The smallest power of two that is at least ``count``."""
    return 1 << max(0, count - 1).bit_length()
