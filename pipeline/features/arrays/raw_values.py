"""From a frame's columns to one padded array a feature, still in raw ids: the step that training and serving share.

Raw ids are int64 or text, with ``pipeline.ingest.canonical_ids``' sentinels: a missing value reads as unknown, padding
as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR, PAD_INT, PAD_STR, Kind
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.arrays.composed_ids import by_column, by_pairs, digits_of
from pipeline.features.arrays.paired_lists import lengthened, paired_lengths
from pipeline.features.frames.frame import Array, Column, Frame, Lists, singles
from pipeline.features.frames.texts import Texts
from pipeline.features.plan.declared import PlannedFeature
from pipeline.ingest.canonical_ids import canonical_ids

Widths = Mapping[str, int]


def missing_of(kind: str) -> Any:
    return MISSING_INT if kind == "int" else MISSING_STR


def padding_of(kind: str) -> Any:
    return PAD_INT if kind == "int" else PAD_STR


def raw_inputs(
    features: Sequence[PlannedFeature], frame: Frame, spaces: Mapping[str, str], widths: Widths, day: Day
) -> dict[str, Array]:
    """The model's inputs by feature name, for features made of the frame's own columns.

    Args:
        features: those of one side; counters and newest values are not among them. Lists of one group are brought into
            step: a row has the steps of its longest list, and a value that another list lacks is missing.
        frame: its columns are named ``<frame>.<column>``; of histories it holds the windows, already filled:
            ``[rows, steps]`` or ``[rows, days, values]``.
        spaces: kind (``int`` or ``str``) of every id space.
        widths: number of values of each bag (see ``bag_width``).
        day: the day the features are for.

    Returns: ``[rows]``, ``[rows, values]``, ``[rows, steps]`` or ``[rows, days, values]`` raw ids; ``[rows, size]``
    float32 for dense features, NaN where missing.
    """
    return {
        planned.name: raw.padded(width, padding_of(spaces[planned.feature.space or ""]))
        if isinstance(raw, Lists)
        else raw
        for planned, raw, width in raw_columns(features, frame, spaces, widths, day)
    }


def raw_columns(
    features: Sequence[PlannedFeature], frame: Frame, spaces: Mapping[str, str], widths: Widths, day: Day
) -> Iterator[tuple[PlannedFeature, Column, int]]:
    """Each feature of ``raw_inputs`` in turn; several values a cell as lists, and the width that they are padded to."""
    steps = paired_lengths(features, frame)
    for planned in features:
        kind = planned.feature.kind
        if not kind.has_ids:
            yield planned, dense_values(planned, frame, day), 0
            continue
        space = spaces[planned.feature.space or ""]
        if planned.frame in ("history", "last_year"):
            windows = frame[planned.keys[0]]
            assert not isinstance(windows, Lists)
            yield planned, windows, 0
        elif kind is Kind.CATEGORICAL:
            yield planned, categorical_ids(planned, frame, space), 0
        elif kind is Kind.BAG:
            yield planned, bag_ids(planned, frame, space), widths.get(planned.name, planned.feature.values)
        else:
            lists = bag_ids(planned, frame, space, keep_missing=True)
            if planned.feature.group in steps:
                lists = lengthened(lists, steps[planned.feature.group], missing_of(space))
            yield planned, last_values(lists, planned.feature.steps), planned.feature.steps


def categorical_ids(planned: PlannedFeature, frame: Frame, kind: str) -> Array:
    """One raw id a row; of a list its first value."""
    column = frame[planned.keys[0]]
    values = first_values(column) if isinstance(column, Lists) else column
    return _transformed(planned, values, kind)


def bag_ids(planned: PlannedFeature, frame: Frame, kind: str, *, keep_missing: bool = False) -> Lists:
    """The raw ids of each row: a list column, or several flat columns side by side; missing ones dropped.

    ``keep_missing`` keeps a value that has no such path part, so that steps of a sequence stay in step.
    """
    columns = [frame[key] for key in planned.keys]
    lists = columns[0] if isinstance(columns[0], Lists) else None
    if lists is None:
        single = [c for c in columns if not isinstance(c, Lists)]
        if len(single) != len(columns):
            raise DataError(f"feature '{planned.name}': list columns and single values cannot make one bag")
        flat = _composed(planned, [_transformed(planned, c, kind) for c in single])
        stacked = np.stack(flat, axis=1) if len(flat) > 1 else flat[0][:, None]
        lists = Lists(np.arange(0, stacked.size + 1, stacked.shape[1], dtype=np.int64), stacked.reshape(-1))
        keep_missing = False
    elif len(columns) > 1:
        raise DataError(f"feature '{planned.name}': several list columns cannot make one bag; name one")
    else:
        lists = Lists(lists.offsets, _transformed(planned, lists.values, kind))
    return lists if keep_missing else without(lists, missing_of(kind))


def list_ids(planned: PlannedFeature, lists: Lists, kind: str) -> Lists:
    """Raw ids that a feature's rule makes of lists; values without such an id are left out."""
    return bag_ids(planned, Frame(len(lists), {planned.keys[0]: lists}), kind)


