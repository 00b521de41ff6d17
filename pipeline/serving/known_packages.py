"""The packages of a release, by the chapters that were asked for so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.features.arrays.candidates import Candidates
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.raw_values import list_ids, missing_of
from pipeline.features.arrays.request_histories import LastYear
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.keyed import concat_lists
from pipeline.features.ids.fingerprints import PADDING
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.rows.homework_day import HomeworkDay
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.known_release import KnownRelease
from pipeline.serving.made_packages import MadePackages
from pipeline.serving.meta import Meta
from pipeline.serving.raw_look_up import array_of
from pipeline.serving.small_state import Source


class KnownPackages(KnownRelease):
    """What requests for homework share.

    Attributes:
        pool: the packages of every chapter that was asked for, with their counters in ``counters``.
        base: base chapters by the field of the chapter that they stand for, as far as they were asked for.
    """

    def __init__(self, meta: Meta) -> None:
        super().__init__(meta)
        kind: Any = meta.plan.request
        self._kind: HomeworkPlan = kind
        none, empty = np.zeros(0, np.int64), Lists(np.zeros(1, np.int64), np.zeros(0, np.int64))
        self.pool = Pool(none, {role: empty for role in self._kind.roles if role != "key"}, none, empty, none)
        self.base: dict[str, Any] = {}
        self._made: MadePackages | None = None
        self._last_year: dict[tuple[Any, ...], LastYear] = {}
        self._row: dict[str, int] = {}
        self._members: dict[Any, list[int]] = {}

    def counted_ids(self) -> Iterable[tuple[str, Sequence[Any]]]:
        kind: Any = self.meta.plan.request
        spaces = kind.history_parts.get("styles"), kind.counted_space
        counted = zip(spaces, (self.meta.history_ids, self.meta.counted_ids), strict=True)
        return [(space, styles) for space, styles in counted if space is not None]

    def base_chapters(self, source: Source, chapters: Sequence[Any]) -> list[Any]:
        """The base chapter of each."""
        fields = [field_of(each) for each in chapters]
        new = [name for name in fields if name not in self.base]
        if new:
            found = source.fetch({"base_chapters": new})["base_chapters"]
            self.base.update({name: found.get(name) for name in new})
        bases = (self.base[name] for name in fields)
        return [raw if base is None else base for base, raw in zip(bases, chapters, strict=True)]

    def last_year(self, source: Source, named: tuple[Any, ...], fields: Callable[[], Sequence[str]]) -> LastYear:
        """Last year's windows by part, codes ``[1, length, values]``, of a group; all padding where there is none.

        Args:
            named: raw values that tell the group, none where one is missing.
            fields: what it is called in the release, at most one.
        """
        if named not in self._last_year:
            found = source.fetch({"last_year": fields()})["last_year"]
            self._last_year[named] = self.windows(next(iter(found.values()), None))
        return self._last_year[named]

    def windows(self, found: Mapping[str, Any] | None) -> LastYear:
        """Windows by part, codes ``[1, length, values]``, as a release has them; all padding for none."""
        rule, windows = self.meta.plan.config.history, {}
        most = rule.last_year.values if rule.last_year is not None else 1
        for part in {f.column for f in self.meta.plan.of_frame("last_year")}:
            days = found[part] if found else [[]] * rule.length
            ends = np.concatenate([[0], np.cumsum([len(day) for day in days])]).astype(np.int64)
            codes = self.look.codes(self._kind.history_parts[part], [value for day in days for value in day])
            windows[part] = Lists(ends, codes).padded(most, PADDING)[None]
        return windows

    def learn(self, source: Source, chapters: Sequence[Any]) -> bool:
        """Read the packages of chapters that are not known yet; whether any of the chapters has one."""
        new = [chapter for chapter in chapters if chapter not in self._members]
        if new:
            listed = source.fetch({"candidates": [field_of(each) for each in new]})["candidates"]
            order: dict[str, int] = {}
            for each in listed.values():
                order.update(zip(each["keys"], each["order"], strict=True))
            names = [key for key in order if key not in self._row]
            packages = source.fetch({"packages": [field_of(key) for key in names]})["packages"]
            self._add(source, packages, order)
            for chapter in new:
                keys = listed.get(field_of(chapter), {"keys": []})["keys"]
                self._members[chapter] = [self._row[key] for key in keys]
            self._index()
        return any(self._members[chapter] for chapter in chapters)

    def made(self, rows: HomeworkDay) -> Candidates:
        """The candidates of ``rows``."""
        if self._made is None or self._made.day != rows.day:
            self._made = MadePackages(self.arrays, self._kind, self.look, rows.day)
        return self._made.of(rows, self.pool, self.shared)

    def _add(self, source: Source, packages: Mapping[str, Any], order: Mapping[str, int]) -> None:
        """Packages behind those that are known, and their counters."""
        pool, kind, look = self.pool, self._kind, self.look
        raw = {"key": _one_each(array_of(packages, self.meta.plan.space_kind(kind.item_space)))}
        roles = {}
        for role, space in kind.roles.items():
            if role != "key":
                values = [package.get(role, []) for package in packages.values()]
                ends = np.concatenate([[0], np.cumsum([len(each) for each in values])]).astype(np.int64)
                flat = [value for each in values for value in each]
                raw[role] = Lists(ends, array_of(flat, self.meta.plan.space_kind(space)))
                roles[role] = concat_lists([pool.roles[role], Lists(ends, look.codes(space, flat))])
        self._count(source, raw)
        self._row.update({name: len(self._row) + at for at, name in enumerate(packages)})
        keys = np.concatenate([pool.keys, look.codes(kind.item_space, packages)])
        places = np.array([order[name] for name in packages], np.int64)
        self.pool = Pool(keys, roles, pool.chapters, pool.members, np.concatenate([pool.order, places]))

    def _count(self, source: Source, raw: Mapping[str, Lists]) -> None:
        def first(feature: str) -> list[Any]:
            planned = self.meta.plan.features[feature]
            kind = self.meta.plan.space_kind(str(planned.feature.space))
            lists = raw[planned.column] if planned.plain else list_ids(planned, raw[planned.column], kind)
            return list(lists.padded(1, missing_of(kind))[:, 0].tolist())

        self.counters.learn(source, {part.part: first(part.key[0]) for part in self.counters.of_items})
        self.bags.learn(source, {key: first(key[0]) for key in self.bags.of_items})

    def _index(self) -> None:
        """The pool by chapter, ascending."""
        filled = {chapter: rows for chapter, rows in self._members.items() if rows}
        chapters = self.look.codes(self._kind.roles["chapters"], filled)
        ascending = np.argsort(chapters)
        members = Lists.of(list(filled.values()), np.int64).take(ascending)
        self.pool = Pool(self.pool.keys, self.pool.roles, chapters[ascending], members, self.pool.order)


def _one_each(values: Any) -> Lists:
    return Lists(np.arange(len(values) + 1, dtype=np.int64), values)
