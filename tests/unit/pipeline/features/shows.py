"""A small ads job over hand-made tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.job import JobContext

_KEY: dict[str, Any] = {"type": "int", "required": True}

TABLES: dict[str, Any] = {
    "log": {
        "source": "log", "day": "day", "order": ["user", "ad"],
        "columns": {"day": {"type": "day", "required": True}, "user": _KEY, "ad": _KEY,
                    "click": {"type": "int", "required": True, "allowed": [0, 1]}, "place": {"type": "int"},
                    "seconds": {"type": "float"}, "recent": {"type": "path_list"},
                    "answered": {"type": "float", "change": "outcome"}},
    },
    "users": {
        "source": "users", "dated": False, "key": ["user"],
        "columns": {"user": _KEY, "county": {"type": "int"}, "skill": {"type": "str", "change": "running"},
                    "spent": {"type": "float", "change": "running"}},
    },
    "ads": {
        "source": "ads", "dated": False, "key": ["ad"],
        "columns": {"ad": _KEY, "kind": {"type": "str"}, "tag_1": {"type": "int", "absent": [-1]},
                    "tag_2": {"type": "int", "absent": [-1]}, "clicks": {"type": "float", "change": "running"}},
    },
}  # fmt: skip


def config(**settings: Any) -> JobConfig:
    """The job; ``settings`` replace whole sections."""
    request: dict[str, Any] = {"kind": "categorical", "side": "request"}
    pair: dict[str, Any] = {"kind": "dense", "side": "pair"}
    return JobConfig.model_validate({
        "job": "shows", "kind": "impressions", "timezone": "Asia/Shanghai", "tables": TABLES,
        "validation": {"max_quarantined": 0.9, "min_weekday_share": 0, "max_repeated": 1},
        "spaces": {"user": "int", "county": "int", "skill": "str", "place": "int", "path": "str", "ad": "int",
                   "kind": "str", "tag": "int"},
        "impressions": {"rows": "log", "user": "user", "item": "ad", "label": "click",
                        "profile": {"table": "users", "key": "user"}, "items": {"table": "ads", "key": "ad"},
                        "history_length": 3, "history_parts": ["kind"]},
        "history": {"days": "active", "length": 3, "lead": 0},
        "features": {
            "user": {**request, "space": "user", "source": "row.user"},
            "county": {**request, "space": "county", "source": "user.county"},
            "skill": {**request, "space": "skill", "source": "user.skill"},
            "place": {**request, "space": "place", "source": "row.place"},
            "seconds": {"kind": "dense", "side": "request", "source": "row.seconds", "normalise": "zscore"},
            "spent": {"kind": "dense", "side": "request", "source": "user.spent", "normalise": "minmax"},
            "recent": {"kind": "sequence", "side": "request", "space": "path", "source": "row.recent", "steps": 2},
            "ad": {"kind": "categorical", "side": "item", "space": "ad", "source": "item.ad"},
            "kind": {"kind": "categorical", "side": "item", "space": "kind", "source": "item.kind"},
            "tags": {"kind": "bag", "side": "item", "space": "tag", "source": ["item.tag_1", "item.tag_2"],
                     "values": 2},
            "ad_clicks": {"kind": "dense", "side": "item", "source": "item.clicks"},
            "clicked": {"kind": "sequence", "side": "request", "space": "ad", "source": "history.items", "of": "ad",
                        "steps": 3},
            "clicked_kinds": {"kind": "sequence", "side": "request", "space": "kind", "source": "history.kind",
                              "of": "kind", "steps": 3},
            "user_rate": {**pair, "counter": {"key": ["user"], "measure": "rate", "smoothing": 1}},
            "ad_count": {**pair, "counter": {"key": ["ad"], "measure": "count"}},
            "user_tag": {**pair, "counter": {"key": ["user", "tags"], "measure": "count", "positives": True}},
        },
        "experiments": {"pooled": {"model": "pooled", "loss": "binary", "batch": 4, "compile": "graph"}},
        "release": {"champion": "pooled"},
        **settings,
    })  # fmt: skip


def with_ages(**ages: Any) -> JobConfig:
    """The job whose clicks of earlier days are steps of (ad, kind) and of an age; ``ages`` is the ages' feature."""
    features = config().model_dump(mode="json")["features"]
    for name in ("clicked", "clicked_kinds"):
        features[name]["group"] = "clicks"
    told = {"kind": "ages", "source": "history.age", "group": "clicks", "steps": 3, **ages}
    settings = {"model": "pooled", "loss": "binary", "batch": 4, "compile": "graph", "options": {"half_life": 2.0}}
    return config(features={**features, "click_ages": told}, experiments={"pooled": settings})


def with_negatives(negatives: Any = 4, **of_clicked: Any) -> JobConfig:
    """The job whose clicks of earlier days are steps of (ad, kind), each with others that could have been clicked."""
    features = config().model_dump(mode="json")["features"]
    for name in ("clicked", "clicked_kinds"):
        features[name]["group"] = "clicks"
    features["clicked"] |= {"negatives": negatives, **of_clicked}
    settings = {"model": "pooled", "loss": "binary", "batch": 4, "compile": "graph"}
    told = {"encoders": {"clicks": {"type": "pooled", "next": {"weight": 0.5}}}}
    return config(features=features, experiments={"pooled": settings, "next": {**settings, "options": told}})


