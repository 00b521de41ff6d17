"""Columns as sources hold them → typed columns, with what is wrong with the others' values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline import ids
from pipeline.config.tables import Column
from pipeline.errors import DataError
from pipeline.physical_types import is_mixed, parts, plain

BY_TYPE = {
    "int": pa.int64(),
    "float": pa.float64(),
    "str": pa.string(),
    "int_list": pa.list_(pa.int64()),
    "str_list": pa.list_(pa.string()),
    "path_list": pa.list_(pa.string()),
    "day": pa.date32(),
    "time": pa.timestamp("ms", tz="UTC"),
}
"""The Arrow type of each declared type."""

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_DAY = r"^[0-9]{4}(-[0-9]{2}-[0-9]{2}|/[0-9]{2}/[0-9]{2}|[0-9]{4})([ T][0-9:.Z+-]*)?$"
_ZONED = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?$"
_WHITE = " \t\r\n"
_QUOTES = _WHITE + "\"'"
_LAST_MS = 253_402_300_799_999  # the end of the year 9999


@dataclass
class Parsed:
    """A column of the declared type.

    Attributes:
        values: null where a value is missing or invalid.
        codes: int16 ``[rows]``, 0 for a good or missing value, else why it is invalid: an index into ``names``.
    """

    values: pa.Array
    codes: NDArray[np.int16]
    names: list[str]

    @classmethod
    def of(cls, values: pa.Array) -> Parsed:
        return cls(values, np.zeros(len(values), np.int16), [""])

    def fail(self, rows: NDArray[np.bool_], reason: str) -> None:
        """Marks those of the rows (a mask) as invalid that are not yet."""
        if not rows.any():
            return
        if reason not in self.names:
            self.names.append(reason)
        self.codes[rows & (self.codes == 0)] = self.names.index(reason)

    @property
    def bad(self) -> NDArray[np.bool_]:
        return self.codes != 0

    def reason(self, row: int) -> str:
        """Why a row's value is invalid; empty where it is not."""
        return self.names[self.codes[row]]

    def clear_bad(self) -> None:
        """Makes the values null that are invalid."""
        if self.bad.any():
            self.values = pc.if_else(pa.array(~self.bad), self.values, pa.scalar(None, self.values.type))


def parse_column(array: pa.Array, column: Column, zone: str) -> Parsed:
    """The column's values in canonical form, checked against its declaration.

    Args:
        array: the values as the source has them.
        column: the declaration; ``required`` is for the caller.
        zone: time zone of texts that name none.

    Raises:
        DataError: the column's type cannot hold what is declared, such as a list where an int is.
    """
    array = plain(array)
    parsed = _of_several_types(array, column, zone) if is_mixed(array.type) else _of_one_type(array, column, zone)
    parsed.clear_bad()
    return parsed


def _of_several_types(array: pa.Array, column: Column, zone: str) -> Parsed:
    """Each value as if the whole column were of its type; what such a column could not be is a fault of its rows."""
    whole = Parsed.of(pa.nulls(len(array), BY_TYPE[column.type]))
    for kind, values in parts(array):
        here = values.is_valid()
        try:
            found = _of_one_type(values, column, zone)
        except DataError:
            whole.fail(_mask(here), f"of type {kind}, where {column.type} is declared")
            continue
        whole.values = pc.coalesce(whole.values, found.values)
        for code, name in enumerate(found.names):
            if name:
                whole.fail(found.codes == code, name)
    return whole


def _of_one_type(array: pa.Array, column: Column, zone: str) -> Parsed:
    array = _without_absent_text(array, column)
    if column.part is not None:
        array = _part(array, column.part)
    if column.type.endswith("_list"):
        return _lists(array, column)
    parsed = _scalars(array, column.type, zone)
    _check_values(parsed, column)
    parsed.values = _without_absent(parsed.values, column)
    return parsed


def _scalars(array: pa.Array, kind: str, zone: str) -> Parsed:
    if pa.types.is_list(array.type):
        raise DataError(f"holds lists, where {kind} is declared; declare a list type, or correct the source")
    if pa.types.is_null(array.type):
        return Parsed.of(pa.nulls(len(array), BY_TYPE[kind]))
    if kind == "int":
        return _ints(array)
    if kind == "float":
        return _floats(array)
    if kind == "day":
        return _days(array)
    if kind == "time":
        return _times(array, zone)
    return _texts(array)


