"""Lists: as such, as JSON, or written with a separator between their items."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import DataError
from pipeline.ingest.parse.parsed import Parsed, by_value, mask_of
from pipeline.ingest.parse.scalars import texts
from pipeline.process.garbage import no_collection
from pipeline.storage.physical_types import with_items

_WHITE = " \t\r\n"
_QUOTES = _WHITE + "\"'"
_STRING = r'"(?:[^"\\]|\\.)*"'
_PYTHON = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|None|True|False|nan|[+-]?[0-9][0-9.eE+-]*"""
_PYTHON_ITEM = re.compile(rf"\s*({_PYTHON})\s*(?:,|$)", re.DOTALL)
_PYTHON_WORDS = {"None": None, "nan": None, "True": "true", "False": "false"}
_EASY = r"""^(?:\[(?:[^\[\]{}"'\\\s\pZ\pC][^\[\]{}"'\\]*)?\]|[^\[\]{}"'\\\s\pZ\pC][^\[\]{}"'\\]*)?$"""
"""Nothing, or items between commas, in brackets or without them: no quotes, braces or brackets among them."""
_TEXTS = pa.list_(pa.string())
_NOT_JSON = object()
_GOOD, _BROKEN, _NESTED, _WORDS = range(4)
_REASONS = {_BROKEN: "not a list in JSON", _NESTED: "a list or an object within a list"}
_LOOKS_SO = re.compile(r'[\[,]\s*["\[{]')
_SEPARATOR = ","

Items = Callable[[pa.Array], Parsed]
"""Reads the items of all lists, one after the other."""


class _Json(NamedTuple):
    """Cells tried as JSON: what came of each (``_WORDS``: it is none and does not look so), and its items."""

    codes: NDArray[np.int8]
    lists: pa.Array


def lists(array: pa.Array, kind: str, items: Items, absent: pa.Array, most: int, separator: str | None) -> Parsed:
    """Lists of the declared type; a single value is a list of one, an empty list is missing.

    Text is ``12,13`` or ``[12, 13]``, with quotes or without; text that is an array in JSON, or a list as Python
    writes it, is read as one.

    Args:
        absent: items that are left out, as ``null`` is.
        most: items in a list at most.
        separator: between the items of text; ``None`` = a comma.
    """
    outer = Parsed.of(pa.nulls(len(array)))
    if pa.types.is_list(array.type):
        cells = with_items(array, _coded)
    else:
        if pa.types.is_temporal(array.type):
            raise DataError(f"is of type {array.type}, where {kind} is declared")
        cells = _cells(array, outer, most, separator or _SEPARATOR)
    lengths = np.asarray(pc.fill_null(pc.list_value_length(cells), 0)).astype(np.int64)
    outer.fail(lengths > most, too_many(most))
    ends = np.cumsum(lengths)
    found = by_value(cells.flatten(), lambda distinct: _read_items(distinct, items, absent))
    wrong = np.flatnonzero(found.codes)
    rows, first = np.unique(np.searchsorted(ends, wrong, "right"), return_index=True)
    for code in np.unique(found.codes[wrong[first]]).tolist():
        failed = np.zeros(len(array), bool)
        failed[rows[found.codes[wrong[first]] == code]] = True
        outer.fail(failed, found.names[code])
    values = found.values
    if values.null_count or outer.bad.any():
        of_row = np.repeat(np.arange(len(array)), lengths)
        keep = mask_of(values.is_valid()) & ~outer.bad[of_row]
        values, lengths = values.filter(pa.array(keep)), np.bincount(of_row[keep], minlength=len(array))
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    outer.values = pa.ListArray.from_arrays(
        pa.array(offsets), _coded(values), mask=pa.array(lengths == 0) if len(array) else None
    )
    return outer


def _coded(items: pa.Array) -> pa.Array:
    """Text with a dictionary: items are few and stand in many lists."""
    return items.dictionary_encode() if pa.types.is_string(items.type) else items


def _trimmed(items: pa.Array) -> pa.Array:
    coded = items.dictionary_encode()
    return pa.DictionaryArray.from_arrays(coded.indices, pc.utf8_trim(coded.dictionary, characters=_QUOTES))


def _read_items(written: pa.Array, items: Items, absent: pa.Array) -> Parsed:
    """Distinct items; null those that are left out."""
    found = items(written)
    if pa.types.is_string(written.type):
        found.fail(mask_of(pc.and_(found.values.is_null(), written.is_valid())), "an empty item in a list")
    found.values = pc.if_else(pc.is_in(found.values, absent), pa.scalar(None, found.values.type), found.values)
    if pa.types.is_string(found.values.type):
        found.values = found.values.dictionary_encode()
    return found