def with_sessions(**split: Any) -> JobConfig:
    """The job whose clicks are the last two days with clicks, of each the last two (ad, kind)."""
    features = config().model_dump(mode="json")["features"]
    for name in ("clicked", "clicked_kinds"):
        features[name] |= {"kind": "sessions", "steps": 2, "sessions": {"most": 2, **split}, "group": "visits"}
    impressions = {**config().model_dump(mode="json")["impressions"], "history_length": 8}
    settings = {"model": "pooled", "loss": "binary", "batch": 4, "compile": "graph", "options": {"within": "last"}}
    return config(features=features, impressions=impressions, experiments={"pooled": settings})


def with_moments(*, unit: str = "hour", tables: Any = None, **split: Any) -> JobConfig:
    """The job whose clicks are parted by half an hour without one: the last two sessions, of each the last two."""
    declared = with_sessions(**{"by": "gap", "gap_minutes": 30, **split}).model_dump(mode="json", by_alias=True)
    at = {"type": "time", "required": True}
    log = {**TABLES["log"], "time": "at", "order": ["at", "user"], "columns": {**TABLES["log"]["columns"], "at": at}}
    ages = {"kind": "ages", "source": "history.age", "group": "visits", "unit": unit}
    options = {"encoders": {"visits": {"type": "pooled", "half_life": 2.0}}}
    settings = {"model": "pooled", "loss": "binary", "batch": 4, "compile": "graph", "options": options}
    return config(
        tables=tables or {**TABLES, "log": log}, features={**declared["features"], "click_ages": ages},
        impressions=declared["impressions"], experiments={"pooled": settings},
    )  # fmt: skip


def at(rows: pa.Table, day: Day, *clock: str) -> pa.Table:
    """Rows of a log with the moment of each, ``HH:MM`` in UTC."""
    moments = [np.datetime64(f"{day}T{each}", "ms") for each in clock]
    return rows.append_column("at", pa.array(np.array(moments, "datetime64[ms]")).cast(pa.timestamp("ms", "UTC")))


def with_vectors(**settings: Any) -> JobConfig:
    """The job whose ads have a picture of three floats; of a user, and of what was heard, there are two."""
    declared = config().model_dump(mode="json")
    tables = {name: {**table, "columns": dict(table["columns"])} for name, table in TABLES.items()}
    vectors = {"picture": ("item", "ads", 3), "taste": ("user", "users", 2), "heard": ("row", "log", 2)}
    for name, (frame, table, size) in vectors.items():
        tables[table]["columns"][name] = {"type": "float_list", "items": size}
        side = "item" if frame == "item" else "request"
        declared["features"][name] = {"kind": "vector", "side": side, "source": f"{frame}.{name}", "size": size}
    return config(**{"tables": tables, "features": declared["features"], **settings})


def with_answers(**of_answers: Any) -> JobConfig:
    """The job whose clicks of earlier days are steps of (ad, answer); ``of_answers`` is the answer's feature."""
    declared = config().model_dump(mode="json")
    features = declared["features"]
    features["clicked"]["group"] = "clicked"
    features["answers"] = {
        "kind": "sequence", "side": "request", "space": "answer", "source": "history.row.answered", "buckets": [1, 10],
        "group": "clicked", "steps": 3, **of_answers,
    }  # fmt: skip
    impressions = {**declared["impressions"], "history_parts": ["kind", "row.answered"]}
    return config(features=features, impressions=impressions, spaces={**declared["spaces"], "answer": "int"})


def with_bags() -> JobConfig:
    """The job with counters over the tags of ads, by the kind of the ad."""
    over = {"bag": "tags", "context": "kind", "owner": "user", "own_recency": 2}
    likely = {"kind": "dense", "side": "pair", "bag_counter": over}
    suits = {"bag": "tags", "context": "kind", "owner": "user", "factors": 2, "every": 1}
    suited = {"kind": "dense", "side": "pair", "size": 2, "collaborative": suits}
    return config(features={**config().model_dump(mode="json")["features"], "likely": likely, "suited": suited})


LEVELS: dict[str, Any] = {
    "long": {"answered": {"at_least": 10}, "click": 1}, "click": {"click": 1}, "again": {"place": [8, 9]}, "skip": {},
}  # fmt: skip
"""What came of an impression: a click with a long answer, a click, none at some places, none."""


def with_levels(levels: Any = LEVELS, history: Any = None, **of_levels: Any) -> JobConfig:
    """The job whose impressions of earlier days, clicked or not, are steps of (ad, what came of it)."""
    declared = config().model_dump(mode="json")
    features = declared["features"]
    features["clicked"]["group"] = "seen"
    features["outcomes"] = {
        "kind": "sequence", "side": "request", "space": "outcome", "source": "history.outcome", "group": "seen",
        "steps": 3, **of_levels,
    }  # fmt: skip
    history = history or {**declared["history"], "of": "all", "outcome": levels}
    return config(features=features, history=history, spaces={**declared["spaces"], "outcome": "str"})


