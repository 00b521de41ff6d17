"""The few physical types that values are kept in, and columns that hold several of them.

A source may keep one column in several types: whole numbers in one file, floats in the next. Such a *mixed* column is
a struct with one child for each type, named after it, of which a row has at most one. So each value stays what it was,
and is read as if all of its column were of that type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import DataError

_INT = pa.int64()
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # of the years 1 and 9999
_LARGEST = 2**63 - 1  # a scalar of Arrow would import pandas here


class Unusable(DataError):
    """A type that no column can be kept in."""


def usual(array: pa.Array) -> pa.Array:
    """The same values in Arrow's usual layout: no dictionaries, no large variants, a list's item called ``item``."""
    t, kind = pa.types, array.type
    if isinstance(kind, pa.BaseExtensionType):
        return usual(array.storage)
    if t.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(array.indices, usual(array.dictionary)).dictionary_decode()
    if t.is_run_end_encoded(kind):
        return usual(pc.run_end_decode(array))
    if t.is_large_string(kind) or t.is_string_view(kind):
        return array.cast(pa.string())
    if t.is_large_binary(kind) or t.is_binary_view(kind) or t.is_fixed_size_binary(kind):
        return array.cast(pa.binary())
    if is_any_list(kind):
        return array if str(kind) == name_of(kind) and _is_usual(kind.value_type) else with_items(array, usual)
    return array


def plain(array: pa.Array) -> pa.Array:
    """The values in a plain type: int64, a float, text, a date, a timestamp, a list of these; or mixed.

    Whole numbers beyond int64 stay unsigned, beside the others of their column. Bytes that are not UTF-8 are written
    ``\\xNN``; a decimal is text without trailing zeros. Raises ``Unusable`` for every other type.
    """
    t = pa.types
    if is_mixed(array.type):
        return array
    array = usual(array)
    kind = array.type
    if kind == pa.uint64():
        return _unsigned(array)
    if t.is_integer(kind) or t.is_boolean(kind):
        return array.cast(_INT)
    if t.is_timestamp(kind) and kind.unit == "s":
        return _in_ms(array)  # Parquet has no seconds
    if t.is_floating(kind) or t.is_string(kind) or t.is_null(kind) or t.is_timestamp(kind):
        return array
    if t.is_decimal(kind):
        return decimal_texts(array.cast(pa.string()))
    if t.is_binary(kind):
        return _utf8(array)
    if t.is_date(kind):
        return array.cast(pa.date32())
    if t.is_list(kind) and not is_any_list(kind.value_type):
        return _plain_lists(array)
    raise Unusable(f"is of type {kind}; write it as text, a number, a time, or a list of these")


def decimal_texts(texts: pa.Array) -> pa.Array:
    """Decimal numbers as text without the zeros that only show their scale: ``12.50`` is 12.5, and ``12.00`` is 12."""
    if pc.any(pc.match_substring(texts, "E"), min_count=0).as_py():  # Arrow's way with zeros and tiny numbers: 0E-9
        written = texts.dictionary_encode()
        plainly = [format(Decimal(each), "f") for each in written.dictionary.to_pylist()]
        texts = pa.array(plainly, pa.string()).take(written.indices)
    shorter = pc.replace_substring_regex(texts, r"^([+-]?[0-9]+\.[0-9]*?)0+$", r"\1")
    return pc.replace_substring_regex(shorter, r"^([+-]?[0-9]+)\.$", r"\1")


def is_any_list(kind: pa.DataType) -> bool:
    """Whether values are lists, in any layout."""
    t = pa.types
    tests = (t.is_list, t.is_large_list, t.is_fixed_size_list, t.is_list_view, t.is_large_list_view)
    return any(test(kind) for test in tests)


def is_mixed(kind: pa.DataType) -> bool:
    """Whether a type is that of a mixed column."""
    return pa.types.is_struct(kind) and kind.num_fields > 0 and all(each.name == name_of(each.type) for each in kind)


def name_of(kind: pa.DataType) -> str:
    """A type's name, whatever a list's item is called and whether it may be null."""
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{each.name}: {name_of(each.type)}' for each in kind)}>"
    return f"list<item: {name_of(kind.value_type)}>" if is_any_list(kind) else str(kind)


def kinds_of(array: pa.Array) -> list[pa.DataType]:
    """The types of a plain or mixed column's values; none of a column without any."""
    return [kind for kind, _ in parts(array)]