def _mask(array: pa.Array) -> NDArray[np.bool_]:
    """A boolean column as numpy, null as false."""
    found: NDArray[np.bool_] = pc.fill_null(array, False).to_numpy(zero_copy_only=False)
    return found


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _ints(array: pa.Array) -> Parsed:
    if pa.types.is_temporal(array.type):
        raise DataError(f"is of type {array.type}, where int is declared; declare it `day` or `time`")
    found = ids.canonical_ids(array, "int")
    return _of_ids(found, pa.int64())


def _of_ids(found: ids.CanonicalIds, kind: pa.DataType) -> Parsed:
    parsed = Parsed.of(pa.array(found.values, kind, mask=~found.valid))
    for code, text in enumerate(ids.REASONS):
        if text not in ("", "missing"):
            parsed.fail(found.reasons == code, text)
    return parsed


def _texts(array: pa.Array) -> Parsed:
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.string())
    if not pa.types.is_string(array.type):
        return _of_ids(ids.canonical_ids(array, "str"), pa.string())
    values = pc.utf8_trim_whitespace(array)
    if not pc.all(pc.string_is_ascii(values), min_count=0).as_py():
        values = pc.utf8_normalize(values, form="NFC")
    parsed = Parsed.of(pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values))
    parsed.fail(_mask(pc.is_in(values, pa.array([ids.MISSING_STR]))), "not text")
    return parsed


def _floats(array: pa.Array) -> Parsed:
    if pa.types.is_temporal(array.type):
        raise DataError(f"is of type {array.type}, where float is declared; declare it `day` or `time`")
    good = pa.scalar(True)
    if pa.types.is_string(array.type):
        texts = _texts(array).values
        try:
            values = texts.cast(pa.float64())
        except pa.ArrowInvalid:
            good = pc.or_(pc.match_substring_regex(texts, _NUMBER), pc.equal(pc.utf8_lower(texts), "nan"))
            plain = pc.utf8_ltrim(pc.if_else(good, texts, pa.scalar(None, pa.string())), characters="+")
            values = plain.cast(pa.float64())
    else:
        values = array.cast(pa.float64(), safe=False)
    parsed = Parsed.of(pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values))
    if isinstance(good, pa.Array):
        parsed.fail(_mask(pc.invert(good)), "not a number")
    parsed.fail(_mask(pc.is_inf(values)), "not a finite number")
    return parsed


def _days(array: pa.Array) -> Parsed:
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        if pa.types.is_timestamp(array.type) and array.type.tz is not None:
            array = pc.local_timestamp(array)
        return Parsed.of(pc.floor_temporal(array, unit="day").cast(pa.date32()))
    broken = np.zeros(len(array), bool)
    if pa.types.is_floating(array.type):
        whole = _ints(array)
        array, broken = whole.values, whole.bad
    texts = _texts(array.cast(pa.string())).values
    # A day is read once however many rows hold it.
    coded = texts.dictionary_encode()
    written = coded.dictionary
    shaped = _mask(pc.match_substring_regex(written, _DAY))
    days = [_day(text) if good else None for text, good in zip(written.to_pylist(), shaped, strict=True)]
    values = pa.array(days, pa.date32()).take(coded.indices)
    parsed = Parsed.of(values)
    parsed.fail(_mask(pc.and_(pc.is_valid(texts), pc.is_null(values))) | broken, "not a day")
    return parsed


def _day(text: str) -> date | None:
    digits = text[:10].replace("-", "").replace("/", "")[:8]
    try:
        return date.fromisoformat(digits)
    except ValueError:
        return None


def _times(array: pa.Array, zone: str) -> Parsed:
    kind = BY_TYPE["time"]
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(array.type):
        if array.type.tz is None:
            array = _assume(array.cast(pa.timestamp("ms"), safe=False), zone)
        return Parsed.of(array.cast(kind, safe=False))
    if _is_number(array.type):
        return _instants(_ints(array))
    texts = _texts(array).values
    numeric = _mask(pc.match_substring_regex(texts, r"^[+-]?[0-9]+(\.0*)?$"))
    whole = pc.if_else(pa.array(numeric), texts, pa.scalar(None, pa.string()))
    parsed = _instants(_ints(whole))
    written = np.flatnonzero(_mask(pc.is_valid(texts)) & ~numeric)
    if len(written):
        instants, bad = _iso_instants(texts.take(pa.array(written)), zone)
        values = np.asarray(parsed.values.cast(pa.int64()).fill_null(0)).copy()
        present = _mask(parsed.values.is_valid())
        values[written], present[written] = instants, ~bad
        parsed.values = pa.array(values, pa.int64(), mask=~present).cast(kind)
        wrong = np.zeros(len(array), bool)
        wrong[written[bad]] = True
        parsed.fail(wrong, "not a time")
    return parsed


