"""A small homework job over hand-made tables: every kind of feature, of which each test plants what it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.job import JobContext

DAY = Day.of(2024, 3, 4)
"""A Monday."""

_INT: dict[str, Any] = {"type": "int"}
_KEY: dict[str, Any] = {"type": "int", "required": True}
_DAY: dict[str, Any] = {"type": "day", "required": True}
_LIST: dict[str, Any] = {"type": "int_list", "required": True}

TABLES: dict[str, Any] = {
    "homework": {
        "source": "homework", "day": "day",
        "columns": {"day": _DAY, "teacher": _KEY, "class": _KEY, "grade": _INT, "chapter_id": _LIST,
                    "section_id": _LIST, "style": _INT, "reflect_id": _INT},
    },
    "clicks": {
        "source": "clicks", "day": "day",
        "columns": {"day": _DAY, "teacher": _KEY, "class": _KEY, "tag": {"type": "str", "required": True},
                    "chapter_id": _LIST, "section_id": _LIST, "style": _INT},
    },
    "offered": {
        "source": "offered", "day": "day",
        "columns": {"day": _DAY, "teacher": _KEY, "class": _KEY, "chapter_id": _LIST, "section_id": _LIST,
                    "style": _INT, "cnt": _KEY},
    },
    "study": {
        "source": "study", "day": "day", "required": False,
        "columns": {"day": _DAY, "class": _KEY, "section_id": _KEY, "v1": {"type": "float"}, "v2": {"type": "float"}},
    },
    "style_counts": {
        "source": "style_counts", "day": "day", "required": False,
        "columns": {"day": _DAY, "teacher": _KEY, "class": _KEY, "style": _KEY, "cnt": _KEY},
    },
    "candidates": {
        "source": "candidates", "dated": False, "key": ["chapter_id", "section_id", "style"],
        "columns": {"chapter_id": _LIST, "section_id": _LIST, "style": _INT, "reflect_id": _INT, "section_rank": _INT},
    },
    "teachers": {
        "source": "teachers", "dated": False, "key": ["teacher"],
        "columns": {"teacher": _KEY, "county": _INT, "register_day": {"type": "day"}, "is_core": _INT,
                    "years": {"type": "float", "change": "running"}},
    },
    "base": {
        "source": "base", "dated": False, "key": ["chapter_id", "section_id"],
        "columns": {"chapter_id": _KEY, "section_id": _KEY, "base_chapter_id": _KEY, "base_section_id": _KEY},
    },
}  # fmt: skip

TYPES: dict[str, pa.DataType] = {
    "int": pa.int64(), "float": pa.float64(), "str": pa.string(), "day": pa.date32(), "int_list": pa.list_(pa.int64()),
}  # fmt: skip


def config(**settings: Any) -> JobConfig:
    """The job; ``settings`` replace whole sections."""
    request: dict[str, Any] = {"kind": "categorical", "side": "request"}
    pair: dict[str, Any] = {"kind": "dense", "side": "pair"}
    history: dict[str, Any] = {"kind": "bag_sequence", "side": "request", "values": 4}
    spaces = ["teacher", "class", "grade", "county", "years", "weekday", "chapter", "section", "style", "reflect",
              "counted"]  # fmt: skip
    return JobConfig.model_validate({
        "job": "lessons", "kind": "ranking", "timezone": "Asia/Shanghai", "tables": TABLES,
        "validation": {"max_quarantined": 0.9, "min_weekday_share": 0},
        "spaces": {**dict.fromkeys(spaces, "int"), "package": "str"},
        "ranking": {
            "rows": "homework", "user": "teacher", "owner": ["teacher", "class"],
            "labels": {"from": "clicks", "clicks": {"table": "clicks", "offered": "offered"}},
            "candidates": {"from": "table", "table": "candidates", "rank": "section_rank", "limit": 3},
            "base_chapters": {"table": "base"},
            "profile": {"table": "teachers", "key": "teacher", "register_day": "register_day"},
            "study": {"table": "study", "owner": "class", "section": "section_id", "values": ["v1", "v2"]},
            "style_counts": {"table": "style_counts", "space": "counted"},
            "weights": {"column": "is_core", "weights": {1: 1.5}},
        },
        "history": {"days": "calendar", "length": 3, "lead": 2, "values": 4,
                    "last_year": {"match": ["user.county", "row.grade"], "values": 2}},
        "replay": {"match": ["user.county", "row.grade"]},
        "features": {
            "teacher": {**request, "space": "teacher", "source": "row.teacher"},
            "class_id": {**request, "space": "class", "source": "row.class"},
            "grade": {**request, "space": "grade", "source": "row.grade"},
            "county": {**request, "space": "county", "source": "user.county"},
            "years": {**request, "space": "years", "source": "user.years", "buckets": [1, 3]},
            "weekday": {**request, "space": "weekday", "source": "calendar.weekday"},
            "asked": {"kind": "bag", "side": "request", "space": "chapter", "source": "row.chapter_id"},
            "tenure": {"kind": "dense", "side": "request", "source": "user.register_day"},
            "style_counts": {"kind": "dense", "side": "request", "source": "history.style_counts", "size": 3},
            "day_counts": {"kind": "dense", "side": "request", "source": "style_counts.day", "size": 3},
            "window_counts": {"kind": "dense", "side": "request", "source": "style_counts.window", "size": 3},
            "package": {"kind": "categorical", "side": "item", "space": "package", "source": "item.key"},
            "chapters": {"kind": "bag", "side": "item", "space": "chapter", "source": "item.chapters"},
            "sections": {"kind": "bag", "side": "item", "space": "section", "source": "item.sections", "values": 4},
            "style": {"kind": "categorical", "side": "item", "space": "style", "source": "item.style"},
            "reflect": {"kind": "categorical", "side": "item", "space": "reflect", "source": "item.reflect"},
            "set_sections": {**history, "space": "section", "source": "history.sections", "of": "sections",
                             "stand_in": "last_sections"},
            "set_styles": {**history, "space": "style", "source": "history.styles", "of": "style"},
            "last_sections": {**history, "space": "section", "source": "last_year.sections", "of": "sections"},
            "study": {**pair, "source": "study", "size": 3},
            "taken": {**pair, "counter": {"key": ["package"], "measure": "count"}},
            "own": {**pair, "counter": {"key": ["teacher", "package"], "measure": "count", "half_life": 1}},
            "teacher_taken": {**pair, "counter": {"key": ["teacher"], "measure": "count"}},
            "rank": {**pair, "counter": {"measure": "rank"}},
        },
        "experiments": {"pooled": {"model": "pooled", "loss": "softmax", "replay": "new"}},
        "release": {"champion": "pooled"},
        **settings,
    })  # fmt: skip


def of_days(**split: Any) -> JobConfig:
    """The lessons with the last two days' sections as sessions, and days and ids that know how old they are."""
    features = config().model_dump(mode="json", by_alias=True)["features"]
    request = {"side": "request", "group": "visits"}
    return config(features={
        **features,
        "set_styles": {**features["set_styles"], "group": "styles"},
        "style_ages": {"kind": "ages", "side": "request", "source": "history.age", "group": "styles"},
        "visits": {**request, "kind": "sessions", "space": "section", "source": "history.sections", "of": "sections",
                   "steps": 2, "sessions": {"most": 2, **split}},
        "visit_ages": {**request, "kind": "ages", "source": "history.age"},
    })  # fmt: skip