def stored_type(kinds: Iterable[pa.DataType]) -> pa.DataType:
    """The type that holds values of all these types; text where there are none."""
    by_name = {str(each): each for each in kinds}
    if len(by_name) < 2:
        return next(iter(by_name.values()), pa.string())
    if any(pa.types.is_floating(each) for each in by_name.values()):
        by_name[str(_INT)] = _INT
    return pa.struct([pa.field(name, by_name[name]) for name in sorted(by_name)])


def stored_as(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """A plain or mixed column in a type that ``stored_type`` gave for its kinds and others.

    In a mixed column a float that names one whole number is that number, so that nothing depends on which of a
    column's values came together in a chunk.
    """
    if not is_mixed(kind):
        return array.cast(kind) if pa.types.is_null(array.type) else array
    children = {each.name: pa.nulls(len(array), each.type) for each in kind}
    for own, values in parts(array):
        if pa.types.is_floating(own):
            whole = names_one_whole_number(values)
            numbers = pc.if_else(whole, values, pa.scalar(None, own)).cast(pa.float64()).cast(_INT)
            children[str(_INT)] = pc.coalesce(children[str(_INT)], numbers)
            values = pc.if_else(pc.or_(whole, pc.is_nan(values)), pa.scalar(None, own), values)
        children[str(own)] = pc.coalesce(children[str(own)], values)
    return _mixed(list(children.values()))


def mixed_values(values: Sequence[Any]) -> pa.Array:
    """A column of Python's numbers, texts and bytes, each kept as what it is."""
    arrays = []
    for own, kind in ((int, _INT), (float, pa.float64()), (str, pa.string()), (bytes, pa.binary())):
        if any(type(each) is own for each in values):
            arrays.append(plain(pa.array([each if type(each) is own else None for each in values], kind)))
    written = [each for each in arrays if pa.types.is_string(each.type)]
    children = [each for each in arrays if not pa.types.is_string(each.type)]
    if written:
        children.append(pc.coalesce(*written))
    if not children:
        return pa.nulls(len(values))
    return _mixed(children) if len(children) > 1 else children[0]


def parts(array: pa.Array) -> list[tuple[pa.DataType, pa.Array]]:
    """The column by type of value, each part as long as the column and null where a row has another type."""
    if is_mixed(array.type):
        return [(each.type, each) for each in map(usual, array.flatten())]
    return [] if pa.types.is_null(array.type) else [(array.type, array)]


def names_one_whole_number(floats: pa.Array) -> pa.Array:
    """Which floats can stand for one whole number only: whole, and smaller than where floats skip some."""
    return pa.array(_exact(floats))


def texts(array: pa.Array) -> pa.Array:
    """Values as text, the same for values that are read alike whatever their type: 12 and 12.0, a time in any unit."""
    found = pa.nulls(len(array), pa.string())
    for kind, values in parts(plain(array)):
        found = pc.coalesce(found, _texts(values, kind))
    return found


def one_of(value: Any) -> Any:
    """A mixed column's value as Python has it, without the types that it is not of."""
    if isinstance(value, dict):
        return next((each for each in value.values() if each is not None), None)
    return value


def _texts(array: pa.Array, kind: pa.DataType) -> pa.Array:
    t = pa.types
    if t.is_floating(kind):
        whole = names_one_whole_number(array)
        wide = array.cast(pa.float64())
        numbers = pc.if_else(whole, wide, pa.scalar(None, pa.float64())).cast(_INT)
        return pc.coalesce(numbers.cast(pa.string()), wide.cast(pa.string()))
    if t.is_timestamp(kind):
        return time_texts(array)
    if t.is_list(kind):
        return joined(array, texts)
    return array.cast(pa.string())


def time_texts(array: pa.Array) -> pa.Array:
    """Times as ISO text, without the zeros that only show their unit; those with a zone in UTC, with a ``Z``.

    A time that no calendar has is the number that it is kept as.
    """
    kind = array.type
    written = (array if kind.tz is None else array.cast(pa.timestamp(kind.unit, "UTC"))).cast(pa.string())
    shorter = pc.replace_substring_regex(written, r"\.0+(Z?)$", r"\1")
    shorter = pc.replace_substring_regex(shorter, r"(\.[0-9]*[1-9])0+(Z?)$", r"\1\2")
    known = of_our_era(array).is_valid()
    counts = pc.binary_join_element_wise(array.cast(_INT).cast(pa.string()), f"{kind.unit} since 1970", " ")
    return pc.if_else(known, shorter, counts)


def of_our_era(array: pa.Array) -> pa.Array:
    """Dates and timestamps of the years 1 to 9999, null for all others."""
    if pa.types.is_date(array.type):
        first, last, counts = _FIRST_DAY, _LAST_DAY, np.asarray(pc.fill_null(array.cast(pa.int32()), 0))
    else:
        scale = {"s": 1, "ms": 1_000, "us": 1_000_000}.get(array.type.unit)
        if scale is None:  # nanoseconds reach from 1677 to 2262
            return array
        first, last = _FIRST_DAY * 86_400 * scale, (_LAST_DAY + 1) * 86_400 * scale - 1
        counts = np.asarray(pc.fill_null(array.cast(pa.int64()), 0))
    outside = (counts < first) | (counts > last)
    return pc.if_else(pa.array(outside), pa.scalar(None, array.type), array) if outside.any() else array


def joined(array: pa.Array, spell: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Lists as text, their items behind a separator that no id holds."""
    items = pc.fill_null(spell(array.flatten()), "\x00")
    cells = pa.ListArray.from_arrays(pa.array(_offsets(array)), items)
    found = pc.binary_join(cells, "\x1f")
    return pc.if_else(array.is_valid(), found, pa.scalar(None, pa.string())) if len(array) else found


def with_items(array: pa.Array, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """The lists with their items changed, in the usual layout; an item that is null stays one."""
    items = change(array.flatten())
    if pa.types.is_null(items.type):
        items = items.cast(pa.string())
    mask = array.is_null() if len(array) else None
    return pa.ListArray.from_arrays(pa.array(_offsets(array)), items, mask=mask)


def _exact(floats: pa.Array) -> NDArray[np.bool_]:
    values = pc.fill_null(floats.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
    limit = exact_limit(values.dtype if floats.type.bit_width == 64 else np.dtype(f"f{floats.type.bit_width // 8}"))
    with np.errstate(invalid="ignore"):
        found: NDArray[np.bool_] = (values == np.rint(values)) & (np.abs(values) < limit)
    return found


def exact_limit(kind: np.dtype[Any]) -> float:
    """From here on a float of this type may have been another whole number than the one that it shows."""
    return float(2.0 ** (np.finfo(kind).nmant + 1))


def _mixed(children: Sequence[pa.Array]) -> pa.Array:
    ordered = sorted(children, key=lambda each: str(each.type))
    present = [each.is_valid() for each in ordered]
    some = present[0]
    for each in present[1:]:
        some = pc.or_(some, each)
    fields = [pa.field(str(each.type), each.type) for each in ordered]
    return pa.StructArray.from_arrays(ordered, fields=fields, mask=pc.invert(some))


def _unsigned(array: pa.Array) -> pa.Array:
    beyond = pc.fill_null(pc.greater(array, pa.scalar(_LARGEST, pa.uint64())), False)
    if not pc.any(beyond, min_count=0).as_py():
        return array.cast(_INT)
    none = pa.scalar(None, array.type)
    return _mixed([pc.if_else(beyond, none, array).cast(_INT), pc.if_else(beyond, array, none)])


def _plain_lists(array: pa.Array) -> pa.Array:
    items = array.flatten()
    if items.type != pa.uint64():
        found = plain(items)
        return array if found.type == items.type else with_items(array, plain)
    beyond = pc.fill_null(pc.greater(items, pa.scalar(_LARGEST, pa.uint64())), False).to_numpy(zero_copy_only=False)
    # A list with one such number stays unsigned as a whole.
    rows = np.repeat(np.arange(len(array)), np.diff(_offsets(array)))
    wide = pa.array(np.bincount(rows[beyond], minlength=len(array)) > 0)
    none = pa.scalar(None, array.type)
    narrow = with_items(pc.if_else(wide, none, array), lambda each: each.cast(_INT))
    return _mixed([narrow, pc.if_else(wide, array, none)]) if beyond.any() else narrow


def _offsets(array: pa.Array) -> NDArray[np.int32]:
    lengths = pc.if_else(array.is_valid(), pc.list_value_length(array), 0)
    offsets = np.zeros(len(array) + 1, np.int32)
    np.cumsum(np.asarray(pc.fill_null(lengths, 0)), out=offsets[1:])
    return offsets


def _is_usual(kind: pa.DataType) -> bool:
    return str(usual(pa.nulls(0, kind)).type) == str(kind)


def _in_ms(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.timestamp("ms", array.type.tz))
    except pa.ArrowInvalid as error:
        raise Unusable(f"holds times that no calendar has ({error})") from None


def _utf8(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        values: list[Any] = array.to_pylist()
        return pa.array([None if each is None else each.decode("utf-8", "backslashreplace") for each in values])
