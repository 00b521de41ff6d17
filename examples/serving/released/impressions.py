"""Requests of jobs of impressions: which of some items a user would take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.serving.released.histories import History
from examples.serving.released.ids import Feature, canonical
from examples.serving.released.ready import Posed, Question, Ready
from examples.serving.released.release import Release, field_of


class Impressions(Ready):
    """Every candidate as if it were shown to the user."""

    def __init__(self, release: Release) -> None:
        super().__init__(release)
        self.user = self.settings["user"]
        self.owner_columns = (self.user,)
        item = next(each for each in self.features.values() if each.frame == "item"
                    and each.columns == [self.settings["item"]] and each.plain)  # fmt: skip
        self._kind = item.ids
        self._candidates = self._rows(release, release.fetch({"candidates": ["all"]})["candidates"]["all"])

    @property
    def keep(self) -> int:
        return int(self.settings["history_length"])

    def posed(self, release: Release, question: Question) -> Posed:
        owner = {self.user: self.typed(self.user, question.owner[0])}
        found = release.fetch(self.of_owner(owner))
        rows, day = self._candidates, day_of(self, question)
        if question.items is None and self.settings.get("candidates") is not None:
            raise NotImplementedError(
                "`impressions.candidates: {from: recall}`: ask the other job, and give what it answers as `items`"
            )
        if question.items is not None:
            rows = self._rows(release, [canonical(each, self._kind) for each in question.items])
        context = {name: self.typed(name, raw) for name, raw in question.context.items()}
        columns: dict[str, Any] = {f"row.{name}": each for name, each in context.items()}
        columns |= {f"row.{self.user}": owner[self.user], "calendar.weekday": (day - 1) % 7}
        columns |= self.framed("profiles", found["profiles"].get(field_of(owner[self.user])))
        time = self.config["tables"][self.settings["rows"]]["time"]
        moment = context.get(time)
        history = History(found["histories"].get(field_of(owner[self.user])), day, calendar=False,
                          now=moment if moment is not None else np.nan)  # fmt: skip
        return Posed(day, columns, rows, history, found)

    def of_kind(self, feature: Feature, posed: Posed) -> NDArray[Any]:
        raise NotImplementedError(f"feature '{feature.name}': of {feature.frame}, which this job has not")

    def _rows(self, release: Release, keys: list[Any]) -> NDArray[np.int64]:
        """The rows of items, which are read where they are new."""
        new = [key for key in dict.fromkeys(keys) if key not in self.items.row]
        if new:
            found = release.fetch({"items": map(field_of, new)})["items"]
            item = f"item.{self.settings['item']}"
            told = [{**self.framed("items", found.get(field_of(key))), item: key} for key in new]
            self.learn_items(release, new, [_without_frame(each) for each in told])
        return np.array([self.items.row[key] for key in keys], np.int64)


def _without_frame(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name.partition(".")[2]: value for name, value in columns.items()}


def day_of(ready: Ready, question: Question) -> int:
    """The ordinal of the day that an answer is for; raises ``ValueError`` if the release knows more than that."""
    day = ready.day + 1 if question.day is None else date.fromisoformat(question.day).toordinal()
    if day <= ready.day:
        raise ValueError(f"the release stands at the end of {ready.meta['day']}; ask for a later day")
    return day
