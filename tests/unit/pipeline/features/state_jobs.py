"""Jobs whose state holds something of every kind, and random days of events for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.features.arrays.feature_codes import first_code
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING, key_of
from pipeline.features.state.events import Events, HistoryRows
from pipeline.features.state.histories import distinct_values

FIRST_DAY = Day.of(2024, 2, 20)

_NUMBER = {"type": "float"}
_HOMEWORK = {
    "source": "homework",
    "day": "day",
    "columns": {
        "day": {"type": "day", "required": True},
        "teacher": {"type": "int", "required": True},
        "class": {"type": "int", "required": True},
        "chapter_id": {"type": "int_list"},
        "section_id": {"type": "int_list"},
        "effort": _NUMBER,
        "load": _NUMBER,
    },
}
_STUDY = {
    "source": "study",
    "day": "day",
    "columns": {
        "day": {"type": "day", "required": True},
        "class": {"type": "int", "required": True},
        "section_id": {"type": "int", "required": True},
        "v1": _NUMBER,
        "v2": _NUMBER,
    },
}


def ranking(**settings: Any) -> JobConfig:
    """A ranking job with counters of every shape, histories, study values, a catalogue and a normalised feature."""
    dense: dict[str, Any] = {"kind": "dense", "side": "pair"}
    return JobConfig.model_validate(
        {
            "job": "tiny",
            "kind": "ranking",
            "tables": {"homework": _HOMEWORK, "study": _STUDY},
            "spaces": {"teacher": "int", "class": "int", "chapter": "int", "section": "int", "package": "str"},
            "ranking": {
                "rows": "homework",
                "user": "teacher",
                "owner": ["teacher", "class"],
                "package": {"style": None, "reflect": None, "key": ["sections"]},
                "labels": {"from": "rows"},
                "candidates": {"from": "seen"},
                "study": {"table": "study", "owner": "class", "section": "section_id", "values": ["v1", "v2"]},
            },
            "values": {"effort": {"column": "effort"}},
            "features": {
                "teacher": {"kind": "categorical", "side": "request", "space": "teacher", "source": "row.teacher"},
                "class": {
                    "kind": "categorical", "side": "request", "space": "class", "source": "row.class", "input": False,
                },
                "package": {"kind": "categorical", "side": "item", "space": "package", "source": "item.key"},
                "chapters": {"kind": "bag", "side": "item", "space": "chapter", "source": "item.chapters"},
                "sections": {"kind": "bag", "side": "item", "space": "section", "source": "item.sections"},
                "study": {**dense, "source": "study", "size": 3},
                "taken": {**dense, "counter": {"key": ["package"], "measure": "count"}},
                "lately": {**dense, "counter": {"key": ["package"], "measure": "count", "half_life": 14}},
                "own": {**dense, "counter": {"key": ["teacher", "package"], "measure": "rate", "half_life": 2}},
                "likely": {**dense, "bag_counter": {"bag": "sections", "context": "chapters", "owner": "teacher",
                                                    "keep": 4}},
                "tried": {**dense, "counter": {"key": ["teacher", "package"], "measure": "mean", "half_life": 2,
                                               "value": "effort"}},
                "tries": {**dense, "counter": {"key": ["package"], "measure": "share", "value": "effort"}},
                "all": {**dense, "counter": {"key": ["teacher", "class", "package"], "measure": "days_since"}},
            },
            "history": {"days": "calendar", "length": 4, "lead": 2, "values": 3},
            "experiments": {"pooled": {"model": "pooled", "loss": "softmax"}},
            "release": {"champion": "pooled"},
            **settings,
        }
    )  # fmt: skip


def random_events(config: JobConfig, day: Day, rng: np.random.Generator, rows: int = 12) -> Events:
    """Events of a day over few ids, unknown ones among them."""
    teacher, classes = rng.integers(1, 6, rows), rng.integers(1, 4, rows)
    teacher[teacher == 1], classes[classes == 1] = MISSING, MISSING
    package = rng.integers(2, 9, rows)
    chapters = _lists(rng, rows)
    sections = _lists(rng, rows)
    study = np.where(rng.random(6) < 0.3, MISSING, rng.integers(2, 5, 6)), rng.integers(2, 7, 6)
    values = rng.normal(size=(6, 2)).astype(np.float32)
    effort = np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows)).astype(np.float32)
    parts = {"chapters": chapters, "sections": sections}
    history = HistoryRows((teacher, classes), parts, key_of(classes), key_of(teacher, classes))
    catalogue = {"chapters": chapters, "sections": sections}
    return Events(
        day=day,
        keys={"teacher": teacher, "class": classes, "package": package, "chapters": first_code(chapters)},
        label=rng.integers(0, 2, rows).astype(np.int8),
        history=history,
        catalogue_keys=package,
        catalogue_taken=rng.integers(0, 2, rows).astype(np.int32),
        catalogue=catalogue,
        latest_keys=study,
        latest=values,
        bags={"sections": distinct_values(sections)},
        values={"effort": effort, "effort>0": np.where(np.isnan(effort), effort, effort > 0).astype(np.float32)},
    )


def _lists(rng: np.random.Generator, rows: int) -> Lists:
    return Lists.of([list(rng.integers(2, 12, rng.integers(0, 5))) for _ in range(rows)], np.int64)
