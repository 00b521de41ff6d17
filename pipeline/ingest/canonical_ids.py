"""Raw ids in canonical form: one id has one value, however a source spells it.

Of an ``int`` space ``12``, ``12.0``, ``'12'`` and ``' 12 '`` are one id; of a ``str`` space text is stripped and in
Unicode's NFC. ``NaN``, ``None`` and ``''`` are missing.
"""

from __future__ import annotations

import numbers
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR
from pipeline.errors import DataError, UsageError
from pipeline.storage.physical_types import decimal_texts, exact_limit

REASONS: Final = (
    "", "missing", "not a whole number", "does not fit in 64 bits", "not text",
    "a float too large to name one whole number",
)  # fmt: skip
"""What the codes of ``CanonicalIds.reasons`` mean; 0 is a good id."""

_OK, _MISSING, _NOT_WHOLE, _TOO_LARGE, _NOT_TEXT, _INEXACT = range(6)
_WHOLE = r"^[+-]?[0-9]+(\.0*)?$"


class CanonicalIds(NamedTuple):
    """Canonical ids with what is wrong with the others; all of the shape of the input.

    Attributes:
        values: int64, or object holding ``str``; ``MISSING_INT`` or ``MISSING_STR`` where there is no good id.
        valid: bool; a real id.
        reasons: int8 codes into ``REASONS``.
    """

    values: NDArray[Any]
    valid: NDArray[np.bool_]
    reasons: NDArray[np.int8]


def canonical_ids(values: Any, kind: str) -> CanonicalIds:
    """Canonical form of ids given as a numpy array, pandas Series, Arrow array or a sequence.

    Args:
        values: the ids, of any shape.
        kind: ``int`` or ``str``, as the id space declares.

    Raises:
        DataError: the column cannot hold ids (dates, lists).
    """
    if kind not in ("int", "str"):
        raise UsageError(f"an id space is of type int or str, not '{kind}'")
    shape = values.shape if isinstance(values, np.ndarray) else None
    if shape is not None and values.dtype.kind in "iufb":
        found = _of_numbers(values.ravel(), kind)
    else:
        found = _of_arrow(*_to_arrow(values), kind)
    if shape is not None and len(shape) != 1:
        found = CanonicalIds(found.values.reshape(shape), found.valid.reshape(shape), found.reasons.reshape(shape))
    return found


def _of_numbers(values: NDArray[Any], kind: str) -> CanonicalIds:
    reasons = np.zeros(len(values), np.int8)
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            reasons[values != np.rint(values)] = _NOT_WHOLE
            reasons[np.abs(values) >= exact_limit(values.dtype)] = _INEXACT
        reasons[np.isinf(values)] = _TOO_LARGE
        reasons[np.isnan(values)] = _MISSING
        whole = np.where(reasons == _OK, values, 0).astype(np.int64)
    else:
        if values.dtype.kind == "u":
            reasons[values > np.uint64(2**63 - 1)] = _TOO_LARGE
        whole = values.astype(np.int64)
        reasons[(whole <= MISSING_INT) & (reasons == _OK)] = _MISSING
    valid = reasons == _OK
    if kind == "int":
        return CanonicalIds(np.where(valid, whole, MISSING_INT), valid, reasons)
    texts = np.full(len(values), MISSING_STR, object)
    texts[valid] = pc.cast(pa.array(whole[valid]), pa.string()).to_numpy(zero_copy_only=False)
    # In a text space a fraction is a spelling like any other, and so is a number beyond 64 bits.
    spelt = reasons == (_NOT_WHOLE if values.dtype.kind == "f" else _TOO_LARGE)
    if spelt.any():
        texts[spelt] = values[spelt].astype(str).astype(object)
        valid, reasons = valid | spelt, np.where(spelt, _OK, reasons).astype(np.int8)
    if values.dtype.kind == "f":
        reasons[np.isinf(values)] = _NOT_TEXT
    return CanonicalIds(texts, valid, reasons)


def _to_arrow(values: Any) -> tuple[pa.Array, NDArray[np.int8]]:
    """The values as one flat Arrow array, and reasons for those that no array can hold."""
    if isinstance(values, np.ndarray):
        values = values.ravel()
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not isinstance(values, pa.Array):
        try:
            values = pa.array(values, from_pandas=True)
        except (pa.ArrowException, UnicodeError, OverflowError, TypeError):
            return _of_mixed(values)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        try:
            values = pc.cast(values, pa.string())
        except pa.ArrowInvalid:
            return _of_mixed(values.to_pylist())
    return values, np.zeros(len(values), np.int8)