def too_many(most: int) -> str:
    """Why a list is refused that is longer than its column allows."""
    return f"more than {most} items"


def _cells(array: pa.Array, outer: Parsed, most: int, separator: str) -> pa.Array:
    """The items of lists in text, with a dictionary; null where a cell cannot be taken apart."""
    if separator != _SEPARATOR or not pa.types.is_string(array.type):
        return with_items(_any_cells(texts(array).values, outer, most, separator), _coded)
    easy = pc.or_kleene(array.is_null(), pc.match_substring_regex(array, _EASY))
    cells = _easy_cells(array, easy)
    if pc.any(pc.match_substring(cells.values.dictionary, "null")).as_py():
        easy = pc.and_(easy, pc.invert(pc.fill_null(pc.match_substring(array, "null"), False)))
        cells = _easy_cells(array, easy)
    rows = np.flatnonzero(~mask_of(easy))
    if not len(rows):
        return cells
    part = Parsed.of(pa.nulls(len(rows)))
    hard = with_items(_any_cells(texts(array.take(pa.array(rows))).values, part, most, separator), _coded)
    for code, name in enumerate(part.names):
        failed = np.zeros(len(array), bool)
        failed[rows[part.codes == code]] = bool(code)
        outer.fail(failed, name)
    places = np.arange(len(array))
    places[rows] = len(array) + np.arange(len(rows))
    return pa.concat_arrays([cells, hard]).take(pa.array(places))


def _easy_cells(array: pa.Array, easy: pa.Array) -> pa.Array:
    """Cells such as ``12,13`` and ``[12, 13]`` that nothing else can be than what stands between their commas."""
    inner = array if pc.all(easy).as_py() else pc.if_else(easy, array, pa.scalar(None, pa.string()))
    bare = pc.binary_slice(inner.view(pa.binary()), 1, -1).view(pa.string())
    bracketed = pc.starts_with(inner, "[")
    inner = bare if pc.all(bracketed).as_py() else pc.if_else(bracketed, bare, inner)
    inner = pc.if_else(pc.equal(inner, ""), pa.scalar(None, pa.string()), inner)
    return with_items(pc.split_pattern(inner, _SEPARATOR), _trimmed)


def _any_cells(written: pa.Array, outer: Parsed, most: int, separator: str) -> pa.Array:
    """The items of lists in text, however they are written."""
    written = pc.utf8_trim(_decoded(written), characters=_QUOTES)
    # What JSON says of no list at all; and what it, or PostgreSQL, writes that is none.
    written = pc.if_else(pc.equal(written, "null"), pa.scalar(None, pa.string()), written)
    outer.fail(mask_of(pc.match_substring_regex(written, r"(?s)^\{.*\}$")), "in braces, which is no list")
    rows = np.flatnonzero(_maybe_json(written, separator))
    if not len(rows):
        return _split(written, outer, most, separator)
    read = _read_json(written.take(pa.array(rows)))
    is_json = np.zeros(len(written), bool)
    is_json[rows] = read.codes != _WORDS
    for code in (_BROKEN, _NESTED):
        failed = np.zeros(len(written), bool)
        failed[rows] = read.codes == code
        outer.fail(failed, _REASONS[code])
    cells = _split(pc.if_else(pa.array(is_json), pa.scalar(None, pa.string()), written), outer, most, separator)
    places = np.arange(len(written))
    places[is_json] = len(written) + np.flatnonzero(read.codes != _WORDS)
    return pa.concat_arrays([cells, read.lists]).take(pa.array(places))


def _split(written: pa.Array, outer: Parsed, most: int, separator: str) -> pa.Array:
    """Cells such as ``12,13`` and ``[12, 13]`` by their separators, the items without quotes."""
    opens, closes = pc.starts_with(written, "["), pc.ends_with(written, "]")
    outer.fail(mask_of(pc.xor(opens, closes)) | mask_of(pc.equal(written, "[")), "a list without its other bracket")
    inner = pc.if_else(pc.and_(opens, closes), pc.utf8_slice_codeunits(written, 1, -1), written)
    inner = pc.utf8_trim(inner, characters=_WHITE)
    # Counted before they are taken apart: a cell may hold any number of them.
    outer.fail(mask_of(pc.greater_equal(pc.count_substring(inner, separator), most)), too_many(most))
    gone = outer.bad | mask_of(pc.fill_null(pc.equal(inner, ""), True))
    cells = pc.split_pattern(pc.if_else(pa.array(gone), pa.scalar(None, pa.string()), inner), separator)
    return with_items(cells, lambda items: pc.utf8_trim(items, characters=_QUOTES))


