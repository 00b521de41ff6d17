"""A request, and the columns that it gives of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from models.schema import MISSING_INT
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.features.frames.frame import Array, Column
from pipeline.features.frames.from_arrow import column_of
from pipeline.features.rows.day import flat
from pipeline.ingest.canonical_ids import canonical_ids
from pipeline.ingest.parse.times import times
from pipeline.release.contents.columns_json import column

_STORED = {"int_list": "int_list", "str_list": "str_list", "path_list": "str_list", "float_list": "float_list"}


@dataclass(frozen=True)
class Request:
    """Who asks, and what is known of the moment.

    Args:
        owner: raw ids of the history's owner: teacher and class, or the user.
        chapters: of a ranking; by default those of the owner's last homework day.
        context: values of the request's own columns by name; a ranking takes what is not given from the owner's
            newest row, an impression reads it as missing.
        items: of impressions, the items to score instead of the release's candidates.
        day: the day the answer is for; by default the day after the release's.
    """

    owner: tuple[Any, ...]
    chapters: tuple[Any, ...] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[Any, ...] | None = None
    day: Day | None = None


def typed(config: JobConfig, name: str, raw: Any) -> Column:
    """A column of one row with a value of the type that the job's settings declare; ``None`` is missing.

    Raises:
        UsageError: the value is not of that type.
    """
    declared = config.tables[config.request.rows].columns[name]
    kind = _STORED.get(declared.type, declared.type)
    if raw is None:
        return _missing(kind)
    if kind == "float_list":
        numbers = _floats(name, raw)
        if declared.items not in (None, len(numbers)):
            raise UsageError(f"{name}: {len(numbers)} numbers, where {declared.items} are declared")
        return column([numbers], kind)
    if kind.endswith("_list"):
        values = list(raw) if isinstance(raw, list | tuple) else str(raw).strip("[]").split(",")
        return column([canonical(name, values, kind.removesuffix("_list")).tolist()], kind)
    if kind in ("int", "str"):
        return canonical(name, [raw], kind)
    if kind == "time":
        return _moment(name, raw, config.timezone, declared.unit)
    try:
        return column([float(raw) if kind == "float" else str(raw)], kind)
    except ValueError:
        raise UsageError(f"{name}: '{raw}' is not a {kind}") from None


def _moment(name: str, raw: Any, zone: str, unit: str | None) -> Array:
    """As a table's: a number since 1970 or a text, which may name its zone."""
    read = times(pa.array([str(raw)]), zone, unit)
    if read.bad.any():
        raise UsageError(f"{name}: '{raw}' is not a time")
    return np.asarray(flat(column_of(pa.table({name: read.values}), name)))


@lru_cache(maxsize=64)
def _missing(kind: str) -> Column:
    """One missing value: the same array for every request, whose tensor need not be made again."""
    return column([None], kind)


def _floats(name: str, raw: Any) -> list[float]:
    try:
        values = [float(each) for each in (raw if isinstance(raw, list | tuple) else str(raw).strip("[]").split(","))]
    except (TypeError, ValueError):
        values = [math.nan]
    if not all(map(math.isfinite, values)):
        raise UsageError(f"{name}: '{raw}' is not a list of finite numbers")
    return values


def canonical(name: str, values: list[Any], kind: str) -> Array:
    """Raw ids in canonical form; raises ``UsageError`` where a value is none."""
    # A few whole numbers are an array sooner than a column, and are as they should be.
    whole = all(type(each) is int and MISSING_INT < each < 2**63 for each in values)
    if whole and kind == "int":
        return np.array(values, np.int64)
    ids, valid = canonical_ids(np.array(values, np.int64) if whole else values, kind)[:2]
    if not np.asarray(valid).all():
        wrong = values[int(np.flatnonzero(~np.asarray(valid))[0])]
        raise UsageError(f"{name}: '{wrong}' is not {'a whole number' if kind == 'int' else 'a text id'}")
    return np.asarray(ids)