def dense_values(planned: PlannedFeature, frame: Frame, day: Day) -> NDArray[np.float32]:
    """``[rows, size]`` float32, NaN where missing; a date is the number of days since it."""
    columns = [frame[key] for key in planned.keys]
    size = planned.feature.size
    out = np.full((frame.rows, size), np.nan, np.float32)
    for at, column in enumerate(columns):
        if isinstance(column, Lists):
            if len(columns) > 1:
                raise DataError(f"feature '{planned.name}': several list columns cannot make one dense feature")
            out[:] = Lists(column.offsets, _numbers(planned, column.values, day)).padded(size, np.nan)
        elif column.ndim > 1:
            out[:] = column
        else:
            out[:, at] = _numbers(planned, column, day)
    return out


def number_of(planned: PlannedFeature, frame: Frame, day: Day) -> NDArray[np.float32]:
    """``[rows]`` float32 of which a feature is the bin, NaN where missing."""
    return dense_values(planned, frame, day)[:, 0]


def frame_ids(planned: PlannedFeature, frame: Frame, kind: str) -> Array:
    """The raw ids of a feature in a frame that has its columns, row after row."""
    if planned.feature.kind is Kind.CATEGORICAL:
        return categorical_ids(planned, frame, kind)
    return bag_ids(planned, frame, kind).values


def first_values(lists: Lists) -> Array:
    """The first value of each list, missing where it is empty."""
    fill: Any = {"O": MISSING_STR, "f": np.nan}.get(lists.values.dtype.kind, MISSING_INT)
    return lists.padded(1, fill)[:, 0]


def last_values(lists: Lists, count: int) -> Lists:
    """Each list's last ``count`` values."""
    lengths = lists.lengths
    if not len(lengths) or lengths.max() <= count:
        return lists
    position = np.arange(len(lists.values)) - np.repeat(lists.offsets[:-1], lengths)
    kept = position >= np.repeat(lengths - count, lengths)
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(np.minimum(lengths, count), out=offsets[1:])
    return Lists(offsets, lists.values[kept])


def without(lists: Lists, value: Any) -> Lists:
    """The lists less every occurrence of ``value``."""
    kept = np.asarray(lists.values != value)
    if kept.all():
        return lists
    before = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(kept, out=before[1:])
    return Lists(before[lists.offsets], lists.values[kept])


def bag_width(longest: int, most: int) -> int:
    """Values kept a cell: the power of two that holds the day's longest bag, at most ``most`` rounded up.

    >>> bag_width(5, 16), bag_width(40, 10), bag_width(0, 8)
    (8, 16, 1)
    """
    return 1 << (max(min(longest, most), 1) - 1).bit_length()