KIND = {"of": 5, "at": 1, "allowed": [1, 2, 3, 4]}
"""The kind of a composed style such as 40111: 4."""


def composed(**more: Any) -> Any:
    """The lessons with kinds of styles: of items, of the history, of last year's, and counted by teacher."""
    settings = config().model_dump(mode="json")
    kind = {"space": "style_kind", "digits": KIND}
    history = {"kind": "bag_sequence", "side": "request", "values": 4, "of": "style_kind", **kind}
    features = {
        **settings["features"],
        "style_kind": {"kind": "categorical", "side": "item", "source": "item.style", **kind},
        "flag": {"kind": "categorical", "side": "item", "source": "item.style", "space": "flag",
                 "digits": {"of": 5, "at": 5, "allowed": [0, 1], "plain": -1}},
        "set_kinds": {**history, "source": "history.styles"},
        "last_kinds": {**history, "source": "last_year.styles"},
        "own_kind": {"kind": "dense", "side": "pair",
                     "counter": {"key": ["teacher", "style_kind"], "measure": "count"}},
        **more,
    }  # fmt: skip
    return config(features=features, spaces={**settings["spaces"], "style_kind": "int", "flag": "int"})


_OVER: dict[str, Any] = {"bag": "sections", "context": "chapters", "owner": "teacher"}
BAGS: dict[str, Any] = {
    name: {"kind": "dense", "side": "pair", "bag_counter": over}
    for name, over in {
        "likely": _OVER, "likely_lately": {**_OVER, "own_recency": 3},
        "likely_asked": {**_OVER, "context": "asked", "own_half_life": 2, "prior": 2},
        "likely_all": {"bag": "sections", "context": "chapters", "half_life": 30},
        "sections_taken": {**_OVER, "measure": "count"}, "sections_since": {**_OVER, "measure": "days_since"},
        "sections_overlap": {**_OVER, "measure": "overlap"},
        "sections_of_all": {"bag": "sections", "context": "chapters", "measure": "count"},
        "sections_trend": {"bag": "sections", "context": "asked", "measure": "trend", "half_life": 1, "against": 3},
        "sections_more": {**_OVER, "measure": "size", "own_recency": 2},
    }.items()
} | {
    name: {"kind": "dense", "side": "pair", "size": 2,
           "collaborative": {**_OVER, "method": name, "factors": 2, "every": 2}}
    for name in ("svd", "als")
} | {
    "cosine": {"kind": "dense", "side": "pair", "size": 2, "collaborative": {
        **_OVER, "context": "asked", "method": "cosine", "neighbours": 2, "baskets": 1, "every": 2}},
    "taken_trend": {"kind": "dense", "side": "pair", "counter": {
        "key": ["package"], "measure": "trend", "half_life": 1, "against": 3, "smoothing": 0.1}},
    "listed": {"kind": "dense", "side": "pair", "counter": {"measure": "listed", "transform": "log"}},
}  # fmt: skip
"""Counters over the sections of packages, by the chapters of packages and of requests; trends, and sizes of lists."""


