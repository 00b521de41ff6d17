"""The declared features of a job: the one contract of feature building, models and export.

A feature lives on one of three sides of a request with candidates:

* ``request``: one value per request (user, context, histories), ``[batch, …]``;
* ``item``: one value per candidate (the target), ``[batch, candidates, …]``;
* ``pair``: one value per request and candidate (counters, mastery), ``[batch, candidates, …]``.

An impression is a request with exactly one candidate.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

V = TypeVar("V", int, None)


class Kind(StrEnum):
    """The shape of a feature, after its side's leading axes."""

    CATEGORICAL = "categorical"  # []            one id
    BAG = "bag"  # [values]      ids without order
    SEQUENCE = "sequence"  # [steps]       ids, oldest first, right-padded
    BAG_SEQUENCE = "bag_sequence"  # [days, values] a bag a day, oldest first; an empty day is a gap
    SESSIONS = "sessions"  # [sessions, steps] ids by session, oldest first, right-padded both ways
    DENSE = "dense"  # [size]        floats; NaN is missing
    VECTOR = "vector"  # [size]        floats of one thing, such as a picture; there as a whole or missing: all NaN

    AGES = "ages"  # [size]        of a group's histories: from each step to the request; NaN is no step
    NEGATIVES = "negatives"  # [steps, values] of a history: ids that could have stood in each step's place

    @property
    def has_ids(self) -> bool:
        """Whether its values are ids, which are embedded, and not floats."""
        return self not in (Kind.DENSE, Kind.VECTOR, Kind.AGES)

    @property
    def is_history(self) -> bool:
        """Whether its ids are those of steps."""
        return self in (Kind.SEQUENCE, Kind.BAG_SEQUENCE, Kind.SESSIONS)


class Side(StrEnum):
    REQUEST = "request"
    ITEM = "item"
    PAIR = "pair"


ONLY: Final = "label"
"""The name of the task of a job that declares none."""

PADDING = 0
"""Index of padding: its embedding is always zero and never learnt."""
UNKNOWN = 1
"""Index of a missing or unknown id: a trained row."""
FIRST = 2
"""Index of the first real id of a space."""

PAD_INT: Final = -(2**63)
"""Raw value of padding in a space of whole numbers; no id is it."""
MISSING_INT: Final = -(2**63) + 1
"""Raw value of what is missing in a space of whole numbers; no id is it."""
PAD_STR: Final = ""
# Not NUL: numpy's own text type drops trailing NULs, and missing would become padding.
MISSING_STR: Final = "\x01"


@dataclass(frozen=True)
class Feature:
    """One declared feature.

    Args:
        name: unique in the schema; also the input's name in the exported model.
        kind: shape of the feature.
        side: request, item or pair.
        space: id space of the values; features of one space share an embedding. ``None`` for floats.
        of: for a history, the item feature whose values it holds (``role: history of <target>``); for negatives, the
            history that they are of.
        steps: for sequences, the number of steps or days (fixed by the job).
        sessions: for sessions, how many, each of ``steps`` steps.
        lead: for bag sequences, days kept before the window for forward gap fill; they come first,
            so that the array holds ``lead + steps`` days.
        values: for bags and bag sequences, the most values kept a cell.
        size: for dense features and vectors, the number of floats; for ages, the history's ``slots``.
        stand_in: for a history, the feature that replaces it where all of its days are empty.
        group: for a history or its ages, the name of those that it is read together with: element by element they are
            the parts of one step. A history without one is read by itself, under a mask of its own.
        normalise: for dense features: ``none``, ``zscore`` or ``minmax``, by past days only.
        fixed_days: for normalised features: so many observed days are what later ones are normalised by; ``None``: all.
        clip: for normalised features: how far from zero a value is kept; ``None``: as the layer has it.
        log: for dense features: models read ``sign(x) log(1 + |x|)``.
        flag: for dense features: models also read which values are missing.
        bins: for a categorical feature: its ids are bins of a number, and an exported model takes the number.
    """

    name: str
    kind: Kind
    side: Side
    space: str | None = None
    of: str | None = None
    steps: int = 1
    sessions: int = 1
    lead: int = 0
    values: int = 1
    size: int = 1
    stand_in: str | None = None
    group: str | None = None
    normalise: str = "none"
    fixed_days: int | None = None
    clip: float | None = None
    log: bool = False
    flag: bool = False
    bins: bool = False

    def shape(self, values: V) -> tuple[int | V, ...]:
        """After its side's leading axes.

        Args:
            values: how many a cell of several has room for; ``None`` where that is free.
        """
        shapes: dict[Kind, tuple[int | V, ...]] = {
            Kind.CATEGORICAL: (),
            Kind.BAG: (values,),
            Kind.SEQUENCE: (self.steps,),
            Kind.SESSIONS: (self.sessions, self.steps),
            Kind.BAG_SEQUENCE: (self.lead + self.steps, values),
            Kind.DENSE: (self.size,),
            Kind.VECTOR: (self.size,),
            Kind.AGES: (self.size,),
            Kind.NEGATIVES: (self.steps, self.values),
        }
        return shapes[self.kind]

    @property
    def has_ids(self) -> bool:
        return self.kind.has_ids

    @property
    def slots(self) -> int:
        """Steps of a history, those of every session and the days of the lead included."""
        return self.sessions * (self.lead + self.steps)

    def with_negatives(self, count: int) -> Feature:
        """What could have stood in the place of each of the slots of this history."""
        name, side = f"{self.name}.negatives", self.side
        return Feature(name, Kind.NEGATIVES, side, self.space, of=self.name, steps=self.slots, values=count)


