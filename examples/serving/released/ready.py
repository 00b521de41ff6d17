"""A release made ready for requests: what they share is read once, and kept as long as the release answers."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import repeat
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from examples.serving.released.bags import Asked, Contexts
from examples.serving.released.counters import Cells, transformed, value
from examples.serving.released.histories import History
from examples.serving.released.ids import MISSING, Feature, array, canonical, numbers, padded, several, single, width_of
from examples.serving.released.items import Items
from examples.serving.released.release import Release, field_of

FIELDS = ("config", "day", "frames", "overall", "totals", "counters", "styles", "counted_styles")
Inputs = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Question:
    """Who asks, and what is known of the moment.

    Attributes:
        owner: raw ids: teacher and class, or the user.
        chapters: of homework; by default those of the owner's last homework day.
        context: values of the request's own columns by name.
        items: of impressions, to be scored instead of the release's candidates.
        day: ISO date that the answer is for; by default the day after the release's.
    """

    owner: Sequence[Any]
    chapters: Sequence[Any] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    items: Sequence[Any] | None = None
    day: str | None = None


@dataclass
class Posed:
    """A question in the release's world: its columns, the rows of its candidates, its owner's entries.

    Attributes:
        columns: ``<frame>.<column>`` to a value, a list of values, or ``None`` where it is missing.
        found: what was read by part and field.
        last_year: last year's windows by part of a history, where there are any.
    """

    day: int
    columns: Mapping[str, Any]
    rows: NDArray[np.int64]
    history: History
    found: Mapping[str, Mapping[str, Any]]
    last_year: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Counted:
    """Where the cells of a counter's keys are."""

    part: str
    key: tuple[str, ...]
    cells: Cells


