"""What a client asks of a model is what the pipeline's own reader asks, input by input and to the bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from examples.serving.released.homework import Homework
from examples.serving.released.impressions import Impressions
from examples.serving.released.ready import Question
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.features.arrays.raw_inputs import model_inputs
from pipeline.features.build_features import build_day
from pipeline.features.plan.plan import Plan
from pipeline.features.update_id_maps import grow
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.release.contents.contents import contents
from pipeline.serving.ready_release import KNOWN, SITUATIONS
from pipeline.serving.request import Request
from tests.unit.pipeline.features import lessons, shows
from tests.unit.pipeline.serving.released import DAYS, Parts, lived, released

DAY = Day.of(2024, 3, 4)


class InMemory:
    """A release's parts, read as a client reads them from Redis."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self.id = parts, "r1"

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
        return self._parts.fetch({part: list(names) for part, names in wanted.items()})


def same_inputs(parts: Parts, kind: type[Homework | Impressions], questions: Iterable[Question]) -> int:
    """Compare them, and how many questions have candidates; the requests of one process share what they learn."""
    meta, release = parts.meta, InMemory(parts)
    known, ready = KNOWN[meta.config.kind](meta), kind(release)  # type: ignore[arg-type]
    features = meta.plan.schema.asked.features
    answered = 0
    for each in questions:
        day = Day.parse(each.day) if each.day is not None else None
        chapters, items = (None if given is None else tuple(given) for given in (each.chapters, each.items))
        request = Request(tuple(each.owner), chapters, each.context, items, day)
        situation = SITUATIONS[meta.config.kind](known, parts, request)
        found = situation.assembled()
        keys, inputs = ready.inputs(release, each, [feature.name for feature in features])  # type: ignore[arg-type]
        if found is None:
            assert keys == []
            continue
        assert keys == np.asarray(found.items.raw)[found.items.pair_item].tolist()
        for name, wanted in model_inputs(features, found, situation.look).items():
            assert (inputs[name].dtype, inputs[name].shape) == (wanted.dtype, wanted.shape), (each, name)
            np.testing.assert_array_equal(inputs[name], wanted, err_msg=f"{each} {name}")
        answered += bool(keys)
    return answered


@pytest.mark.parametrize(
    "config", [lessons.composed(), lessons.of_days(), lessons.with_everything()], ids=["composed", "days", "everything"]
)  # fmt: skip
def test_of_homework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: JobConfig) -> None:
    parts = released(lived(tmp_path, monkeypatch, config, DAYS))
    later = str(lessons.DAY.plus(3))
    owners = [(501, 9001), (502, 9002), (501, 9002), (777, 888)]
    asked = [Question(owner, chapters, context, day=day) for owner in owners for day in (None, later)
             for chapters in (None, (10,), (20, 10), (1,), (99,)) for context in ({}, {"grade": 5})]  # fmt: skip
    assert same_inputs(parts, Homework, asked) > len(asked) / 3


@pytest.mark.parametrize(
    "config", [shows.with_sessions(least=2), shows.with_moments(), shows.with_everything()],
    ids=["sessions", "moments", "everything"],
)  # fmt: skip
def test_of_impressions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: JobConfig) -> None:
    job = shows.context(tmp_path, monkeypatch, config)
    shows.write_undated(tmp_path)
    days = list(DAY.through(DAY.plus(2)))
    for day, answers in zip(days, ([4.0, 50.0, 7.0, 0.0, None], [2.5] * 5, [1e9] * 5), strict=True):
        rows = shows.at(shows.LOG, day, "08:00", "09:10", "09:20", "09:21", "12:00")
        shows.write_day(tmp_path, day, rows.append_column("answered", pa.array(answers)))
        for stage in (extract, validate, grow, build_day):
            stage(job, day)
    parts = Parts(contents(job, config, days[-1], dict.fromkeys(Plan(config).spaces, 1000)))
    contexts: list[dict[str, Any]] = [{}, {"place": 8}]
    if config.tables[config.request.rows].time is not None:
        contexts.append({"at": f"{days[-1].next()} 18:30:00"})
    asked = [Question([user], None, context, items, day) for user in (1, 2, 999) for context in contexts
             for items in (None, (12, 10), (77,)) for day in (None, str(days[-1].plus(4)))]  # fmt: skip
    assert same_inputs(parts, Impressions, asked) == len(asked)


def test_a_column_that_requests_have_not_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = released(lived(tmp_path, monkeypatch, lessons.composed(), DAYS))
    with pytest.raises(ValueError, match="no column 'grad'; the request's own are among"):
        same_inputs(parts, Homework, [Question((501, 9001), (10,), {"grad": 5})])
