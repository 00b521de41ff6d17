"""Counters of a day by request and candidate, from the state as of the end of the day before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.schema import Side
from pipeline.config.features import OF_LISTS, Counter
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.arrays.feature_codes import frame_codes
from pipeline.features.arrays.items import DayItems
from pipeline.features.frames.frame import Array
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.counters import Cells
from pipeline.features.state.state import FeatureState, Group

NEVER = 3650.0
"""Days since an event that has never been; more days than that read as this many."""
_EDGE = 1e-6
"""Rates are kept this far from 0 and 1 before their logit is taken."""


def item_counters(plan: Plan, codes: Mapping[str, Codes], state: FeatureState, day: Day) -> dict[str, Array]:
    """The counters whose whole key is the candidates', ``[items]``, by the codes of the features on their side."""
    cells: dict[Group, Cells] = {}
    values: dict[str, Array] = {}
    for name, counter in plan.counters().items():
        if counter.key and all(key in codes for key in counter.key):
            if counter.group not in cells:
                cells[counter.group] = state.counters[counter.group].lookup(*(codes[key] for key in counter.key))
            values[name] = counter_value(counter, cells[counter.group], every(counter, state), day)
    return values


def counter_values(
    plan: Plan, rows: DayRows, items: DayItems, codes: Mapping[str, Codes], own: Mapping[str, Array],
    state: FeatureState,
) -> dict[str, Array]:  # fmt: skip
    """Every declared counter for the day, from the state as of the end of the day before.

    Args:
        codes: of the features on the candidates' side, ``[items]``.
        own: the candidates' own counters (``item_counters``).
    """
    asking = {
        name: frame_codes(plan, plan.features[name], rows.requests) for name in plan.key_features if name not in codes
    }
    cells: dict[Group, tuple[Cells, NDArray[np.int64] | None]] = {}
    values: dict[str, Array] = {}
    for name, counter in plan.counters().items():
        of_pairs = plan.features[name].feature.side is Side.PAIR
        if counter.measure in OF_LISTS:
            value = of_lists(counter, items.offsets)
            values[name] = value[items.request] if of_pairs and counter.measure == "listed" else value
            continue
        if name in own:
            values[name] = own[name][items.pair_item] if of_pairs else own[name]
            continue
        mixed = any(key in codes for key in counter.key)
        if counter.group not in cells:
            # What one request asks by stands at all of its pairs.
            at = items.request if mixed and rows.requests.rows > 1 else slice(None)
            keys = [codes[key][items.pair_item] if key in codes else asking[key][at] for key in counter.key]
            cells[counter.group] = state.counters[counter.group].distinct(*keys)
        known, place = cells[counter.group]
        value = counter_value(counter, known, every(counter, state), rows.day)
        if place is not None:
            value = value[place]
        values[name] = value[items.request] if of_pairs and not mixed else value
    return values


def every(counter: Counter, state: FeatureState) -> Cells:
    """The cells of all events that the counter is of, shape ``[]``."""
    return state.overall if counter.counted is None else state.totals[counter.counted]


def of_lists(counter: Counter, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """The place of each candidate in its list, from 0, ``[pairs]``; or how many are listed, ``[requests]``."""
    listed = np.diff(offsets)
    if counter.measure == "listed":
        return transformed(counter, listed.astype(np.float64))
    places = np.arange(offsets[-1]) - np.repeat(offsets[:-1], listed)
    return transformed(counter, places.astype(np.float64))


def counter_value(settings: Counter, cells: Cells, overall: Cells, day: Day) -> NDArray[np.float32]:
    """The value of a declared counter for ``day``, from cells as of the end of the day before.

    * ``count``: events, or with a half-life the sum of 0.5^(age / half-life), an event of the day before having age 1;
    * ``rate``: (positives + smoothing · overall rate) / (events + smoothing), decayed alike in both; the overall rate
      is one half as long as nothing has been seen;
    * ``mean`` and ``share``: likewise, of a value and of whether it is above 0; zero as long as nothing has been seen;
    * ``sum`` of a value;
    * ``trend``: ln((a + smoothing) / (b + smoothing)) of the counts by the half-life and by the longer one;
    * ``days_since`` the last event: 1 = the day before; ``NEVER`` where there was none;
    * ``seen``: 0 or 1.

    Pure: training and serving both call it.

    Args:
        cells: of the counter's keys, any shape.
        overall: of all events that the counter is of together, shape ``[]``.

    Raises:
        DataError: the cells hold events of ``day`` or later.

    Returns:
        float32 of the cells' shape, after ``transform`` and ``scale``.
    """
    if int(cells.last_day.max(initial=0)) >= day.ordinal:
        newest = Day(int(cells.last_day.max()))
        raise DataError(f"the state read for day {day} holds events of {newest}; read it as of {day.previous()}")
    last = cells.last_positive if settings.positives else cells.last_day
    if settings.measure == "days_since":
        value = np.where(last > 0, np.minimum(day.ordinal - last.astype(np.float64), NEVER), NEVER)
    elif settings.measure == "seen":
        value = (last > 0).astype(np.float64)
    elif settings.measure == "count":
        value = cells.known(settings.half_life, day)[1 if settings.positives else 0]
    elif settings.measure == "trend":
        which = 1 if settings.positives else 0
        lately, before = (cells.known(each, day)[which] for each in (settings.half_life, settings.against))
        value = np.log(lately + settings.smoothing) - np.log(before + settings.smoothing)
    elif settings.measure == "sum":
        value = cells.known(settings.half_life, day)[1]
    elif settings.measure in ("rate", "mean", "share"):
        n, positive = cells.known(settings.half_life, day)
        count, total = overall.known(settings.half_life, day)
        unseen = 0.5 if settings.measure == "rate" else 0.0
        prior = float(total / count) if count > 0 else unseen
        value = (positive + settings.smoothing * prior) / (n + settings.smoothing)
        return transformed(settings, value, prior if settings.centre else None)
    else:
        raise ValueError(f"measure '{settings.measure}' is not read from the feature state")
    return transformed(settings, value)


def transformed(settings: Counter, value: NDArray[np.float64], centre: float | None = None) -> NDArray[np.float32]:
    """A measure as a model sees it: ``transform``, less the ``centre``'s, then divided by ``scale``."""
    value = _transform(settings, np.ascontiguousarray(value, np.float64))
    if centre is not None:
        value = value - _transform(settings, np.array([centre]))[0]
    return (value / settings.scale).astype(np.float32)


def _transform(settings: Counter, value: NDArray[np.float64]) -> NDArray[np.float64]:
    if settings.transform == "log":
        # Of a value alone that may be below 0.
        return np.log1p(value) if settings.value is None else np.sign(value) * np.log1p(np.abs(value))
    if settings.transform == "logit":
        inside = np.clip(value, _EDGE, 1 - _EDGE)
        return np.asarray(np.log(inside) - np.log1p(-inside))
    return value