@dataclass(frozen=True)
class FeatureSchema:
    """The features of a job in declared order, and the type (``int`` or ``str``) of every id space."""

    features: tuple[Feature, ...]
    spaces: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.features]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"features declared twice: {', '.join(twice)}")
        for feature in self.features:
            if feature.has_ids and feature.space not in self.spaces:
                raise ValueError(f"feature '{feature.name}': id space '{feature.space}' is not declared")

    def __getitem__(self, name: str) -> Feature:
        for feature in self.features:
            if feature.name == name:
                return feature
        raise KeyError(name)

    def on(self, side: Side, *, ids: bool) -> tuple[Feature, ...]:
        """The features of one side: those with ids, or the dense ones."""
        return tuple(f for f in self.features if f.side is side and f.has_ids is ids)

    def together(self) -> tuple[tuple[Feature, ...], ...]:
        """The histories that are read, by group, in the order in which each group's first one is declared.

        Raises:
            ValueError: histories of one group that cannot be parts of the same steps.
        """
        replaced = {f.stand_in: f.name for f in self.features if f.stand_in}
        groups: dict[tuple[str, bool], list[Feature]] = {}
        for feature in self.features:
            if not feature.kind.is_history:
                continue
            if feature.name not in replaced:
                key = (feature.group or feature.name, feature.group is not None)
                groups.setdefault(key, []).append(feature)
            elif feature.group is not None:
                raise ValueError(
                    f"feature '{feature.name}': stands in for '{replaced[feature.name]}' and is read with its group, "
                    f"so it takes no `group` of its own"
                )
        for first, *others in groups.values():
            for other in others:
                _check_together(first, other)
        return tuple(tuple(group) for group in groups.values())

    @property
    def asked(self) -> FeatureSchema:
        """The schema of what a model is asked with: without what is for training alone."""
        return replace(self, features=tuple(f for f in self.features if f.kind is not Kind.NEGATIVES))

    def without_negatives_of(self, histories: Container[str]) -> FeatureSchema:
        """The schema without what could have stood in the steps of some histories."""
        kept = (f for f in self.features if f.kind is not Kind.NEGATIVES or f.of not in histories)
        return replace(self, features=tuple(kept))

    def subset(self, names: set[str]) -> FeatureSchema:
        """The schema of the named features only, in the same order; a history loses a stand-in that is left out, and
        has its negatives with it."""
        kept = (f for f in self.features if (f.of if f.kind is Kind.NEGATIVES else f.name) in names)
        return FeatureSchema(
            tuple(replace(f, stand_in=f.stand_in if f.stand_in in names else None) for f in kept), self.spaces
        )


def _check_together(first: Feature, other: Feature) -> None:
    """Whether two histories can be parts of the same steps."""
    for what in ("kind", "side", "sessions", "steps", "lead"):
        one, two = getattr(first, what), getattr(other, what)
        if one != two:
            raise ValueError(
                f"features '{first.name}' and '{other.name}' are both of group '{first.group}', but their {what} "
                f"differ: {one} and {two}; the parts of a step have the same"
            )
    if bool(first.stand_in) != bool(other.stand_in):
        has, has_not = (first, other) if first.stand_in else (other, first)
        raise ValueError(
            f"features '{has.name}' and '{has_not.name}' are both of group '{first.group}', but only '{has.name}' has "
            f"its stand_in '{has.stand_in}' in use; a step is replaced as a whole or not at all"
        )


