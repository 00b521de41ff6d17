"""Requests of ranking jobs: which packages of some chapters a teacher would set a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.serving.released.histories import History, last_year, widened
from examples.serving.released.ids import Feature, canonical
from examples.serving.released.impressions import day_of
from examples.serving.released.ready import Inputs, Posed, Question, Ready
from examples.serving.released.release import Release, field_of

_WORD = 2**64 - 1


class Homework(Ready):
    """The packages of the request's chapters, best first."""

    def __init__(self, release: Release) -> None:
        super().__init__(release)
        if self.settings["per_chapter"]:
            raise NotImplementedError("`ranking.per_chapter: true`: this client does not answer chapter by chapter")
        self.user, self.owner_columns = self.settings["user"], self.settings["owner"]
        self._chapters_of = self.settings["package"]["chapters"]
        chapters = [each for each in self.features.values() if each.columns in (["chapters"], [self._chapters_of])]
        self._kind = chapters[0].ids  # of all of them: they share an id space
        self._base: dict[Any, Any] = {}
        self._sections: list[list[Any]] = []
        self._listed: dict[Any, list[tuple[int, int]]] = {}
        self._groups: dict[tuple[Any, ...], Any] = {}

    @property
    def keep(self) -> int:
        return int(self.config["history"]["length"] + self.config["history"]["lead"])

    def of_owner(self, owner: Mapping[str, Any]) -> dict[str, list[str]]:
        name, study = field_of(*owner.values()), self.settings["study"]
        wanted = {**super().of_owner(owner), "contexts": [name], "style_counts": [name]}
        return wanted | ({"study": [field_of(owner[study["owner"]])]} if study is not None else {})

    def posed(self, release: Release, question: Question) -> Posed | None:
        owner = {name: self.typed(name, raw) for name, raw in zip(self.owner_columns, question.owner, strict=True)}
        found, day = release.fetch(self.of_owner(owner)), day_of(self, question)
        stored = found["histories"].get(field_of(*owner.values()))
        history = History(stored, day, calendar=self.config["history"]["days"] == "calendar")
        if question.chapters is not None:
            chapters = self._base_chapters(release, [canonical(each, self._kind) for each in question.chapters])
        else:
            chapters = stored["chapters"][-1] if stored is not None and history.days else []
        chapters = sorted(set(chapters))
        newest = self.framed("contexts", found["contexts"].get(field_of(*owner.values())))
        columns = {**newest, **{f"row.{name}": raw for name, raw in owner.items()}}
        columns |= {f"row.{name}": self.typed(name, raw) for name, raw in question.context.items()}
        columns |= {f"row.{self._chapters_of}": chapters, "calendar.weekday": (day - 1) % 7}
        columns |= self.framed("profiles", found["profiles"].get(field_of(owner[self.user])))
        year = self._last_year(release, columns)
        return Posed(day, columns, self._candidates(release, chapters), history, found, year)

    def histories(self, posed: Posed) -> Inputs:
        found = super().histories(posed)
        for feature in self.features.values():
            if feature.frame == "last_year":
                days = posed.last_year[feature.columns[0]] if posed.last_year else [[]] * feature.length
                most = self.config["history"]["last_year"]["values"]
                found[feature.name] = last_year(feature, [day[:most] for day in days])
        for feature in self.features.values():
            if feature.frame == "history" and feature.stand_in is not None:  # one takes the other's place
                wide = max(found[name].shape[-1] for name in (feature.name, feature.stand_in))
                for name in (feature.name, feature.stand_in):
                    found[name] = widened(feature.ids, found[name], wide)
        return found

    def of_kind(self, feature: Feature, posed: Posed) -> NDArray[Any]:
        if feature.frame == "study":
            return self._study(feature, posed)
        if feature.frame == "style_counts":
            return self._style_counts(feature, posed)
        return posed.history.set_on(self.meta["styles"], feature.size, feature.length)

    def _base_chapters(self, release: Release, chapters: Sequence[Any]) -> list[Any]:
        """The chapters that these stand for; they themselves where nothing is said of one."""
        new = [each for each in chapters if each not in self._base]
        if new and self.settings["base_chapters"] is not None:
            found = release.fetch({"base_chapters": map(field_of, new)})["base_chapters"]
            self._base |= {each: found.get(field_of(each), each) for each in new}
        return [self._base.get(each, each) for each in chapters]

    def _candidates(self, release: Release, chapters: Sequence[Any]) -> NDArray[np.int64]:
        """The rows of the chapters' packages, each once, by their places, at most so many."""
        new = [each for each in chapters if each not in self._listed]
        if new:
            listed = release.fetch({"candidates": map(field_of, new)})["candidates"]
            keys = [key for row in listed.values() for key in row["keys"] if key not in self.items.row]
            keys = [*dict.fromkeys(keys)]
            if keys:
                packages = release.fetch({"packages": keys})["packages"]
                self.learn_items(release, keys, [{**packages[key], "key": key} for key in keys])
            for each in new:
                row = listed.get(field_of(each), {"order": [], "keys": []})
                self._listed[each] = [
                    (place, self.items.row[key]) for place, key in zip(row["order"], row["keys"], strict=True)
                ]
        found = {row: place for each in chapters for place, row in self._listed[each]}
        best = sorted(found, key=found.__getitem__)[: self.settings["candidates"]["limit"]]
        return np.array(best, np.int64)

    def _last_year(self, release: Release, columns: Mapping[str, Any]) -> Any:
        """Last year's windows by part: of the class's own, or of its group; ``None`` where there are none."""
        settings = self.config["history"]["last_year"]
        if settings is None or not any(each.frame == "last_year" for each in self.features.values()):
            return None
        for part, names in (("last_year_own", settings["own_match"]), ("last_year", settings["match"])):
            ids = tuple(columns.get(name) for name in names)
            if not ids or None in ids:
                continue
            if (part, *ids) not in self._groups:
                found = release.fetch({part: [str(group_of(ids))]})[part]
                self._groups[part, *ids] = next(iter(found.values()), None)
            if self._groups[part, *ids] is not None:
                return self._groups[part, *ids]
        return None

    def _study(self, feature: Feature, posed: Posed) -> NDArray[np.float32]:
        """Of each candidate the means over its sections of which there are values, and of how many there are."""
        out = np.full((len(posed.rows), feature.size), np.nan, np.float32)
        out[:, -1] = 0
        stored = next(iter(posed.found["study"].values()), None)
        if stored is None:
            return out[None]
        at = {section: place for place, section in enumerate(stored["sections"])}
        held = [(place, at[section]) for place, row in enumerate(posed.rows.tolist())
                for section in self._sections[row] if section in at]  # fmt: skip
        if not held:
            return out[None]
        place, of = np.array(held, np.int64).T
        values = np.array([[np.nan if each is None else each for each in row] for row in stored["values"]], np.float32)
        own = values[of].astype(np.float64)
        there, starts = np.isfinite(own), np.flatnonzero(np.diff(place, prepend=-1))
        total = np.add.reduceat(np.where(there, own, 0), starts, axis=0)
        count = np.add.reduceat(there.astype(np.int64), starts, axis=0)
        out[place[starts], :-1] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        out[place[starts], -1] = np.diff(starts, append=len(place))
        return out[None]

    def learn_items(self, release: Release, keys: Sequence[Any], columns: Sequence[Mapping[str, Any]]) -> None:
        self._sections += [each["sections"] for each in columns]
        super().learn_items(release, keys, columns)

    def _style_counts(self, feature: Feature, posed: Posed) -> NDArray[np.float32]:
        """How often each style was set, on the newest day of the window or in all of it."""
        nothing: dict[str, list[Any]] = {"days": [], "styles": [], "counts": []}
        stored = next(iter(posed.found["style_counts"].values()), nothing)
        inside = [at for at, day in enumerate(stored["days"]) if day >= posed.day - feature.length]
        if feature.columns == ["day"]:
            inside = [at for at in inside if stored["days"][at] == stored["days"][-1]]
            if not inside:
                return np.full((1, feature.size), np.nan, np.float32)
        column = {style: at for at, style in enumerate(self.meta["counted_styles"][: feature.size])}
        table = np.zeros((1, feature.size))
        for at in inside:
            if stored["styles"][at] in column:
                table[0, column[stored["styles"][at]]] += stored["counts"][at]
        return table.astype(np.float32)


def group_of(ids: Sequence[Any]) -> int:
    """The number that some ids are a group by: SplitMix64 of each, mixed one after another, as a signed number."""
    if not all(isinstance(each, int) for each in ids):
        raise NotImplementedError(
            "`history.last_year` is matched by texts, whose numbers pandas makes (docs/serving.md): not answered here"
        )
    if len(ids) == 1:
        return int(ids[0])
    mixed = 0x9E3779B97F4A7C15
    for each in ids:
        mixed = _scrambled(mixed ^ _scrambled(each & _WORD))
    return mixed - 2**64 if mixed >= 2**63 else mixed


def _scrambled(word: int) -> int:
    word = (word + 0x9E3779B97F4A7C15) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)