def bagged(**more: Any) -> JobConfig:
    """The lessons with counters over bags, and features besides."""
    return config(features={**config().model_dump(mode="json")["features"], **BAGS, **more})


def with_everything() -> JobConfig:
    """The lessons with counters over bags, one of them standardised by the first day alone; a net that weighs its rows
    by what was taken, what counts, and both blended."""
    likely = {**BAGS["likely"], "normalise": "zscore", "fixed_days": 1, "clip": 6}
    net = {"model": "pooled", "loss": "softmax", "batch": 4, "compile": "graph",
           "weights": [{"taken": "sections", "more_than": 1, "weight": 1.4}]}  # fmt: skip
    blended = {"net": net, "counted": {"model": "popularity", "loss": "softmax"},
               "both": {"model": "blend", "options": {"of": ["net", "counted"]}}}  # fmt: skip
    features = bagged(likely=likely).model_dump(mode="json")["features"]
    return config(features=features, experiments=blended, release={"champion": "both"})


def table(name: str, *rows: tuple[Any, ...]) -> pa.Table:
    """A table as validation leaves it, of rows in the order of the declared columns (without the day)."""
    columns = {c: s["type"] for c, s in TABLES[name]["columns"].items() if not (c == "day" and TABLES[name].get("day"))}
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pa.table({c: pa.array(v, TYPES[t]) for (c, t), v in zip(columns.items(), values, strict=True)})


