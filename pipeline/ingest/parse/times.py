"""Days and times: an instant is an instant, and what names no zone is wall-clock time of the job's zone.

Where the clock is set back, a wall-clock time that is there twice is the first of the two; one that is left out when it
is set forward is the moment at which it is. Times are kept to the millisecond, what is finer is cut off.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.ingest.parse.parsed import BY_TYPE, Parsed, mask_of
from pipeline.ingest.parse.scalars import ints, texts
from pipeline.storage.physical_types import of_our_era

_DAY = r"^[0-9]{4}(-[0-9]{2}-[0-9]{2}|/[0-9]{2}/[0-9]{2}|[0-9]{4})([ T][0-9:.,Z+-]*)?$"
_ZONE = r"^(?P<bare>.{11,}?)\s*(?P<zone>Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)$"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?$"
_DIGITS = r"^[+-]?[0-9]+(\.[0-9]*)?$"
_MICROSECONDS = len("2024-03-04 12:00:00.000000")
_LAST_MS = 253_402_300_799_999  # the end of the year 9999
_PER_MS = {"s": 0.001, "ms": 1, "us": 1_000, "ns": 1_000_000}
_SECONDS = 10_000_000_000
"""Below it milliseconds are of the first weeks of 1970, while seconds reach to the year 2286."""
_FIRST_DIGITS, _LAST_DIGITS = 19_700_101_000_000, 21_000_101_000_000
"""Numbers between them are a date's and a time's digits; as milliseconds they are of the years 2594 to 2635."""
_NOT_TIME, _NOT_DAY = "not a time", "not a day"


def times(array: pa.Array, zone: str, unit: str | None) -> Parsed:
    """Instants.

    Args:
        zone: of times that name none.
        unit: of numbers, since 1970 in UTC; ``None`` = milliseconds.
    """
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        known = of_our_era(array)
        if pa.types.is_date(array.type):
            known = known.cast(pa.timestamp("ms"))
        return _checked(array, of_our_era(_instants(known, zone)), _NOT_TIME)
    if not pa.types.is_string(array.type):
        return _epoch(array, unit)
    written = texts(array).values
    numeric = mask_of(pc.match_substring_regex(written, _DIGITS))
    parsed = _epoch(pc.if_else(pa.array(numeric), written, pa.scalar(None, pa.string())), unit)
    rows = np.flatnonzero(mask_of(pc.is_valid(written)) & ~numeric)
    if len(rows):
        found, bad = _iso(written.take(pa.array(rows)), zone)
        values = np.asarray(parsed.values.cast(pa.int64()).fill_null(0)).copy()
        present = mask_of(parsed.values.is_valid())
        values[rows], present[rows] = np.asarray(found.cast(pa.int64()).fill_null(0)), ~bad
        parsed.values = pa.array(values, pa.int64(), mask=~present).cast(BY_TYPE["time"])
        wrong = np.zeros(len(array), bool)
        wrong[rows[bad]] = True
        parsed.fail(wrong, _NOT_TIME)
    return parsed


def days(array: pa.Array, zone: str, unit: str | None) -> Parsed:
    """Calendar days: of an instant the day of the job's zone, of a wall-clock time its date.

    Args:
        zone: of the job.
        unit: of numbers that are instants, as of ``times``; ``None`` = numbers are ``YYYYMMDD``.
    """
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        return _checked(array, _dates(of_our_era(array), zone), _NOT_DAY)
    broken = np.zeros(len(array), bool)
    if not pa.types.is_string(array.type) and unit is not None:
        return _epoch_days(array, zone, unit)
    if pa.types.is_floating(array.type):
        whole = ints(array)
        array, broken = whole.values, whole.bad
    # A day is read once however many rows hold it.
    coded = texts(array.cast(pa.string())).values.dictionary_encode()
    written = _written_days(coded.dictionary, zone, unit)
    parsed = Parsed.of(written.take(coded.indices))
    parsed.fail(mask_of(pc.and_(pc.is_valid(coded), pc.is_null(parsed.values))) | broken, _NOT_DAY)
    return parsed


def _written_days(written: pa.Array, zone: str, unit: str | None) -> pa.Array:
    shaped = mask_of(pc.match_substring_regex(written, _DAY))
    instants = mask_of(pc.match_substring_regex(written, _ZONE))
    found = [_day(text) if good else None for text, good in zip(written.to_pylist(), shaped & ~instants, strict=True)]
    values = pa.array(found, pa.date32())
    if unit is not None:
        numeric = mask_of(pc.match_substring_regex(written, _DIGITS))
        numbers = pc.if_else(pa.array(numeric), written, pa.scalar(None, pa.string()))
        values = pc.if_else(pa.array(numeric), _epoch_days(numbers, zone, unit).values, values)
    rows = np.flatnonzero(instants)
    if len(rows):
        places = np.full(len(written), -1)
        places[rows] = np.arange(len(rows))
        read = _dates(_iso(written.take(pa.array(rows)), zone)[0], zone)
        values = pc.coalesce(values, read.take(pa.array(places, mask=places < 0)))
    return values


def _epoch_days(array: pa.Array, zone: str, unit: str) -> Parsed:
    parsed = _epoch(array, unit)
    parsed.values = _dates(parsed.values, zone)
    parsed.names = [_NOT_DAY if name == _NOT_TIME else name for name in parsed.names]
    return parsed


def _day(text: str) -> date | None:
    digits = text[:10].replace("-", "").replace("/", "")[:8]
    try:
        return date.fromisoformat(digits)
    except ValueError:
        return None


def _dates(array: pa.Array, zone: str) -> pa.Array:
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        array = pc.local_timestamp(array.cast(pa.timestamp(array.type.unit, zone)))
    return of_our_era(pc.floor_temporal(array, unit="day").cast(pa.date32()))


def _checked(array: pa.Array, values: pa.Array, reason: str) -> Parsed:
    """What could not be read is invalid for this reason."""
    parsed = Parsed.of(values)
    parsed.fail(mask_of(pc.and_(array.is_valid(), values.is_null())), reason)
    return parsed


def _instants(array: pa.Array, zone: str) -> pa.Array:
    """Timestamps as instants."""
    if array.type.tz is None:
        array = pc.assume_timezone(_to_ms(array), zone, ambiguous="earliest", nonexistent="latest")
    return _to_ms(array).cast(BY_TYPE["time"])


def _to_ms(array: pa.Array) -> pa.Array:
    """Timestamps in milliseconds, rounded down also before 1970."""
    kind = pa.timestamp("ms", array.type.tz)
    finer = {"us": 1_000, "ns": 1_000_000}.get(array.type.unit)
    if finer is None:
        return array.cast(kind)
    counts = np.asarray(pc.fill_null(array.cast(pa.int64()), 0)) // finer
    return pa.array(counts, pa.int64(), mask=~mask_of(array.is_valid())).cast(kind)


def _epoch(array: pa.Array, unit: str | None) -> Parsed:
    """Numbers since 1970 as instants, those up to the year 9999."""
    whole = ints(array)
    counts = np.asarray(pc.fill_null(whole.values, 0))
    per_ms = _PER_MS[unit or "ms"]
    outside = (counts < 0) | (counts > _LAST_MS * per_ms)
    if unit == "s":
        values, fractions = np.where(outside, 0, counts) * 1000, _fractions(array, whole)
        values = np.where(np.isnan(fractions), values, np.nan_to_num(fractions)).astype(np.int64)
        bad = outside | (whole.bad & np.isnan(fractions))
        present = (mask_of(whole.values.is_valid()) | ~np.isnan(fractions)) & ~bad
    else:
        values, bad = counts // int(per_ms), outside | whole.bad
        present = mask_of(whole.values.is_valid()) & ~bad
    parsed = Parsed.of(pa.array(values, pa.int64(), mask=~present).cast(BY_TYPE["time"]))
    if unit is None:
        seconds = present & (counts > 0) & (counts < _SECONDS)
        parsed.fail(seconds, "too small for milliseconds since 1970; if it is in seconds, declare `unit: s`")
        digits = present & (counts >= _FIRST_DIGITS) & (counts < _LAST_DIGITS)
        parsed.fail(digits, "YYYYMMDDHHMMSS, where numbers are milliseconds since 1970; write YYYY-MM-DD HH:MM:SS")
    parsed.fail(bad, _NOT_TIME)
    return parsed


def _fractions(array: pa.Array, whole: Parsed) -> NDArray[np.float64]:
    """Milliseconds of seconds with a fraction, to the microsecond before they are cut; NaN for all others."""
    places = [place for place, name in enumerate(whole.names) if name == "not a whole number"]
    rows = np.isin(whole.codes, places)
    found = np.full(len(array), np.nan)
    if rows.any():
        some = array.filter(pa.array(rows)).cast(pa.float64())
        seconds = np.asarray(pc.fill_null(some, np.nan))
        good = (seconds >= 0) & (seconds <= _LAST_MS / 1000)
        found[rows] = np.where(good, np.rint(seconds * 1e6) // 1000, np.nan)
    return found


def _iso(written: pa.Array, zone: str) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Instants of ISO texts, and which of them are none."""
    plain = pc.replace_substring(pc.replace_substring(written, "/", "-"), ",", ".")
    zoned = mask_of(pc.match_substring_regex(plain, _ZONE))
    bare, offsets = plain, np.zeros(len(plain), np.int64)
    if zoned.any():
        pieces = pc.extract_regex(plain, _ZONE)
        bare = pc.coalesce(pc.struct_field(pieces, "bare"), plain)
        offsets = _offsets(pc.struct_field(pieces, "zone"))
    bad = ~mask_of(pc.match_substring_regex(bare, _ISO)) | (np.abs(offsets) >= 24 * 60)
    if (pc.max(pc.binary_length(bare)).as_py() or 0) > _MICROSECONDS:
        bare = pc.replace_substring_regex(bare, r"(\.[0-9]{6})[0-9]+$", r"\1")
    # Imported here: most sources have epoch milliseconds, and pandas takes a third of a second to load.
    import pandas as pd

    good: Any = pc.if_else(pa.array(bad), pa.scalar(None, pa.string()), bare).to_pandas()
    read = pd.to_datetime(good, format="ISO8601", errors="coerce").to_numpy().astype("datetime64[us]")
    bad |= np.isnat(read)
    wall = _to_ms(pa.array(read, pa.timestamp("us"), mask=bad))
    exact = np.asarray(pc.fill_null(wall.cast(pa.int64()), 0)) - offsets * 60_000
    instants = pa.array(exact, pa.int64(), mask=bad).cast(BY_TYPE["time"])
    found = of_our_era(pc.if_else(pa.array(zoned), instants, _instants(wall, zone)))
    return found, ~mask_of(found.is_valid())


def _offsets(zones: pa.Array) -> NDArray[np.int64]:
    """Minutes ahead of UTC; 0 where no zone is named."""
    coded = zones.dictionary_encode()
    known = np.array([*map(_minutes, coded.dictionary.to_pylist()), 0], np.int64)
    return known[np.asarray(pc.fill_null(coded.indices, len(known) - 1))]


def _minutes(zone: str) -> int:
    if not zone.startswith(("+", "-")):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return int(f"{zone[0]}1") * (int(digits[:2]) * 60 + int(digits[2:]))
