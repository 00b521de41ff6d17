"""What earlier days counted goes on under the same ids, or the day is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.config.job import JobConfig
from pipeline.errors import ChainError
from pipeline.features.plan.plan import Plan
from pipeline.features.state import changed_ids
from pipeline.features.state.changed_ids import guard_indexed, indexed
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import lessons, shows
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.said import said


def mapped(folder: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, str]) -> JobContext:
    """The lessons with kinds of styles, whose day before was mapped as ``known`` says."""
    context = JobContext(lessons.composed(), folder)
    before = Ref("maps", context.job, DAY.previous())
    with context.store.draft(before) as draft:
        draft.commit(key="k", digest="d", inputs=[], extra=said("maps", indexed=known))
    found = SimpleNamespace(ref=before)
    monkeypatch.setattr(changed_ids, "state_before", lambda context, day: found if day == DAY else None)
    return context


def test_the_space_and_the_rule_of_what_is_counted_are_told() -> None:
    found = indexed(Plan(lessons.composed()))
    assert found["features.teacher"] == "space teacher, {}"
    assert found["features.style_kind"].startswith('space style_kind, {"digits": {"allowed": [1, 2, 3, 4], "at": 1')
    assert found["histories: styles"] == "style"


def test_what_is_counted_as_before_goes_on_and_what_is_new_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(lessons.composed())
    known = {name: now for name, now in indexed(plan).items() if name != "features.style_kind"}
    guard_indexed(mapped(tmp_path, monkeypatch, {**known, "features.gone": "space x, {}"}), plan, DAY)


@pytest.mark.parametrize("name", ["features.style_kind", "histories: styles"])
def test_another_rule_under_the_same_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plan = Plan(lessons.composed())
    known: dict[str, Any] = {**indexed(plan), name: "another"}
    context = mapped(tmp_path, monkeypatch, known)
    with pytest.raises(ChainError, match=rf"{name} is of .*, but the state of the days before is of another"):
        guard_indexed(context, plan, DAY)
    guard_indexed(context, plan, DAY.next())  # of which nothing came before


def of_shows(folder: Path, monkeypatch: pytest.MonkeyPatch, before: JobConfig | None, now: JobConfig) -> None:
    """Guard a day of a job of impressions whose day before was mapped with other settings."""
    context = JobContext(now, folder)
    known = Ref("maps", context.job, DAY.previous())
    told = indexed(Plan(before)) if before is not None else {}
    with context.store.draft(known) as draft:
        draft.commit(key="k", digest="d", inputs=[], extra=said("maps", indexed=told))
    monkeypatch.setattr(changed_ids, "state_before", lambda context, day: SimpleNamespace(ref=known))
    guard_indexed(context, Plan(now), DAY)


def test_histories_go_on_of_the_same_impressions_and_levels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = {**shows.LEVELS, "again": {"place": 8}}
    clicks = shows.with_levels(history={"days": "active", "length": 3, "lead": 0, "outcome": shows.LEVELS})
    assert indexed(Plan(shows.with_levels()))["histories: outcome"].startswith('outcome, levels {"long": {"answered"')
    assert "histories are of" not in indexed(Plan(clicks))
    for place, (before, now, message) in enumerate([
        (shows.config(), shows.with_levels(), "`history.of` is all, but .* are of clicks; write `of: clicks`"),
        (shows.with_levels(), clicks, "`history.of` is clicks, but .* are of all; write `of: all`"),
        (shows.with_values(), shows.with_values({**shows.VALUES, "long": {"column": "seconds"}}), "values.long is of"),
        (shows.config(), clicks, "histories: outcome: the days before were kept without this part"),
        (shows.with_levels(), shows.with_levels(levels), "histories: outcome is of .*, but the state of the days"),
    ]):  # fmt: skip
        with pytest.raises(ChainError, match=message):
            of_shows(tmp_path / str(place), monkeypatch, before, now)
    of_shows(tmp_path / "same", monkeypatch, shows.with_levels(), shows.with_levels())
    of_shows(tmp_path / "new", monkeypatch, shows.config(), shows.with_values())
    of_shows(tmp_path / "unsaid", monkeypatch, None, shows.with_levels())
