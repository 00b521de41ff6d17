"""Lines of DIEN's published files, and what is wrong with the others."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from pipeline.errors import SourceError

BETWEEN_STEPS = "\x02"
_CUT = 200
"""Characters of a bad line that are kept."""


@dataclass(frozen=True)
class Bad:
    """A line that is none; ``number`` counts from 0."""

    file: str
    number: int
    reason: str
    text: str


@dataclass(frozen=True)
class Sample:
    """A line of ``local_train_splitByUser``: was it this item that the user took, after the steps before?

    Attributes:
        number: of the line, from 0.
        steps: items and their categories, oldest first.
    """

    number: int
    label: int
    user: str
    item: str
    category: str
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Item:
    """A line of ``item-info``."""

    item: str
    category: str


@dataclass(frozen=True)
class Review:
    """A line of ``reviews-info``; ``seconds`` since 1970."""

    user: str
    item: str
    seconds: int


Line = TypeVar("Line")


def read_samples(path: Path) -> Iterator[Sample | Bad]:
    """Label, user, item, category and both parts of the steps."""
    return _read(path, 6, _sample)


def read_items(path: Path) -> Iterator[Item | Bad]:
    """Item and category."""
    return _read(path, 2, _item)


def read_reviews(path: Path) -> Iterator[Review | Bad]:
    """User, item, stars and time."""
    return _read(path, 4, _review)


def _read(path: Path, width: int, parse: Callable[[int, list[str]], Line | str]) -> Iterator[Line | Bad]:
    """The lines of a file, which may be packed, in their order; empty ones are none.

    Args:
        parse: a line's number and cells to what they say, or to what is wrong with them.

    Raises:
        SourceError: it cannot be read, or has no line that is one.
    """
    good = False
    try:
        with pa.input_stream(str(path), compression="detect") as file:
            for number, text in enumerate(io.TextIOWrapper(file, "utf-8", errors="replace", newline="\n")):
                cells = text.rstrip("\r\n").split("\t")
                if cells == [""]:
                    continue
                found = f"{len(cells)} cells, where {width} are" if len(cells) != width else parse(number, cells)
                good = good or not isinstance(found, str)
                yield Bad(path.name, number, found, text.rstrip("\r\n")[:_CUT]) if isinstance(found, str) else found
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{path}: cannot be unpacked or read: {error}; fetch it again") from None
    if not good:
        raise SourceError(f"{path}: no line has the {width} cells between tabs that DIEN's files have")


def _item(_: int, cells: list[str]) -> Item | str:
    return Item(*cells) if cells[0] else "no item"


def _sample(number: int, cells: list[str]) -> Sample | str:
    label, user, item, category, items, categories = cells
    if label not in ("0", "1"):
        return "label: neither 0 nor 1"
    if not (user and item):
        return "no user" if not user else "no item"
    steps, kinds = (cell.split(BETWEEN_STEPS) if cell else [] for cell in (items, categories))
    if len(steps) != len(kinds):
        return f"{len(steps)} items and {len(kinds)} categories of the steps before"
    if "" in steps:
        return "a step without an item"
    return Sample(number, int(label), user, item, category, tuple(zip(steps, kinds, strict=True)))


def _review(_: int, cells: list[str]) -> Review | str:
    user, item, _stars, seconds = cells
    if not (user and item):
        return "no user" if not user else "no item"
    return Review(user, item, int(seconds)) if seconds.isascii() and seconds.isdecimal() else "time: no whole number"