@dataclass(frozen=True)
class Columns:
    """Where a feature stands in its side's matrix: ``matrix[:, start:stop]`` reshaped to ``shape``."""

    start: int
    stop: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Columns of the id and dense matrices of a day.

    ``widths`` gives, for each feature with several values a cell, the number of values that the
    day's matrix keeps: a power of two from the day's data, at most ``Feature.values`` rounded up.
    """

    request_ids: Mapping[str, Columns]
    item_ids: Mapping[str, Columns]
    request_dense: Mapping[str, Columns]
    item_dense: Mapping[str, Columns]
    pair_dense: Mapping[str, Columns]

    @classmethod
    def of(cls, schema: FeatureSchema, widths: Mapping[str, int]) -> Layout:
        return cls(
            request_ids=_place(schema.on(Side.REQUEST, ids=True), widths),
            item_ids=_place(schema.on(Side.ITEM, ids=True), widths),
            request_dense=_place(schema.on(Side.REQUEST, ids=False), widths),
            item_dense=_place(schema.on(Side.ITEM, ids=False), widths),
            pair_dense=_place(schema.on(Side.PAIR, ids=False), widths),
        )

    def on(self, side: Side, *, ids: bool) -> Mapping[str, Columns]:
        """The columns of one side's matrix of ids, or of its dense one."""
        columns: Mapping[str, Columns] = getattr(self, _matrix(side, ids=ids))
        return columns

    @staticmethod
    def width(columns: Mapping[str, Columns]) -> int:
        """Number of columns of a matrix."""
        return max((place.stop for place in columns.values()), default=0)


def _matrix(side: Side, *, ids: bool) -> str:
    return f"{side}_{'ids' if ids else 'dense'}"


def _place(features: tuple[Feature, ...], widths: Mapping[str, int]) -> dict[str, Columns]:
    places: dict[str, Columns] = {}
    start = 0
    for feature in features:
        shape = feature.shape(widths.get(feature.name, feature.values))
        stop = start + int(np.prod(shape, dtype=np.int64))
        places[feature.name] = Columns(start, stop, shape)
        start = stop
    return places


@dataclass(frozen=True)
class DayArrays:
    """One day's training or test rows as arrays (usually memory-mapped).

    A request's candidates are the pairs ``offsets[r]:offsets[r + 1]``, ordered by candidate rank
    (best first, ties by key); ``pair_item`` points into the item matrices. Ids are *indices* of
    their id space (0 padding, 1 unknown), not yet offset into a fused table.

    Attributes:
        layout: columns of the matrices.
        request_ids: int32 ``[requests, columns]``; of a day as it is stored, ``IdColumns`` stand for it.
        request_dense: float32 ``[requests, columns]``.
        item_ids: int32 ``[items, columns]``, likewise.
        item_dense: float32 ``[items, columns]``.
        offsets: int64 ``[requests + 1]``.
        pair_item: int32 ``[pairs]``.
        pair_dense: float32 ``[pairs, columns]``.
        label: int8 ``[pairs, tasks]``; 1 positive, 0 negative, -1 not judged (a candidate is then a negative for
            ranking, never drawn before judged negatives in training).
        weight: float32 ``[requests]`` sample weight.
        user: int32 ``[requests]`` index of the user (the group of GAUC).
        tasks: names of the columns of ``label``.
    """

    layout: Layout
    request_ids: NDArray[np.int32]
    request_dense: NDArray[np.float32]
    item_ids: NDArray[np.int32]
    item_dense: NDArray[np.float32]
    offsets: NDArray[np.int64]
    pair_item: NDArray[np.int32]
    pair_dense: NDArray[np.float32]
    label: NDArray[np.int8]
    weight: NDArray[np.float32]
    user: NDArray[np.int32]
    tasks: tuple[str, ...] = (ONLY,)

    def label_of(self, task: str) -> NDArray[np.int8]:
        """``[pairs]`` labels of one task."""
        return np.asarray(self.label)[:, self.tasks.index(task)]

    def on(self, side: Side, *, ids: bool) -> NDArray[Any]:
        """One side's matrix of ids, or its dense one."""
        matrix: NDArray[Any] = getattr(self, _matrix(side, ids=ids))
        return matrix

    @property
    def candidates(self) -> NDArray[np.int64]:
        """How many each request has, ``[requests]``."""
        offsets = np.asarray(self.offsets, np.int64)
        return offsets[1:] - offsets[:-1]

    @property
    def requests(self) -> int:
        return len(self.offsets) - 1

    @property
    def pairs(self) -> int:
        return len(self.pair_item)