def _decoded(written: pa.Array) -> pa.Array:
    """Cells that are a JSON string as what that string says: an array in JSON may be wrapped in one."""
    wrapped = mask_of(pc.match_substring_regex(written, rf"^{_STRING}$")) & mask_of(pc.match_substring(written, "\\"))
    if not wrapped.any():
        return written
    inner = [_loaded(text) for text in written.filter(pa.array(wrapped)).to_pylist()]
    texts = [each if isinstance(each, str) else None for each in inner]
    return pc.coalesce(pc.replace_with_mask(written, pa.array(wrapped), pa.array(texts, pa.string())), written)


def _maybe_json(written: pa.Array, separator: str) -> NDArray[np.bool_]:
    """Cells that are to be tried as JSON: bracketed, with more in them than numbers and words between commas."""
    bracketed = mask_of(pc.starts_with(written, "[")) & mask_of(pc.ends_with(written, "]"))
    if separator != _SEPARATOR or not bracketed.any():
        return bracketed
    more = mask_of(pc.match_substring_regex(written, r'"|null|.[\[{]'))
    if (single := mask_of(pc.match_substring(written, "'"))).any():
        # As Python writes a list: what is within its quotes is no separator, and a backslash stands for something else.
        outside = pc.count_substring(pc.replace_substring_regex(written, r"'[^']*'", "0"), separator)
        hard = mask_of(pc.not_equal(pc.count_substring(written, separator), outside))
        more |= single & (hard | mask_of(pc.match_substring_regex(written, r"\\|None|nan|True|False")))
    return bracketed & more


def _read_json(written: pa.Array) -> _Json:
    # With strings taken out, what has no bracket inside is a list by itself, and many are read as one text.
    bare = pc.replace_substring_regex(written, _STRING, "0")
    flat = mask_of(pc.match_substring_regex(bare, r"""^\[[^\[\]{}"']*\]$"""))
    with no_collection():
        together = _loaded("[" + ",\n".join(written.filter(pa.array(flat)).to_pylist()) + "]")
    try:
        easy = pa.array(together, _TEXTS)
    except (pa.ArrowException, TypeError):  # one of them is no JSON, or holds something else than text and numbers
        easy, flat = pa.array([], _TEXTS), np.zeros(len(written), bool)
    codes = np.zeros(len(written), np.int8)
    hard = np.flatnonzero(~flat)
    found = [_items_of(text) for text in written.take(pa.array(hard)).to_pylist()]
    codes[hard] = [each if isinstance(each, int) else _GOOD for each in found]
    rest = pa.array([None if isinstance(each, int) else each for each in found], _TEXTS)
    places = np.empty(len(written), np.int64)
    places[flat], places[hard] = np.arange(len(easy)), len(easy) + np.arange(len(rest))
    return _Json(codes, pa.concat_arrays([easy, rest]).take(pa.array(places)))


def _items_of(text: str) -> list[str | None] | int:
    found = _loaded(text)
    if found is _NOT_JSON:
        found = _of_python(text)
    if found is _NOT_JSON:
        return _BROKEN if _LOOKS_SO.search(text) else _WORDS
    if any(isinstance(each, list | dict) for each in found):
        return _NESTED
    return [str(each).lower() if isinstance(each, bool) else each for each in found]


def _loaded(text: str) -> Any:
    """What a JSON text says, its numbers as they are written."""
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=lambda _: None)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # UnicodeEncodeError is a ValueError: half a character
        return _NOT_JSON
    return found


def _of_python(text: str) -> Any:
    """The items of a list as Python writes it, its numbers as they are written: ``['rock, punk', "it's", None]``."""
    items, place, inner = [], 0, text[1:-1].strip()
    while place < len(inner):
        found = _PYTHON_ITEM.match(inner, place)
        if found is None:
            return _NOT_JSON
        items.append(found[1])
        place = found.end()
    try:
        read = [_python_item(each) for each in items]
        "".join(each or "" for each in read).encode()
    except (ValueError, SyntaxError):  # a backslash with nothing that Python knows behind it; half a character
        return _NOT_JSON
    return read


def _python_item(written: str) -> str | None:
    if written[0] not in "'\"":
        return _PYTHON_WORDS.get(written, written)
    return str(ast.literal_eval(written)) if "\\" in written else written[1:-1]
