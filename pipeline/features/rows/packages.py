"""Homework packages: base ids in place of the textbook's own, and one key for what is the same package.

The key is the section ids, distinct and sorted, joined by commas; where the style is part of it, ``|`` and the style.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR
from pipeline.config.homework import BaseChapters, Package
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.frames.from_arrow import Places, codes, column_of, first_rows, lists_of

NO_BASE = -1
"""The base section of a section that has none."""


@dataclass(frozen=True)
class Packages:
    """Packages of a table's rows, less those without a base section.

    Attributes:
        rows: int64 ``[packages]`` the row of the table that each comes from.
        chapters, sections: distinct base ids, ascending.
        style, reflect: lists of one or none.
        key: object ``[packages]``.
        no_base: rows left out because none of their sections has a base section.
    """

    rows: NDArray[np.int64]
    chapters: Lists
    sections: Lists
    style: Lists
    reflect: Lists
    key: Array
    no_base: int

    def role(self, name: str) -> Lists:
        """The values of one of the roles of ``plan.ROLES`` as lists."""
        if name == "key":
            return Lists(np.arange(len(self.key) + 1, dtype=np.int64), self.key)
        lists: Lists = getattr(self, name)
        return lists

    def take(self, packages: NDArray[np.int64]) -> Packages:
        return Packages(
            self.rows[packages], self.chapters.take(packages), self.sections.take(packages),
            self.style.take(packages), self.reflect.take(packages), self.key[packages], self.no_base,
        )  # fmt: skip


class BaseIds:
    """The mapping of chapters and sections to base ids; an id that it does not hold stands for itself."""

    def __init__(self, chapter: Array, section: Array, base_chapter: Array, base_section: Array) -> None:
        # Of one chapter or section the first row in canonical order counts.
        self._chapters = _Mapping(chapter, base_chapter)
        self._sections = _Mapping(section, base_section)
        self._pairs = _PairMapping(chapter, section, base_section)

    @classmethod
    def of(cls, table: pa.Table, settings: BaseChapters) -> BaseIds:
        names = (settings.chapter, settings.section, settings.base_chapter, settings.base_section)
        flat = [column_of(table, name) for name in names]
        return cls(*(column for column in flat if not isinstance(column, Lists)))

    def chapters(self, lists: Lists) -> Lists:
        return Lists(lists.offsets, self._chapters(lists.values))

    def sections(self, chapters: Lists, sections: Lists) -> Lists:
        """Base sections: by chapter and section where that pair is mapped, else by section alone."""
        base = self._sections(sections.values)
        return Lists(sections.offsets, self._pairs(chapters, sections, base))

    def alone(self, sections: Array) -> Array:
        """Base sections of sections whose chapter is not known."""
        return self._sections(sections)


class _Mapping:
    """First value of each key; keys that are not held stand for themselves."""

    def __init__(self, keys: Array, values: Array) -> None:
        first = first_rows(keys)
        self._places = Places(keys[first])
        self._values = values[first]

    def __call__(self, keys: Array) -> Array:
        at = self._places(keys)
        out = keys.copy()
        out[at >= 0] = self._values[at[at >= 0]]
        return out


class _PairMapping:
    """Base section by (chapter, section)."""

    def __init__(self, chapter: Array, section: Array, base: Array) -> None:
        self._chapters = Places(chapter[first_rows(chapter)])
        self._sections = Places(section[first_rows(section)])
        pairs = self._packed(chapter, section)
        order = np.argsort(pairs, kind="stable")
        first = np.ones(len(order), bool)
        first[1:] = pairs[order][1:] != pairs[order][:-1]
        self._pairs, self._base = pairs[order][first], base[order][first]

    def _packed(self, chapter: Array, section: Array) -> NDArray[np.int64]:
        at_chapter, at_section = self._chapters(chapter), self._sections(section)
        packed = at_chapter * (len(self._sections) + 1) + at_section
        packed[(at_chapter < 0) | (at_section < 0)] = -1
        return packed

    def __call__(self, chapters: Lists, sections: Lists, otherwise: Array) -> Array:
        """Base section of each section value: of the first of its row's chapters that is mapped with it."""
        if not len(self._pairs) or not len(sections.values):
            return otherwise
        row = np.repeat(np.arange(len(sections)), sections.lengths)
        crossed = chapters.take(row)
        of = np.repeat(np.arange(len(row)), crossed.lengths)
        pairs = self._packed(crossed.values, sections.values[of])
        at = np.minimum(np.searchsorted(self._pairs, pairs), len(self._pairs) - 1)
        hit = (self._pairs[at] == pairs) & (pairs >= 0)
        out = otherwise.copy()
        # Backwards, so that the first chapter's answer is the one that stays.
        out[of[hit][::-1]] = self._base[at[hit]][::-1]
        return out


def packages(table: pa.Table, settings: Package, base: BaseIds | None) -> Packages:
    """The packages of a table's rows with base ids; rows without a base section are left out and counted."""
    chapters = lists_of(column_of(table, settings.chapters))
    sections = lists_of(column_of(table, settings.sections))
    rows = np.arange(len(chapters))
    no_base = 0
    if base is not None:
        sections = base.sections(chapters, sections)
        chapters = base.chapters(chapters)
        sections = _less(sections, NO_BASE)
        kept = sections.lengths > 0
        no_base = int((~kept).sum())
        rows = np.flatnonzero(kept)
        chapters, sections = chapters.take(rows), sections.take(rows)
    chapters, sections = sorted_distinct(chapters), sorted_distinct(sections)
    style = _optional(table, settings.style, rows)
    reflect = _optional(table, settings.reflect, rows)
    return Packages(rows, chapters, sections, style, reflect, package_keys(sections, style, settings), no_base)


def package_keys(sections: Lists, style: Lists, settings: Package) -> Array:
    """The key of each package, as text; ``sections`` are distinct and sorted."""
    roles = {"sections": sections, "style": style}
    pieces = [joined(lists, ",") for role, lists in roles.items() if role in settings.key]
    return np.asarray(pc.binary_join_element_wise(*pieces, "|").to_numpy(zero_copy_only=False), object)


def joined(lists: Lists, separator: str) -> pa.Array:
    """The values of each list as one text."""
    numbers = lists.values.dtype.kind == "i"
    text = pa.array(lists.values).cast(pa.string()) if numbers else pa.array(lists.values, pa.string())
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(lists.offsets, pa.int32()), text), separator)


def sorted_distinct(lists: Lists) -> Lists:
    """Each list's distinct values in ascending order (text by its bytes)."""
    row = np.repeat(np.arange(len(lists)), lists.lengths)
    value = codes(lists.values)
    order = np.lexsort((value, row))
    new = np.ones(len(order), bool)
    new[1:] = (row[order][1:] != row[order][:-1]) | (value[order][1:] != value[order][:-1])
    kept = order[new]
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(np.bincount(row[kept], minlength=len(lists)), out=offsets[1:])
    return Lists(offsets, lists.values[kept])


def _less(lists: Lists, value: Any) -> Lists:
    kept = np.asarray(lists.values != value, bool)
    before = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(kept, out=before[1:])
    return Lists(before[lists.offsets], lists.values[kept])


def _optional(table: pa.Table, name: str | None, rows: NDArray[np.int64]) -> Lists:
    if name is None:
        return Lists(np.zeros(len(rows) + 1, np.int64), np.zeros(0, np.int64))
    lists = lists_of(column_of(table, name)).take(rows)
    missing: Any = MISSING_INT if lists.values.dtype.kind == "i" else MISSING_STR
    return _less(lists, missing)
