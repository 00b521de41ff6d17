"""A request, and all that one release knows about it, in the form in which training reads a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST, Kind, Side
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.features.arrays.indices import package_ids, raw_ids, role_index
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.raw_values import bag_ids, categorical_ids
from pipeline.features.frames.frame import Array, Column, Frame, Lists
from pipeline.features.frames.packing import fingerprint
from pipeline.features.rows.day import DayRows, Judged, flat
from pipeline.features.rows.packages import sorted_distinct
from pipeline.features.state.state import FeatureState
from pipeline.ingest.canonical_ids import MISSING_INT, MISSING_STR, canonical_ids
from pipeline.release.contents.columns_json import column
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.meta import CounterPart, Meta
from pipeline.serving.small_world import Maps, array_of, small_maps, small_state, windows

_STORED = {"int_list": "int_list", "str_list": "str_list", "path_list": "str_list"}


@dataclass(frozen=True)
class Request:
    """Who asks, and what is known of the moment.

    Args:
        owner: raw ids of the history's owner: teacher and class, or the user.
        chapters: of a ranking; by default those of the owner's last homework day.
        context: values of the request's own columns by name; a ranking takes what is not given from the owner's
            newest row, an impression reads it as missing.
        items: of impressions, the items to score instead of the release's candidates.
        day: the day the answer is for; by default the day after the release's.
    """

    owner: tuple[Any, ...]
    chapters: tuple[Any, ...] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[Any, ...] | None = None
    day: Day | None = None


class Source(Protocol):
    """Where the parts of a release are read from."""

    def fetch(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]: ...

    def shared(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]: ...


class Situation:
    """A request in a release's world.

    Attributes:
        found: whether there is anything to score; ``note`` says why not, or what was assumed.
        rows, maps, state, pool, last_year: what ``assemble.build`` takes.
    """

    def __init__(self, meta: Meta, source: Source, request: Request) -> None:
        self._meta, self._source, self._request = meta, source, request
        self._plan = meta.plan
        self.note = ""
        self.found = False
        self.pool: Pool | None = None
        self.last_year: Mapping[str, NDArray[np.int32]] | None = None
        self.day = request.day or meta.day.next()
        if self.day <= meta.day:
            raise UsageError(f"day {self.day}: the release stands at the end of {meta.day}; ask for a later day")
        names = self._plan.owner_columns
        if len(request.owner) != len(names):
            raise UsageError(f"the owner of a history is {', '.join(names)}; {len(request.owner)} ids were given")
        self._owner = {name: self._typed(name, raw) for name, raw in zip(names, request.owner, strict=True)}
        self._ids = tuple(flat(each).tolist()[0] for each in self._owner.values())
        if self._plan.ranking:
            self._rank()
        else:
            self._impress()

    def _rank(self) -> None:
        settings = self._plan.config.ranking
        assert settings is not None
        name = field_of(*self._ids)
        own = self._source.fetch({"histories": [name], "contexts": [name], "style_counts": [name]})
        history = own["histories"].get(name)
        chapters = self._chapters(history)
        if chapters is None:
            return
        frame = self._frame(self._ranking_rows(own["contexts"].get(name)), settings.user)
        listed = self._source.shared({"candidates": [field_of(each) for each in chapters.tolist()]})["candidates"]
        keys: dict[str, int] = {}
        for each in listed.values():
            keys.update(zip(each["keys"], each["order"], strict=True))
        packages = self._source.shared({"packages": [field_of(key) for key in keys]})["packages"]
        if not packages:
            self.note = f"no candidates for the chapters {', '.join(map(str, chapters.tolist()))}"
            return
        items = self._packages(list(packages), packages)
        alone = settings.per_chapter and len(chapters) > 1
        requests = len(chapters) if alone else 1
        ends = np.arange(requests + 1, dtype=np.int64) if alone else np.array([0, len(chapters)], np.int64)
        columns = {**_repeated(frame, requests), f"row.{settings.package.chapters}": Lists(ends, chapters)}
        self.rows = self._day_rows(Frame(requests, columns), items, np.zeros(requests, np.int64), ranking=True)
        study = self._study(frame)
        group = self._last_year(frame)
        extra = [_ids_of(each, self._plan.history_parts) for each in (history, group)]
        self._finish(history, study, extra, flat(items["item.key"]).tolist(), own["style_counts"].get(name))
        self.pool = self._pool(listed, packages, keys, items)
        if group is not None or self._plan.of_frame("last_year"):
            rule = self._plan.config.history
            values = rule.last_year.values if rule.last_year is not None else 1
            self.last_year = windows(self._meta, self.maps, group, requests, rule.length, values)

    def _impress(self) -> None:
        settings = self._plan.config.impressions
        assert settings is not None
        name = field_of(*self._ids)
        history = self._source.fetch({"histories": [name]})["histories"].get(name)
        if self._request.items is None:
            keys = self._source.shared({"candidates": ["all"]})["candidates"].get("all", [])
        else:
            kind = self._plan.space_kind(self._plan.item_space)
            keys = _canonical(settings.item, list(self._request.items), kind).tolist()
        if not keys:
            self.note = f"no item was shown in the last {settings.candidate_days} days"
            return
        names = dict.fromkeys([settings.user, *(c for f in self._plan.of_frame("row") for _, c in f.columns)])
        given = {f"row.{each}": self._owner.get(each) for each in names}
        frame = self._frame({n: c if c is not None else self._given(n) for n, c in given.items()}, settings.user)
        fields = [field_of(key) for key in keys]
        rows = self._source.shared({"items": fields})["items"]
        columns = self._meta.frame("items", [rows.get(each) for each in fields])
        columns[f"item.{settings.item}"] = array_of(keys, self._plan.space_kind(self._plan.item_space))
        items = Frame(len(keys), columns)
        requests = Frame(len(keys), _repeated(frame, len(keys)))
        self.rows = self._day_rows(requests, items, np.arange(len(keys)), ranking=False)
        self._finish(history, None, [_ids_of(history, self._plan.history_parts)], keys)

    def _finish(
        self, history: Any, study: Any, extra: Iterable[Mapping[str, list[Any]]], keys: list[Any],
        style_counts: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Id maps and feature state of what is there by now."""
        plan = self._plan
        raw: dict[str, list[Array]] = {space: [values] for space, values in raw_ids(plan, self.rows).items()}
        raw.setdefault(plan.item_space, []).append(array_of(keys, plan.space_kind(plan.item_space)))
        for lists in extra:
            for part, values in lists.items():
                space = plan.history_parts[part]
                raw.setdefault(space, []).append(array_of(values, plan.space_kind(space)))
                for planned in plan.of_frame("history", "last_year"):
                    if planned.column == part and not planned.plain:
                        own, found = str(planned.feature.space), raw[space][-1]
                        ends = np.arange(len(found) + 1, dtype=np.int64)
                        made = package_ids(planned, Lists(ends, found), plan.space_kind(own)).values
                        raw.setdefault(own, []).append(made)
        first = [(plan.history_parts.get("styles"), self._meta.styles), (plan.counted_space, self._meta.counted_styles)]
        # Their indices are columns of a feature: first, in order; of two lists of one space one begins with the other.
        for columns_of, styles in sorted(first, key=lambda each: len(each[1])):
            if columns_of is not None and styles:
                raw.setdefault(columns_of, []).insert(0, array_of(styles, plan.space_kind(columns_of)))
        counters = self._counters()
        self.maps: Maps = small_maps(self._meta, raw)
        self.state: FeatureState = small_state(
            self._meta, self.maps, owner=self._ids, history=history, counters=counters, study=study,
            style_counts=style_counts,
        )  # fmt: skip
        self.found = True

    def _chapters(self, history: Mapping[str, Any] | None) -> Array | None:
        """The base chapters asked for, ascending; ``None`` where none are known."""
        kind = self._plan.space_kind(self._plan.roles["chapters"])
        if self._request.chapters is not None:
            given = _canonical("chapters", list(self._request.chapters), kind)
            fields = [field_of(each) for each in given.tolist()]
            base = self._source.shared({"base_chapters": fields})["base_chapters"]
            values = [base.get(name, raw) for name, raw in zip(fields, given.tolist(), strict=True)]
        elif history is not None and history["days"]:
            values = history["chapters"][-1]
            self.note = f"chapters of {Day(history['days'][-1])}: {', '.join(map(str, values))}"
        else:
            self.note = "no homework day is known of this owner; give its chapters"
            return None
        return sorted_distinct(Lists.of([values], np.int64 if kind == "int" else object)).values

    def _ranking_rows(self, context: Sequence[Any] | None) -> dict[str, Column]:
        """The request's own columns: as given, else of the owner's newest row, else missing."""
        settings = self._plan.config.ranking
        assert settings is not None
        newest = self._meta.frame("contexts", [context])
        found: dict[str, Column] = {}
        for name in self._plan.request.row_columns:
            if name in self._owner:
                found[f"row.{name}"] = self._owner[name]
            elif name in self._request.context or f"row.{name}" not in newest:
                found[f"row.{name}"] = self._given(f"row.{name}")
            else:
                found[f"row.{name}"] = newest[f"row.{name}"]
        return found

    def _frame(self, rows: dict[str, Column], user: str) -> Frame:
        """One row: the request's own columns, its user's profile, the calendar."""
        name = field_of(flat(rows[f"row.{user}"]).tolist()[0])
        profile = self._source.fetch({"profiles": [name]})["profiles"].get(name)
        weekday = np.array([self.day.weekday], np.int64)
        return Frame(1, {**rows, **self._meta.frame("profiles", [profile]), "calendar.weekday": weekday})

    def _given(self, name: str) -> Column:
        return self._typed(name.removeprefix("row."), self._request.context.get(name.removeprefix("row.")))

    def _typed(self, name: str, raw: Any) -> Column:
        """A column of one row with a value of the type that the job's settings declare; ``None`` is missing."""
        config = self._plan.config
        section = config.ranking or config.impressions
        assert section is not None
        declared = config.tables[section.rows].columns[name].type
        kind = _STORED.get(declared, declared)
        if raw is None:
            return column([None], kind)
        if kind.endswith("_list"):
            values = list(raw) if isinstance(raw, list | tuple) else str(raw).strip("[]").split(",")
            return column([_canonical(name, values, kind.removesuffix("_list")).tolist()], kind)
        if kind in ("int", "str"):
            return _canonical(name, [raw], kind)
        try:
            return column([float(raw) if kind == "float" else str(raw)], kind)
        except ValueError:
            raise UsageError(f"{name}: '{raw}' is not a {kind}") from None

    def _packages(self, fields: list[str], packages: Mapping[str, Any]) -> Frame:
        """Packages as the items of a day."""
        columns: dict[str, Column] = {"item.key": array_of(fields, "str")}
        for role in ("chapters", "sections", "style", "reflect"):
            space = self._plan.roles.get(role)
            kind = self._plan.space_kind(space) if space is not None else "int"
            values = [packages[name].get(role, []) for name in fields]
            columns[f"item.{role}"] = Lists.of(values, np.int64 if kind == "int" else object)
        return Frame(len(fields), columns)

    def _day_rows(self, requests: Frame, items: Frame, event_item: NDArray[np.int64], *, ranking: bool) -> DayRows:
        judged = Judged(np.zeros(0, np.int64), np.zeros(0, object), np.zeros(0, np.int8), others=0) if ranking else None
        return DayRows(
            day=self.day, events=requests, label=np.zeros(requests.rows, np.int8), items=items, event_item=event_item,
            requests=requests, judged=judged, weight=np.ones(requests.rows, np.float32),
        )  # fmt: skip

    def _counters(self) -> dict[str, dict[str, Any]]:
        """By part, the columns of the keys that begin with a raw id of this request or of its candidates."""
        own: dict[str, list[str]] = {}
        others: dict[str, list[str]] = {}
        for part in self._meta.counters:
            side = self._plan.features[part.key[0]].feature.side
            (others if side is Side.ITEM else own)[part.part] = self._first_ids(part)
        return {**self._source.fetch(own), **self._source.shared(others)}

    def _first_ids(self, part: CounterPart) -> list[str]:
        planned = self._plan.features[part.key[0]]
        kind = self._plan.space_kind(str(planned.feature.space))
        frame = self.rows.items if planned.feature.side is Side.ITEM else self.rows.requests
        if planned.feature.side is Side.ITEM and self._plan.ranking:
            lists = self.rows.role(planned.column)
            lists = lists if planned.plain else package_ids(planned, lists, kind)
            values = lists.padded(1, MISSING_INT if kind == "int" else MISSING_STR)[:, 0]
        elif planned.feature.kind is Kind.BAG:
            values = bag_ids(planned, frame, kind).padded(1, MISSING_INT if kind == "int" else MISSING_STR)[:, 0]
        else:
            values = categorical_ids(planned, frame, kind)
        return [field_of(raw) for raw in dict.fromkeys(values.tolist()) if raw not in (MISSING_INT, MISSING_STR)]

    def _study(self, frame: Frame) -> tuple[Any, Mapping[str, Any]] | None:
        settings = self._plan.config.ranking
        if settings is None or settings.study is None or self._plan.study_owner_space is None:
            return None
        owner = flat(frame[f"row.{settings.study.owner}"]).tolist()[0]
        found = self._source.fetch({"study": [field_of(owner)]})["study"].get(field_of(owner))
        return (owner, found) if found is not None else None

    def _last_year(self, frame: Frame) -> Mapping[str, Any] | None:
        """Windows of the class's own last year, else of its group's."""
        for part, columns in (("last_year_own", self._plan.own_columns), ("last_year", self._plan.group_columns)):
            spaces = [self._plan.group_space(name) for name in columns]
            fields = [field_of(flat(frame[name]).tolist()[0]) for name in columns]
            wanted: dict[str, list[str]] = {}
            for space, name in zip(spaces, fields, strict=True):
                wanted.setdefault(f"ids.{space}", []).append(name)
            known = self._source.fetch(wanted) if columns else {}
            index = [known[f"ids.{space}"].get(name, 0) for space, name in zip(spaces, fields, strict=True)]
            if not columns or min(index) < FIRST:
                continue
            group = str(int(fingerprint(*(np.array([each]) for each in index))[0]))
            found = self._source.fetch({part: [group]})[part].get(group)
            if found is not None:
                windows_found: Mapping[str, Any] = found
                return windows_found
        return None

    def _pool(
        self, listed: Mapping[str, Any], packages: Mapping[str, Any], order: Mapping[str, int], items: Frame
    ) -> Pool:
        """The candidates of the request's chapters, in the release's order."""
        plan = self._plan
        at = {name: row for row, name in enumerate(packages)}
        kind = plan.space_kind(plan.roles["chapters"])
        found = sorted(listed.items(), key=lambda each: int(each[0]) if kind == "int" else each[0])
        keys = self.maps[plan.item_space].lookup(array_of(packages, "str"))
        places = np.array([order[name] for name in packages], np.int64)
        roles = {role: role_index(plan, role, _role(items, role), self.maps) for role in plan.roles if role != "key"}
        raw = array_of((int(name) if kind == "int" else name for name, _ in found), kind)
        chapters = self.maps[plan.roles["chapters"]].lookup(raw)
        members = Lists.of([[at[key] for key in each["keys"]] for _, each in found], np.int64)
        ascending = np.argsort(chapters, kind="stable")
        return Pool(keys, roles, chapters[ascending].astype(np.int64), members.take(ascending), places)


def _role(items: Frame, role: str) -> Lists:
    lists = items[f"item.{role}"]
    assert isinstance(lists, Lists)
    return lists


def _ids_of(entries: Mapping[str, Any] | None, parts: Mapping[str, str]) -> dict[str, list[Any]]:
    """Every raw id in some entries, by part."""
    if entries is None:
        return {}
    return {part: [value for values in entries[part] for value in values] for part in parts if part in entries}


def _repeated(frame: Frame, rows: int) -> dict[str, Column]:
    return dict(frame.take(np.zeros(rows, np.int64)).columns)


def _canonical(name: str, values: list[Any], kind: str) -> Array:
    ids, valid = canonical_ids(values, kind)[:2]
    if not np.asarray(valid).all():
        wrong = values[int(np.flatnonzero(~np.asarray(valid))[0])]
        raise UsageError(f"{name}: '{wrong}' is not {'a whole number' if kind == 'int' else 'a text id'}")
    return np.asarray(ids)