def _instants(whole: Parsed) -> Parsed:
    """Epoch milliseconds as instants, those of the years 1970 to 9999."""
    outside = _mask(pc.or_(pc.less(whole.values, 0), pc.greater(whole.values, _LAST_MS)))
    values = pc.if_else(pa.array(outside | whole.bad), pa.scalar(None, pa.int64()), whole.values)
    parsed = Parsed.of(values.cast(BY_TYPE["time"]))
    parsed.fail(outside | whole.bad, "not a time")
    return parsed


def _iso_instants(texts: pa.Array, zone: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Epoch milliseconds of ISO texts, and which of them are none."""
    texts = pc.replace_substring(pc.replace_substring(texts, "/", "-"), ",", ".")
    zoned = _mask(pc.match_substring_regex(texts, _ZONED)) & (np.asarray(pc.binary_length(texts)) > 10)
    bare = pc.if_else(pa.array(zoned), pc.replace_substring_regex(texts, _ZONED, ""), texts)
    bad = ~_mask(pc.match_substring_regex(bare, _ISO))
    # Imported here: most sources have epoch milliseconds, and pandas takes a third of a second to load.
    import pandas as pd

    whole: NDArray[np.int64] = np.zeros(len(texts), np.int64)
    for rows, has_zone in ((zoned & ~bad, True), (~zoned & ~bad, False)):
        if not rows.any():
            continue
        taken = texts.filter(pa.array(rows)).to_pandas()
        found: Any = pd.to_datetime(taken, format="ISO8601", errors="coerce", utc=has_zone)
        gone = found.isna().to_numpy()
        if not has_zone:
            found = found.dt.tz_localize(zone, ambiguous=np.ones(len(found), bool), nonexistent="shift_forward")
        utc = found.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
        whole[rows] = np.where(gone, 0, utc)
        bad[np.flatnonzero(rows)[gone]] = True
    return whole, bad


def _assume(array: pa.Array, zone: str) -> pa.Array:
    return pc.assume_timezone(array, zone, ambiguous="earliest", nonexistent="latest")


def _lists(array: pa.Array, column: Column) -> Parsed:
    """Lists written ``12,13``, ``[12, 13]`` or with quotes; lists as such; a single value is a list of one."""
    item = BY_TYPE[column.type].value_type
    outer = Parsed.of(pa.nulls(len(array)))
    too_many = f"more than {column.max_items} items"
    if pa.types.is_list(array.type):
        cells = array
    else:
        if pa.types.is_temporal(array.type):
            raise DataError(f"is of type {array.type}, where {column.type} is declared")
        texts = pc.utf8_trim(_texts(array).values, characters=_QUOTES)
        opens, closes = pc.starts_with(texts, "["), pc.ends_with(texts, "]")
        outer.fail(_mask(pc.xor(opens, closes)) | _mask(pc.equal(texts, "[")), "a list without its other bracket")
        texts = pc.if_else(pc.and_(opens, closes), pc.utf8_slice_codeunits(texts, 1, -1), texts)
        texts = pc.utf8_trim(texts, characters=_WHITE)
        # Counted before they are taken apart: a cell may hold any number of them.
        outer.fail(_mask(pc.greater_equal(pc.count_substring(texts, ","), column.max_items)), too_many)
        gone = outer.bad | _mask(pc.fill_null(pc.equal(texts, ""), True))
        cells = pc.split_pattern(pc.if_else(pa.array(gone), pa.scalar(None, pa.string()), texts), ",")
    lengths = np.asarray(pc.fill_null(pc.list_value_length(cells), 0)).astype(np.int64)
    outer.fail(lengths > column.max_items, too_many)
    rows = np.repeat(np.arange(len(array)), lengths)
    found = _items(cells.flatten(), column)
    wrong = np.flatnonzero(found.codes)
    _, first = np.unique(rows[wrong], return_index=True)
    for code in np.unique(found.codes[wrong[first]]).tolist():
        failed = np.zeros(len(array), bool)
        failed[rows[wrong[first]][found.codes[wrong[first]] == code]] = True
        outer.fail(failed, found.names[code])
    keep = ~_mask(pc.is_in(found.values, _absent(column, item))) & ~outer.bad[rows]
    counts = np.bincount(rows[keep], minlength=len(array))
    offsets = np.zeros(len(array) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    values = pa.ListArray.from_arrays(
        pa.array(offsets), found.values.filter(pa.array(keep)), mask=pa.array(counts == 0) if len(array) else None
    )
    outer.values = values.cast(BY_TYPE[column.type])
    return outer


def _items(items: pa.Array, column: Column) -> Parsed:
    """The items of all lists, one after the other."""
    if pa.types.is_string(items.type):
        items = pc.utf8_trim(items, characters=_QUOTES)
    found = _scalars(items, "int" if column.type == "int_list" else "str", "UTC")
    found.fail(_mask(found.values.is_null()), "an empty item in a list")
    if column.type == "path_list":
        found.fail(~_mask(pc.starts_with(found.values, "/")), "not a path")
    _check_values(found, column)
    return found


def _part(array: pa.Array, part: int) -> pa.Array:
    """The part of keys such as ``userId_adId``; of a key with fewer parts, the whole, which no number is."""
    if not pa.types.is_string(array.type):
        return array
    pieces = pc.split_pattern(array, "_")
    enough = pc.greater(pc.list_value_length(pieces), part)
    safe = pc.if_else(enough, pieces, pa.scalar([""] * (part + 1), pieces.type))
    return pc.if_else(enough, pc.list_element(safe, part), pc.binary_join_element_wise("?", array, ""))


def _check_values(parsed: Parsed, column: Column) -> None:
    """Range and allowed values; what means "missing" is exempt."""
    values = parsed.values
    if values.type not in (pa.int64(), pa.float64(), pa.string()):
        return
    exempt = _mask(pc.is_in(values, _absent(column, values.type)))
    if column.min is not None and values.type != pa.string():
        parsed.fail(_mask(pc.less(values, _bound(column.min, values.type))) & ~exempt, f"below {column.min:g}")
    if column.max is not None and values.type != pa.string():
        parsed.fail(_mask(pc.greater(values, _bound(column.max, values.type))) & ~exempt, f"above {column.max:g}")
    if column.allowed is not None:
        allowed = pa.array([_as(value, values.type) for value in column.allowed], values.type)
        other = _mask(values.is_valid()) & ~_mask(pc.is_in(values, allowed)) & ~exempt
        parsed.fail(other, "not an allowed value")


def _bound(value: float, kind: pa.DataType) -> pa.Scalar:
    if kind == pa.int64() and float(value).is_integer():
        return pa.scalar(int(value), pa.int64())
    return pa.scalar(value, pa.float64())


def _as(value: float | int | str, kind: pa.DataType) -> Any:
    if kind == pa.string():
        return str(value)
    return int(value) if kind == pa.int64() else float(value)


def _absent(column: Column, kind: pa.DataType) -> pa.Array:
    """The values that mean "missing", as far as the type can hold them."""
    values = []
    for value in column.absent:
        try:
            values.append(_as(value, kind))
        except ValueError:
            continue  # a word in a column of numbers: it is taken out before the numbers are read
    return pa.array(values, kind)


def _without_absent(values: pa.Array, column: Column) -> pa.Array:
    absent = _absent(column, values.type) if values.type in (pa.int64(), pa.float64(), pa.string()) else None
    if absent is None or len(absent) == 0:
        return values
    return pc.if_else(pc.is_in(values, absent), pa.scalar(None, values.type), values)


def _without_absent_text(array: pa.Array, column: Column) -> pa.Array:
    words = [value for value in column.absent if isinstance(value, str)]
    if not words or not pa.types.is_string(array.type):
        return array
    found = pc.is_in(pc.utf8_trim_whitespace(array), pa.array(words, pa.string()))
    return pc.if_else(found, pa.scalar(None, pa.string()), array)