class Ready(ABC):
    """What both kinds of requests have in common."""

    owner_columns: Sequence[str]
    user: str

    def __init__(self, release: Release) -> None:
        self.meta = release.fetch({"meta": FIELDS})["meta"]
        self.config: Mapping[str, Any] = self.meta["config"]
        self.settings: Mapping[str, Any] = self.config[self.config["kind"]]
        self.day = date.fromisoformat(self.meta["day"]).toordinal()
        self.features = {name: Feature.of(self.config, name) for name in self.config["features"]}
        self.items = Items([each for each in self.features.values() if each.frame == "item"], self.day)
        told = self.meta["counters"].items()
        self.half_lives = sorted({each for _, one in told for each in one["half_lives"]})
        self._counted = {
            tuple(one["key"]): Counted(
                part, tuple(name for name in one["key"] if not name.startswith("=")), Cells(one["half_lives"])
            )
            for part, one in told
        }  # fmt: skip
        over = [f.bag_counter or f.collaborative for f in self.features.values() if f.bag_counter or f.collaborative]
        halved: dict[tuple[str, str], set[float]] = {(each["context"], each["bag"]): set() for each in over}
        for each in over:
            lives = (each.get("half_life"), each.get("against"))
            halved[each["context"], each["bag"]] |= {life for life in lives if life is not None}
        self._bags = {key: Contexts(sorted(lives)) for key, lives in halved.items()}
        self._fitted = {suits_name(f.collaborative): f.collaborative for f in self.features.values() if f.collaborative}
        self._over = over
        self._asked_for: dict[str, set[Any]] = {}
        self._places: dict[str, NDArray[np.int64]] = {}

    @abstractmethod
    def posed(self, release: Release, question: Question) -> Posed | None:
        """The question's columns and candidates; ``None`` where there are none."""

    @abstractmethod
    def of_kind(self, feature: Feature, posed: Posed) -> NDArray[Any]:
        """A feature that only this kind of job has."""

    def inputs(self, release: Release, question: Question, names: Iterable[str]) -> tuple[list[Any], Inputs]:
        """The candidates, and what a model is asked of them by feature: ``[1, …]`` and ``[1, candidates, …]``."""
        posed = self.posed(release, question)
        if posed is None or not len(posed.rows):
            return [], {}
        self._learn_context(release, posed)
        made: Inputs = self.items.inputs(posed.rows) | self.histories(posed)
        asked: dict[tuple[str, str], Asked] = {}
        for name in names:
            if name not in made:
                made[name] = self._made(self.features[name], posed, asked)
        return [self.items.keys[row] for row in posed.rows.tolist()], {name: made[name] for name in names}

    def histories(self, posed: Posed) -> Inputs:
        """Every feature of the owner's entries."""
        found: Inputs = {}
        of_entries = [each for each in self.features.values() if each.frame == "history"]
        for feature in of_entries:
            if feature.kind == "ages":
                of = next(each for each in of_entries if each.group == feature.group and each.kind != "ages")
                found[feature.name] = posed.history.ages(feature, of, self.keep)
            elif feature.ids:
                found[feature.name] = posed.history.values(feature, self.keep)
        return found

    @property
    @abstractmethod
    def keep(self) -> int:
        """Entries kept of an owner."""

    # --- what is read

    def of_owner(self, owner: Mapping[str, Any]) -> dict[str, list[str]]:
        """Fields by part that the owner's ids name."""
        wanted = {"histories": [field_of(*owner.values())], "profiles": [field_of(owner[self.user])]}
        for each in self._counted.values():
            column = self._owner_column(each.key[0])
            if column is not None:
                wanted[each.part] = [field_of(owner[column])]
        for over in self._over:
            if over["owner"] is not None:
                column = self._owner_column(over["owner"])
                if column is None:
                    raise NotImplementedError(f"counters over bags of an owner '{over['owner']}' that is no id of his")
                wanted[self._own_bags(over)] = [field_of(owner[column])]
                if "method" in over:
                    wanted[f"own_factors.{suits_name(over)}"] = [field_of(owner[column])]
        return wanted

    def learn_items(self, release: Release, keys: Sequence[Any], columns: Sequence[Mapping[str, Any]]) -> None:
        """Candidates that are new, with the counters whose keys begin with them."""
        begin = len(self.items.keys)
        self.items.add(keys, columns)
        first = {name: ids[begin:] for name, ids in self.items.first.items()}
        self._learn(release, {each: first[each.key[0]] for each in self._counted.values() if each.key[0] in first},
                    {key: first[key[0]] for key in self._bags if key[0] in first})  # fmt: skip

    def _learn_context(self, release: Release, posed: Posed) -> None:
        """The counters whose keys begin with the request's own ids, and not with its owner's."""
        of_row = [each for each in self._counted.values() if not self._own_or_item(each.key[0])]
        bags = [key for key in self._bags if key[0] not in self.items.first]
        self._learn(release, {each: [self._id(each.key[0], posed)] for each in of_row},
                    {key: [self._id(key[0], posed)] for key in bags})  # fmt: skip

    def _learn(
        self, release: Release, counted: Mapping[Counted, Iterable[Any]], bags: Mapping[tuple[str, str], Iterable[Any]]
    ) -> None:
        wanted: dict[str, list[Any]] = {}
        for each, ids in counted.items():
            wanted[each.part] = self._new(each.part, ids, each.key[0])
        for key, ids in bags.items():
            wanted[f"bags.{'+'.join(key)}"] = new = self._new(f"bags.{'+'.join(key)}", ids, key[0])
            wanted |= {f"factors.{name}": new for name in self._names(key)}
        if not any(wanted.values()):
            return
        found = release.fetch({part: map(field_of, ids) for part, ids in wanted.items()})
        for each in counted:
            for raw in wanted[each.part]:
                add(each, raw, found[each.part].get(field_of(raw)), each.cells)
        for key in bags:
            for raw in wanted[f"bags.{'+'.join(key)}"]:
                self._bags[key].add(raw, found[f"bags.{'+'.join(key)}"].get(field_of(raw)))
                for name in self._names(key):
                    self._bags[key].fit(name, found[f"factors.{name}"].get(field_of(raw)))

    def _new(self, part: str, ids: Iterable[Any], feature: str) -> list[Any]:
        """Ids that the part was not asked for yet."""
        known = self._asked_for.setdefault(part, {MISSING[self.features[feature].ids]})
        new = [each for each in dict.fromkeys(ids) if each not in known]
        known.update(new)
        return new

    def _names(self, key: tuple[str, str]) -> list[str]:
        return [name for name, each in self._fitted.items() if (each["context"], each["bag"]) == key]

    def _own_bags(self, over: Mapping[str, Any]) -> str:
        return f"own_bags.{over['owner']}+{over['context']}+{over['bag']}"

    def _owner_column(self, name: str) -> str | None:
        """The column of the owner that a feature is, as it is."""
        feature = self.features[name]
        as_it_is = feature.kind == "categorical" and feature.frame == "row" and feature.plain
        return feature.columns[0] if as_it_is and feature.columns[0] in self.owner_columns else None

    def _own_or_item(self, name: str) -> bool:
        return name in self.items.first or self._owner_column(name) is not None

    # --- what is made of it

    def _made(self, feature: Feature, posed: Posed, asked: dict[tuple[str, str], Asked]) -> NDArray[Any]:
        if feature.counter is not None:
            return self._counter(feature, posed)
        over = feature.bag_counter or feature.collaborative
        if over is not None:
            key = over["context"], over["bag"]
            if key not in asked:
                asked[key] = self._over_bags(over, key, posed)
            if feature.bag_counter is not None:
                return asked[key].counter(over, posed.day)[None, :, None]
            own = posed.found[f"own_factors.{suits_name(over)}"]
            return asked[key].suits(suits_name(over), next(iter(own.values()), None))[None]
        if feature.frame in ("row", "user", "calendar"):
            return self._of_row(feature, posed)
        return self.of_kind(feature, posed)

    def _of_row(self, feature: Feature, posed: Posed) -> NDArray[Any]:
        """A feature of the request's own columns."""
        values, kind = self._values(feature, posed), feature.ids
        if not kind:
            found = numbers(feature, values, posed.day)[None]
            return np.repeat(found[None], len(posed.rows), axis=1) if feature.side == "pair" else found
        if feature.bins is not None:  # the model has the limits
            return numbers(feature, values, posed.day)
        if feature.kind == "categorical":
            return array(kind, [single(feature, values[0])])
        ids = several(feature, values, keep_missing=feature.kind == "sequence")
        if feature.kind == "bag":
            return padded(kind, [ids], width_of(len(ids), feature.values))
        ids += [MISSING[kind]] * (self._steps(feature, posed) - len(ids))
        return padded(kind, [ids[-feature.steps :]], feature.steps)

    def _values(self, feature: Feature, posed: Posed) -> list[Any]:
        return [posed.columns.get(f"{feature.frame}.{column}") for column in feature.columns]

    def _steps(self, feature: Feature, posed: Posed) -> int:
        """How many steps a group of lists has: those of its longest."""
        of_group = [each for each in self.features.values() if feature.group and each.group == feature.group]
        of_row = [each for each in of_group if each.kind == "sequence" and each.frame == feature.frame]
        return max((len(self._values(each, posed)[0] or []) for each in of_row), default=0)

    def _id(self, name: str, posed: Posed) -> Any:
        """The request's id of a feature; of a bag its first one."""
        feature = self.features[name]
        values = self._values(feature, posed)
        if feature.kind == "bag":
            return (several(feature, values) or [MISSING[feature.ids]])[0]
        return single(feature, values[0])

    def _counter(self, feature: Feature, posed: Posed) -> NDArray[np.float32]:
        counter, number = feature.counter, len(posed.rows)
        if counter["measure"] == "listed":
            found = transformed(counter, np.array([number], np.float64))
            return found[:, None] if feature.side == "request" else np.full((1, number, 1), found[0])
        if counter["measure"] == "rank":
            return transformed(counter, np.arange(number, dtype=np.float64))[None, :, None]
        of_value = counter.get("value") is not None
        summed = f"{counter.get('value')}{'>0' if counter['measure'] == 'share' else ''}"
        group = (*counter["key"], *([f"={summed}"] if of_value else []))
        told, mixed = self._counted[group], any(name in self.items.first for name in counter["key"])
        cells, places = self._cells(told, posed)
        overall = self.meta["totals"][summed] if of_value else self.meta["overall"]
        made = value(counter, cells.at(places), overall, cells.half_lives, self.half_lives, posed.day)
        if feature.side == "pair":
            return (made if mixed else np.repeat(made, number))[None, :, None]
        return made[:, None]

    def _cells(self, told: Counted, posed: Posed) -> tuple[Cells, NDArray[np.int64]]:
        """The cells of a counter, and where those of the request's keys stand: one, or one a candidate."""
        if all(name in self.items.first for name in told.key):
            known = self._places.get(told.part, posed.rows[:0])
            new = [self.items.first[name][len(known) :] for name in told.key]
            self._places[told.part] = known = np.append(known, told.cells.places([*zip(*new, strict=True)]))
            return told.cells, known[posed.rows]
        cells = told.cells
        if self._owner_column(told.key[0]) is not None:
            cells = Cells(told.cells.half_lives)
            for raw, row in posed.found[told.part].items():
                add(told, canonical(raw, self.features[told.key[0]].ids), row, cells)
        rows = posed.rows.tolist() if any(name in self.items.first for name in told.key) else [0]
        columns = [
            map(self.items.first[name].__getitem__, rows) if name in self.items.first
            else repeat(self._id(name, posed), len(rows)) for name in told.key
        ]  # fmt: skip
        return cells, cells.places([*zip(*columns, strict=True)])

    def _over_bags(self, over: Mapping[str, Any], key: tuple[str, str], posed: Posed) -> Asked:
        rows = posed.rows.tolist()
        context, bag = key
        contexts = [self.items.first[context][row] for row in rows] if context in self.items.first else (
            [self._id(context, posed)] * len(rows)
        )  # fmt: skip
        owned = [each for each in self._over if (each["context"], each["bag"]) == key and each["owner"] is not None]
        own = posed.found[self._own_bags(owned[0])] if owned else {}
        return Asked(self._bags[key], contexts, [self.items.bags[bag][row] for row in rows],
                     next(iter(own.values()), None))  # fmt: skip

    def typed(self, name: str, raw: Any) -> Any:
        """A column of the request's own row, by the type that its table declares."""
        columns = self.config["tables"][self.settings["rows"]]["columns"]
        if name not in columns:
            raise ValueError(f"no column '{name}'; the request's own are among {', '.join(columns)}")
        declared = columns[name]["type"]
        if raw is None or raw == "":
            return None
        if declared.endswith("_list"):
            if declared == "float_list":
                return [float(each) for each in raw]
            return [canonical(each, "int" if declared == "int_list" else "str") for each in raw]
        if declared == "time" and isinstance(raw, str):
            moment = datetime.fromisoformat(raw)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.config["timezone"]))
            return float(round(moment.timestamp() * 1000))
        return float(raw) if declared == "float" else canonical(raw, declared) if declared in ("int", "str") else raw

    def framed(self, frame: str, row: Sequence[Any] | None) -> dict[str, Any]:
        """A field of a part that holds a row of columns; all missing where there is none."""
        columns = [name for name, _ in self.meta["frames"].get(frame, [])]
        return dict(zip(columns, row, strict=True)) if row is not None else dict.fromkeys(columns)


def suits_name(settings: Mapping[str, Any]) -> str:
    """What the vectors of ``collaborative`` settings are stored as."""
    text = json.dumps(settings, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def add(told: Counted, first: Any, row: Mapping[str, list[Any]] | None, cells: Cells) -> None:
    """Put a field of a part of counters into the cells."""
    if row is not None:
        others = [row[name] for name in told.key[1:]]
        cells.add([(first, *other) for other in zip(*others, strict=True)] if others else [(first,)], row)