VALUES: dict[str, Any] = {
    "watched": {"column": "answered", "over": "seconds", "clip": [0, 4]}, "long": {"column": "answered", "log": True},
}
"""Values of what came of an impression: as a share of its seconds, and as a logarithm."""


def with_values(values: Any = VALUES, **counters: Any) -> JobConfig:
    """The job with counters of what came of earlier impressions."""
    made = {
        "user_watched": {"key": ["user"], "measure": "mean", "value": "watched", "smoothing": 1, "centre": True},
        "ad_long": {"key": ["ad"], "measure": "share", "value": "long", "smoothing": 1},
        "user_kind_long": {"key": ["user", "kind"], "measure": "sum", "value": "long", "half_life": 2}, **counters,
    }
    pair: dict[str, Any] = {"kind": "dense", "side": "pair"}
    features = {name: {**pair, "counter": each} for name, each in made.items() if each is not None}
    return config(features={**config().model_dump(mode="json")["features"], **features}, values=values)


def with_outcomes() -> JobConfig:
    """The job of ``with_levels``, with the last click by itself, and with the counters of ``with_values``."""
    levels, values = with_levels().model_dump(mode="json"), with_values().model_dump(mode="json")
    features = {**values["features"], **levels["features"]}
    features["taken"] = {**features["clicked"], "levels": ["click", "long"], "group": "taken", "steps": 1}
    return config(**{
        **{name: levels[name] for name in ("history", "spaces")}, "values": values["values"], "features": features
    })  # fmt: skip


def with_everything() -> JobConfig:
    """The job of ``with_outcomes`` and ``with_bags``, a number standardised by the first day alone; a net that learns
    the order within users, what counts, and both blended."""
    outcomes, bags = with_outcomes().model_dump(mode="json"), with_bags().model_dump(mode="json")
    features = {**bags["features"], **outcomes["features"]}
    features["seconds"] |= {"fixed_days": 1, "clip": 6}
    net = {"model": "pooled", "loss": "binary", "batch": 4, "compile": "graph", "pairwise": 0.5}
    blended = {"net": net, "counted": {"model": "popularity", "loss": "binary"},
               "both": {"model": "blend", "options": {"of": ["net", "counted"]}}}  # fmt: skip
    return config(**{
        **{name: outcomes[name] for name in ("history", "spaces", "values")}, "features": features,
        "experiments": blended, "release": {"champion": "both"},
    })  # fmt: skip


USERS = pa.table({"user": [1, 2, 3], "county": [70, 70, None], "skill": ["A", "B", None], "spent": [1.0, 2.0, 3.0]})
ADS = pa.table({
    "ad": [10, 11, 12], "kind": ["game", "book", None], "tag_1": [5, -1, 6], "tag_2": [6, -1, -1],
    "clicks": [100.0, 200.0, 300.0],
})  # fmt: skip


def log(*rows: tuple[Any, ...]) -> pa.Table:
    """Rows of (user, ad, click, place, seconds, recent), without the day."""
    types = [pa.int64(), pa.int64(), pa.int64(), pa.int64(), pa.float64(), pa.list_(pa.string())]
    names = ["user", "ad", "click", "place", "seconds", "recent"]
    values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.table({n: pa.array(v, t) for n, v, t in zip(names, values, types, strict=True)})


LOG = log(
    (1, 10, 1, 7, 2.5, ["/a/b/c", "/d/e/f", "/a/b/x"]), (1, 11, 0, 7, None, []), (2, 10, 0, 8, 1.0, ["/a/b/c"]),
    (3, 12, 1, None, 4.0, None), (2, 99, 1, 8, 1.0, []),
)  # fmt: skip


def context(folder: Path, monkeypatch: Any, settings: JobConfig | None = None) -> JobContext:
    """The job with its artefacts and its Parquet tables under ``folder``."""
    monkeypatch.setenv("DAYSPRING_SHOWS_URL", f"parquet:{folder / 'tables'}")
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    return JobContext(settings or config(), folder / "root")


def write_day(folder: Path, day: Day, rows: pa.Table, *, dated: Day | None = None) -> None:
    """Add rows to the log's partition of ``day``, whose ``day`` column says ``dated`` (default: the same)."""
    partition = folder / "tables" / "log" / f"day={day}"
    partition.mkdir(parents=True, exist_ok=True)
    stamped = rows.append_column("day", pa.array([str(dated or day)] * rows.num_rows, pa.string()))
    pq.write_table(stamped, partition / f"part-{len(list(partition.glob('*.parquet'))):04d}.parquet")
    (partition / "_SUCCESS").touch()


def write_undated(folder: Path, **changed: pa.Table) -> None:
    """The undated tables."""
    for name, standard in (("users", USERS), ("ads", ADS)):
        path = folder / "tables" / name
        path.mkdir(parents=True, exist_ok=True)
        pq.write_table(changed.get(name, standard), path / "part-0000.parquet")