def _transformed(planned: PlannedFeature, values: Array, kind: str) -> Array:
    settings = planned.settings
    if settings.buckets is not None:
        return _bucketed(planned, values)
    if settings.digits is not None:
        values = digits_of(as_raw(values, "int", f"feature '{planned.name}'"), settings.digits)
    if settings.part is not None:
        values = _path_part(values, settings.part)
    return as_raw(values, kind, f"feature '{planned.name}'")


def _composed(planned: PlannedFeature, columns: list[Array]) -> list[Array]:
    if planned.settings.compose is None:
        return columns
    if planned.settings.compose == "pairs":
        return by_pairs(columns)
    return by_column(columns, [name for _, name in planned.columns])


def as_raw(values: Array, kind: str, what: str) -> Array:
    """Raw ids of the space's kind; raises ``DataError`` where a value cannot be one."""
    if kind == "int" and values.dtype.kind == "i":
        return values.astype(np.int64, copy=False)
    if kind == "str" and values.dtype.kind == "O":
        return values
    if values.dtype.kind == "M":
        raise DataError(f"{what}: a day or time is not an id; give it `buckets` or make it dense")
    if kind == "str" and values.dtype.kind == "i":
        text = values.astype(str).astype(object)
        text[values == MISSING_INT] = MISSING_STR
        return text
    ids, valid = canonical_ids(values, kind)[:2]
    missing = _is_missing(values)
    bad = ~np.asarray(valid) & ~missing
    if bad.any():
        raise DataError(
            f"{what}: {values[bad].tolist()[0]!r} is not an id of an '{kind}' space; correct its type under `tables`"
        )
    ids = np.array(ids, np.int64 if kind == "int" else object)
    ids[missing] = missing_of(kind)
    return ids


def _is_missing(values: Array) -> NDArray[np.bool_]:
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "i":
        return values == MISSING_INT
    return np.asarray((values == MISSING_STR) | (values == None) | (values == ""), bool)  # noqa: E711


def _bucketed(planned: PlannedFeature, values: Array) -> NDArray[np.int64]:
    """The number of bucket limits that each value reaches; a limit belongs to the bucket above it."""
    limits = np.asarray(planned.settings.buckets, np.float64)
    numbers = _floats(planned, values)
    buckets = np.searchsorted(limits, numbers, side="right").astype(np.int64)
    buckets[np.isnan(numbers)] = MISSING_INT
    return buckets


def _path_part(values: Array, part: int) -> Array:
    """Part 0, 1 or 2 of paths /A/B/C; the last takes the rest; missing where the path has no such part."""
    if values.dtype.kind != "O":
        raise DataError("`part` is for paths such as /A/B/C, but the column holds no text")
    texts = values if isinstance(values, Texts) else Texts.of(values)
    parts = np.empty(len(texts.words), object)
    for at, path in enumerate(texts.words.tolist()):  # distinct paths: hundreds, not rows
        pieces = path.strip("/").split("/", 2) if path != MISSING_STR else []
        parts[at] = pieces[part] if part < len(pieces) and pieces[part] else MISSING_STR
    return Texts(parts, texts.codes)


def _floats(planned: PlannedFeature, values: Array) -> NDArray[np.float64]:
    if values.dtype.kind == "f":
        return values.astype(np.float64, copy=False)
    if values.dtype.kind in "iu":
        numbers = values.astype(np.float64)
        numbers[values == MISSING_INT] = np.nan
        return numbers
    raise DataError(
        f"feature '{planned.name}': its column holds no numbers; declare it `int` or `float` under `tables`"
    )


def _numbers(planned: PlannedFeature, values: Array, day: Day) -> NDArray[np.float32]:
    if values.dtype.kind == "M":
        days = values.astype("datetime64[D]")
        since = (np.datetime64(day.date) - days).astype(np.float64)
        since[np.isnat(days)] = np.nan
        return since.astype(np.float32)
    return singles(_floats(planned, values))