BASE = table("base", (10, 101, 1, 11), (10, 102, 1, 12), (20, 201, 2, 21), (20, 202, 2, -1))
"""Chapter 10 is base chapter 1 with the sections 11 and 12; chapter 20 is 2; section 202 has no base section."""
CANDIDATES = table(
    "candidates",
    ([10], [101], 1, 7, 2), ([10], [102], 1, None, 1), ([10], [101, 102], 2, 8, 3), ([10], [102], 3, None, 4),
    ([20], [201], 1, 9, 1),
)  # fmt: skip
TEACHERS = table(
    "teachers",
    (501, 70, date(2024, 3, 2), 1, 2.0), (502, 70, date(2020, 1, 1), 0, 9.0), (503, 71, None, None, None),
)  # fmt: skip
HOMEWORK = table(
    "homework",
    (501, 9001, 5, [10], [101], 1, 7),
    (501, 9001, 5, [10], [102], 3, None),
    (502, 9002, 5, [10, 20], [102, 101, 201], 1, 0),
    (503, 9003, 6, [20], [202], 1, 0),
)
CLICKS = table(
    "clicks",
    (501, 9001, "view", [10], [102], 1), (501, 9001, "click", [10], [101], 1), (501, 9001, "view", [10], [101], 1),
    (501, 9001, "click", [10], [102], 3), (999, 9999, "click", [10], [101], 1),
)  # fmt: skip
OFFERED = table("offered", (501, 9001, [10], [101], 1, 2), (501, 9001, [10], [102], 3, 0))
STUDY = table("study", (9001, 101, 1.0, 10.0), (9001, 102, 3.0, None), (9002, 201, 5.0, 50.0))
STYLE_COUNTS = table("style_counts", (501, 9001, 1, 1), (501, 9001, 3, 1), (502, 9002, 1, 1))

STANDARD: dict[str, pa.Table] = {
    "homework": HOMEWORK, "clicks": CLICKS, "offered": OFFERED, "study": STUDY, "style_counts": STYLE_COUNTS,
    "candidates": CANDIDATES, "teachers": TEACHERS, "base": BASE,
}  # fmt: skip


DAYS_OWN: dict[str, pa.Table] = {
    name: STANDARD[name] for name in ("homework", "clicks", "offered", "study", "style_counts")
}
"""The dated tables."""
FUTURE: dict[str, pa.Table] = {
    "homework": table(
        "homework", *[(501, 9001, 5, [10], [101], 1, 7)] * 1, *[(501, 9001, 5, [10], [102], 1, None)] * 1,
        *[(502, 9002, 5, [10], [101, 102], 2, 8)], (508, 9008, 5, [10], [101], 1, 7), (509, 9009, 5, [20], [201], 1, 9),
    ),
    "clicks": table(
        "clicks", (501, 9001, "click", [10], [102], 1), (502, 9002, "click", [20], [201], 1),
        (501, 9001, "view", [10], [101], 1),
    ),
    "offered": table("offered", (501, 9001, [10], [102], 1, 10**6), (502, 9002, [20], [201], 1, 10**6)),
    "study": table("study", (9001, 101, 1e9, 1e9), (9001, 102, -1e9, 1e9), (9002, 201, 1e9, -1e9)),
    "style_counts": table("style_counts", (501, 9001, 1, 10**6), (502, 9002, 3, 10**6), (509, 9009, 2, 7)),
}  # fmt: skip
"""Rows of a later day that would be seen wherever they were read."""


def tables(**changed: pa.Table) -> Any:
    """What stages hand to the pure functions: a table by its name."""
    found = {**STANDARD, **changed}
    return found.__getitem__


def context(folder: Path, monkeypatch: Any, settings: JobConfig | None = None) -> JobContext:
    """The job with its artefacts and its Parquet tables under ``folder``."""
    monkeypatch.setenv("DAYSPRING_LESSONS_URL", f"parquet:{folder / 'tables'}")
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    return JobContext(settings or config(), folder / "root")


def write_day(folder: Path, day: Day, rows: Mapping[str, pa.Table], *, dated: Day | None = None) -> None:
    """Add rows to the partitions of ``day``, whose ``day`` column says ``dated`` (default: the same), marked ready."""
    for name, found in rows.items():
        partition = folder / "tables" / name / f"day={day}"
        partition.mkdir(parents=True, exist_ok=True)
        stamped = found.append_column("day", pa.array([str(dated or day)] * found.num_rows, pa.string()))
        pq.write_table(stamped, partition / f"part-{len(list(partition.glob('*.parquet'))):04d}.parquet")
        (partition / "_SUCCESS").touch()


def write_undated(folder: Path, **changed: pa.Table) -> None:
    """The undated tables."""
    for name in ("candidates", "teachers", "base"):
        path = folder / "tables" / name
        path.mkdir(parents=True, exist_ok=True)
        pq.write_table(changed.get(name, STANDARD[name]), path / "part-0000.parquet")