def _of_mixed(values: Any) -> tuple[pa.Array, NDArray[np.int8]]:
    # Only for columns of several types at once or with broken text; whole columns never come here.
    texts: list[str | None] = []
    reasons = np.zeros(len(values), np.int8)
    for position, value in enumerate(values):
        text, bad = _spell(value)
        texts.append(text)
        reasons[position] = bad
    return pa.array(texts, pa.string()), reasons


def _spell(value: Any) -> tuple[str | None, int]:
    """An id of any type as text, or why it cannot be one."""
    if isinstance(value, pa.Scalar):
        value = value.as_py()
    if isinstance(value, bytes):
        try:
            return value.decode(), _OK
        except UnicodeDecodeError:
            return None, _NOT_TEXT
    if isinstance(value, str):
        return (value, _OK) if _is_unicode(value) else (None, _NOT_TEXT)
    if value is None or value != value or type(value).__name__ in ("NAType", "NaTType"):
        return None, _OK
    if isinstance(value, numbers.Integral):
        return str(int(value)), _OK
    if isinstance(value, Decimal):
        return decimal_texts(pa.array([format(value, "f")]))[0].as_py(), _OK
    if isinstance(value, numbers.Real):
        number = np.asarray(value)
        kind = number.dtype if number.dtype.kind == "f" else np.dtype(float)
        found = _of_numbers(number.reshape(1).astype(kind), "str")
        return (found.values[0], _OK) if found.valid[0] else (None, int(found.reasons[0]))
    return None, _NOT_TEXT


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_arrow(array: pa.Array, reasons: NDArray[np.int8], kind: str) -> CanonicalIds:
    types = pa.types
    if types.is_integer(array.type) or types.is_boolean(array.type) or types.is_floating(array.type):
        missing = array.is_null().to_numpy(zero_copy_only=False)
        dense = array.cast(pa.int8()) if types.is_boolean(array.type) else array
        filled = pc.fill_null(dense, pa.scalar(0, dense.type)).to_numpy(zero_copy_only=False)
        found = _of_numbers(filled, kind)
        if not missing.any():
            return found
        found.values[missing] = MISSING_INT if kind == "int" else MISSING_STR
        reasons = np.where(missing, _MISSING, found.reasons).astype(np.int8)
        return CanonicalIds(found.values, found.valid & ~missing, reasons)
    if types.is_decimal(array.type) or types.is_null(array.type):
        array = decimal_texts(pc.cast(array, pa.string()))
    if types.is_large_string(array.type) or types.is_string_view(array.type):
        array = pc.cast(array, pa.large_string())
    elif not types.is_string(array.type):
        raise DataError(f"a column of type {array.type} cannot hold ids; give whole numbers or text")
    texts = pc.utf8_trim_whitespace(array)
    if not pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        texts = pc.utf8_normalize(texts, form="NFC")
    empty = pc.fill_null(pc.or_(pc.equal(texts, ""), pc.equal(texts, MISSING_STR)), True)
    missing = empty.to_numpy(zero_copy_only=False)
    reasons = np.where(missing & (reasons == _OK), _MISSING, reasons).astype(np.int8)
    if kind == "str":
        values = pc.if_else(empty, MISSING_STR, texts).to_numpy(zero_copy_only=False)
        return CanonicalIds(values, reasons == _OK, reasons)
    return _whole(texts, missing, reasons)


def _whole(texts: pa.Array, missing: NDArray[np.bool_], reasons: NDArray[np.int8]) -> CanonicalIds:
    """Whole numbers out of stripped text."""
    digits = pc.fill_null(pc.ascii_is_decimal(texts), False).to_numpy(zero_copy_only=False)
    if not (digits | missing).all():
        written = pc.fill_null(pc.match_substring_regex(texts, _WHOLE), False).to_numpy(zero_copy_only=False)
        reasons = np.where(~written & (reasons == _OK), _NOT_WHOLE, reasons).astype(np.int8)
        texts = pc.replace_substring_regex(texts, r"^\+|\.0*$", "")
    good = reasons == _OK
    texts = pc.if_else(pa.array(good), texts, "0")
    # 18 digits and a sign always fit; longer ones are rare and go one by one.
    long = np.flatnonzero(pc.greater(pc.binary_length(texts), 18).to_numpy(zero_copy_only=False))
    fitting = texts
    if len(long):
        mask = np.zeros(len(good), bool)
        mask[long] = True
        fitting = pc.if_else(pa.array(mask), "0", texts)
    values = pc.cast(fitting, pa.int64()).to_numpy(zero_copy_only=False).copy()
    for position in long.tolist():
        value = int(texts[position].as_py())
        if MISSING_INT < value < 2**63:
            values[position] = value
        else:
            reasons[position] = _TOO_LARGE
    valid = reasons == _OK
    values[~valid] = MISSING_INT
    return CanonicalIds(values, valid, reasons)
