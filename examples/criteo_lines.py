"""Lines of Criteo's published files as columns: a label, 13 numbers, 26 ids, and what is wrong with the others.

Three forms are told apart by the first line: cells between tabs, without a header as a rule; cells between commas with
one (``label,I1,…,C26``); slots (``click:0 dense_feature:0.1 … 1:737395``), of which one that is not there is missing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from examples.criteo_like import IDS, NUMBERS
from pipeline.errors import SourceError
from pipeline.ingest.parse.parsed import mask_of
from pipeline.ingest.parse.scalars import floats

NAMES = ("label", *NUMBERS, *IDS)
_BLOCK = 1 << 22
"""Bytes that are read at once."""
_CUT = 200
"""Characters of a bad line that are kept."""
_OF_A_LINE = f"a label, {len(NUMBERS)} numbers and {len(IDS)} ids"
_DENSE, _CLICK = "dense_feature", "click"


@dataclass(frozen=True)
class Lines:
    """Some lines of a file.

    Attributes:
        rows: of the good ones ``NAMES``: label int64, numbers float64, ids text; empty cells are missing.
        at: int64 ``[rows]`` which lines of the file they are, from 0.
        bad: of the others number, reason and text.
        end: lines of the file up to here.
    """

    rows: pa.Table
    at: NDArray[np.int64]
    bad: list[tuple[int, str, str]]
    end: int


def read_lines(path: Path) -> Iterator[Lines]:
    """The lines of a file, which may be packed, some at a time; a header and empty lines are none.

    Raises:
        SourceError: it cannot be read, its first line is of none of the forms, or no line is what it should be.
    """
    begin, good, reasons = 0, 0, Counter[str]()
    for form, texts in _lines(path):
        found = _parsed(form, texts, begin)
        yield found
        begin = found.end
        good += len(found.at)
        reasons.update(reason for _, reason, _ in found.bad)
    if not good:
        ((why, lines),) = reasons.most_common(1) or (("there is none below the header", 0),)
        of_them = f" ({lines} of {begin})" if lines else ""
        raise SourceError(f"{path}: no line of it can be used: {why}{of_them}; each has {_OF_A_LINE}")


def count_lines(path: Path) -> int:
    """Lines of a file, good ones and bad ones; raises ``SourceError`` as ``read_lines`` does, but for bad lines."""
    return sum(len(texts) for _, texts in _lines(path))


def _lines(path: Path) -> Iterator[tuple[Form, list[str]]]:
    """The form of a file, and its lines, those that are empty and a header left out."""
    form: Form | None = None
    for block in _texts(path):
        texts = [text for text in block if text]
        if form is None and texts:
            form, header = _form_of(path, texts[0])
            texts = texts[1:] if header else texts
        if form is not None:
            yield form, texts
    if form is None:
        raise SourceError(f"{path}: is empty")


def _texts(path: Path) -> Iterator[list[str]]:
    rest = b""
    try:
        with pa.input_stream(str(path), compression="detect") as file:
            while block := file.read(_BLOCK):
                whole, newline, rest = (rest + block).rpartition(b"\n")
                if newline:
                    yield _decoded(whole)
        if rest:
            yield _decoded(rest)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{path}: cannot be unpacked or read: {error}; fetch it again") from None


def _decoded(block: bytes) -> list[str]:
    return block.decode("utf-8", errors="replace").removeprefix("\ufeff").replace("\r", "").split("\n")


def _form_of(path: Path, first: str) -> tuple[Form, bool]:
    """The form of a file by its first line, and whether that is a header."""
    if first.startswith(f"{_CLICK}:"):
        return Slots(), False
    delimiter = "\t" if "\t" in first else ","
    cells = [cell.strip().casefold() for cell in first.split(delimiter)]
    if '"' in first:
        raise SourceError(f"{path}: has cells in quotes, which are taken as they stand; write them without")
    if "label" in cells:
        lacking = [name for name in NAMES if name not in cells]
        twice = [name for name in NAMES if cells.count(name) > 1]
        if lacking or twice:
            wrong = f"has no {', '.join(lacking)}" if lacking else f"names {', '.join(twice)} twice"
            raise SourceError(f"{path}: the header {wrong}")
        return Cells(delimiter, [cells.index(name) for name in NAMES], len(cells)), True
    if delimiter == "\t":
        return Cells(delimiter, range(len(NAMES)), len(NAMES)), False
    raise SourceError(
        f"{path}: begins with {first[:60]!r}, which is neither {len(NAMES)} cells between tabs ({_OF_A_LINE}), nor "
        "a header `label,I1,…,C26`, nor slots `click:0 dense_feature:0.1 … 1:737395`; a packed file's name ends in "
        ".gz, .bz2 or .zst"
    )


class Form(ABC):
    """How a line says its values."""

    @abstractmethod
    def split(self, texts: pa.Array) -> tuple[dict[str, pa.Array], NDArray[np.int64], dict[int, str]]:
        """The cells of lines by name, which of the lines they are, and why others are none."""


class Cells(Form):
    """Cells between delimiters.

    Args:
        places: of ``NAMES`` among a line's ``width`` cells.
    """

    def __init__(self, delimiter: str, places: Sequence[int], width: int) -> None:
        self._delimiter, self._places, self._width = delimiter, list(places), width

    def split(self, texts: pa.Array) -> tuple[dict[str, pa.Array], NDArray[np.int64], dict[int, str]]:
        cells = pc.split_pattern(texts, self._delimiter)
        numbers = pc.list_value_length(cells).to_numpy()
        good = np.flatnonzero(numbers == self._width)
        found = cells if len(good) == len(texts) else cells.take(pa.array(good))
        bad = {
            at: f"{numbers[at]} cells, where {self._width} are"
            for at in np.flatnonzero(numbers != self._width).tolist()
        }
        flat, starts = pc.list_flatten(found), np.arange(len(good)) * self._width
        columns = {
            name: flat.take(pa.array(starts + place)) for name, place in zip(NAMES, self._places, strict=True)
        }  # fmt: skip
        return columns, good, bad


class Slots(Form):
    """``name:value`` between blanks: ``click``, 13 times ``dense_feature`` in order, ids by the number of their slot.

    What is not there is missing; of the numbers all are there, as they have no names.
    """

    def split(self, texts: pa.Array) -> tuple[dict[str, pa.Array], NDArray[np.int64], dict[int, str]]:
        rows: list[list[str]] = []
        good: list[int] = []
        bad: dict[int, str] = {}
        for at, text in enumerate(texts.to_pylist()):
            found = _slots(text)
            if isinstance(found, str):
                bad[at] = found
            else:
                rows.append(found)
                good.append(at)
        columns = zip(*rows, strict=True) if rows else [()] * len(NAMES)
        cells = {name: pa.array(list(each), pa.string()) for name, each in zip(NAMES, columns, strict=True)}
        return cells, np.array(good, np.int64), bad


def _slots(text: str) -> list[str] | str:
    """The cells of a line in the order of ``NAMES``, or why they are none."""
    label, numbers, ids = None, [], [""] * len(IDS)
    for pair in text.split():
        name, colon, value = pair.partition(":")
        if not colon:
            return "a part that is no name:value"
        if name == _DENSE:
            numbers.append(value)
        elif name == _CLICK and label is None:
            label = value
        elif not name.isdecimal() or not 1 <= int(name) <= len(IDS):
            return f"a slot that is none of 1 to {len(IDS)}" if name != _CLICK else "click stands twice"
        elif ids[int(name) - 1]:
            return "a slot that stands twice"
        else:
            ids[int(name) - 1] = value
    if len(numbers) != len(NUMBERS):
        return f"{len(numbers)} times {_DENSE}, where {len(NUMBERS)} are"
    return [label or "", *numbers, *ids]


def _parsed(form: Form, texts: list[str], begin: int) -> Lines:
    """Lines as columns; one whose cell is not what it should be is bad."""
    lines = pa.array(texts, pa.string())
    cells, at, bad = form.split(lines)
    why = np.full(len(at), "", object)
    label = cells["label"]
    why[~mask_of(pc.is_in(label, pa.array(["0", "1"])))] = "label: neither 0 nor 1"
    columns: dict[str, pa.Array] = {}
    for name in NUMBERS:
        parsed = floats(cells[name])
        parsed.clear_bad()
        columns[name] = parsed.values
        for code in range(1, len(parsed.names)):
            why[(parsed.codes == code) & (why == "")] = f"{name}: {parsed.names[code]}"
    for name in IDS:
        text = pc.utf8_trim_whitespace(cells[name])
        columns[name] = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
        why[mask_of(pc.match_substring(text, "\ufffd")) & (why == "")] = f"{name}: not in UTF-8"
    kept = np.flatnonzero(why == "")
    bad |= {int(at[row]): str(why[row]) for row in np.flatnonzero(why != "")}
    # Whether a label is 0 or 1 is known by now, in lines that are kept.
    columns = {"label": pc.equal(label, "1").cast(pa.int64()), **columns}
    rows = pa.table({name: columns[name] for name in NAMES})
    rows = rows if len(kept) == len(at) else rows.take(pa.array(kept))
    told = [(begin + row, reason, str(lines[row])[:_CUT]) for row, reason in sorted(bad.items())]
    return Lines(rows, begin + at[kept], told, begin + len(lines))
