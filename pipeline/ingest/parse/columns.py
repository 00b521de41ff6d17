"""Columns as sources hold them → typed columns, with what is wrong with the others' values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.tables import Column
from pipeline.errors import DataError
from pipeline.ingest.parse.lists import lists
from pipeline.ingest.parse.maps import keys_by_number
from pipeline.ingest.parse.parsed import BY_TYPE, Parsed, by_value, mask_of
from pipeline.ingest.parse.scalars import floats, ints, texts
from pipeline.ingest.parse.times import days, times
from pipeline.storage.physical_types import is_mixed, parts, plain, usual


def parse_column(array: pa.Array, column: Column, zone: str) -> Parsed:
    """The column's values in canonical form, checked against its declaration.

    Args:
        array: the values as the source has them.
        column: the declaration; ``required`` is for the caller.
        zone: time zone of texts that name none.

    Raises:
        DataError: the column's type cannot hold what is declared, such as a list where an int is.
    """
    if pa.types.is_dictionary(array.type) and pa.types.is_string(array.type.value_type):
        parsed = by_value(array, lambda distinct: _of_one_type(distinct, column, zone))
    else:
        array = plain(array)
        parsed = _of_several_types(array, column, zone) if is_mixed(array.type) else _of_one_type(array, column, zone)
    parsed.clear_bad()
    return parsed


def spellings(array: pa.Array, column: Column) -> list[pa.Array]:
    """The values that come as text as they are written, for each type of text; null where another type is."""
    written = [values for kind, values in parts(plain(array)) if pa.types.is_string(kind)]
    return [each if column.part is None else _part(each, column.part) for each in written]


def _of_several_types(array: pa.Array, column: Column, zone: str) -> Parsed:
    """Each value as if the whole column were of its type; what such a column could not be is a fault of its rows."""
    whole = Parsed.of(pa.nulls(len(array), BY_TYPE[column.type]))
    for kind, values in parts(array):
        here = values.is_valid()
        try:
            found = _of_one_type(values, column, zone)
        except DataError:
            whole.fail(mask_of(here), f"of type {kind}, where {column.type} is declared")
            continue
        whole.values = pc.coalesce(whole.values, usual(found.values))
        for code, name in enumerate(found.names):
            if name:
                whole.fail(found.codes == code, name)
    return whole


def _of_one_type(array: pa.Array, column: Column, zone: str) -> Parsed:
    array = _without_absent_text(array, column)
    if column.part is not None:
        array = _part(array, column.part)
    if column.type.endswith("_list"):
        absent = _absent(column, BY_TYPE[column.type].value_type)
        most = column.max_items if column.items is None else column.items
        maps = None
        if column.map is not None:
            maps = keys_by_number(array, column.map, column.separator or ",")
            array = maps.values
        found = lists(array, column.type, lambda items: _items(items, column), absent, most, column.separator)
        if column.items is not None:
            found.fail(mask_of(pc.less(pc.list_value_length(found.values), most)), f"fewer than {most} items")
        if maps is not None:
            for code in np.unique(maps.codes[maps.bad]).tolist():
                found.fail(maps.codes == code, maps.names[code])
        return found
    parsed = _scalars(array, column, zone)
    _check_values(parsed, column)
    parsed.values = _without_absent(parsed.values, column)
    return parsed


def _scalars(array: pa.Array, column: Column, zone: str) -> Parsed:
    kind = column.type
    if pa.types.is_list(array.type):
        raise DataError(f"holds lists, where {kind} is declared; declare a list type, or correct the source")
    if pa.types.is_null(array.type):
        return Parsed.of(pa.nulls(len(array), BY_TYPE[kind]))
    if kind == "int":
        return ints(array)
    if kind == "float":
        return floats(array)
    if kind == "day":
        return days(array, zone, column.unit)
    if kind == "time":
        return times(array, zone, column.unit)
    return texts(array)


def _items(items: pa.Array, column: Column) -> Parsed:
    """The items of all lists, one after the other."""
    if pa.types.is_null(items.type):
        return Parsed.of(items.cast(BY_TYPE[column.type].value_type))
    if column.type == "float_list":
        found = floats(items)
        # Left out it would move all numbers behind it by one.
        written = pc.not_equal(items, "") if pa.types.is_string(items.type) else items.is_valid()
        found.fail(mask_of(pc.and_(found.values.is_null(), written)), "not a finite number")
    else:
        found = ints(items) if column.type == "int_list" else texts(items)
    if column.type == "path_list":
        found.fail(mask_of(found.values.is_valid()) & ~mask_of(pc.starts_with(found.values, "/")), "not a path")
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
    exempt = mask_of(pc.is_in(values, _absent(column, values.type)))
    if column.min is not None and values.type != pa.string():
        parsed.fail(mask_of(pc.less(values, _bound(column.min, values.type))) & ~exempt, f"below {column.min:g}")
    if column.max is not None and values.type != pa.string():
        parsed.fail(mask_of(pc.greater(values, _bound(column.max, values.type))) & ~exempt, f"above {column.max:g}")
    if column.allowed is not None:
        allowed = pa.array([_as(value, values.type) for value in column.allowed], values.type)
        other = mask_of(values.is_valid()) & ~mask_of(pc.is_in(values, allowed)) & ~exempt
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
