"""A job of one or two tables, its sources in a temporary folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact

DAY = Day.of(2024, 3, 4)
"""A Monday."""

LOG: dict[str, Any] = {
    "source": "log",
    "day": "day",
    "time": "time",
    "order": ["time", "user", "ad"],
    "columns": {
        "day": {"type": "day", "required": True},
        "time": {"type": "time"},
        "user": {"type": "int", "required": True, "min": 1},
        "ad": {"type": "int", "required": True},
        "label": {"type": "int", "required": True, "allowed": [0, 1]},
    },
}
ADS: dict[str, Any] = {
    "source": "ads",
    "dated": False,
    "key": ["ad"],
    "columns": {
        "ad": {"type": "int", "required": True},
        "kind": {"type": "str"},
        "shown": {"type": "int", "change": "running"},
    },
}


def config(tables: Mapping[str, Any] | None = None, **settings: Any) -> JobConfig:
    """A job ``tiny`` of impressions over the given tables."""
    return JobConfig.model_validate(
        {
            "job": "tiny",
            "kind": "impressions",
            "timezone": "Asia/Shanghai",
            "tables": dict(tables) if tables is not None else {"log": LOG, "ads": ADS},
            "spaces": {"ad": "int"},
            "impressions": {"rows": "log", "user": "user", "item": "ad", "label": "label"},
            "features": {"ad": {"kind": "categorical", "side": "item", "space": "ad", "source": "item.ad"}},
            "experiments": {"pooled": {"model": "pooled", "loss": "binary"}},
            "release": {"champion": "pooled"},
            **settings,
        }
    )


def context(folder: Path, monkeypatch: Any, settings: JobConfig | None = None) -> JobContext:
    """The job with its artefacts and its Parquet tables under ``folder``."""
    monkeypatch.setenv("DAYSPRING_TINY_URL", f"parquet:{folder / 'tables'}")
    (folder / "tables").mkdir(exist_ok=True)
    return JobContext(settings or config(), folder / "root")


def log_rows(rows: int, day: Day = DAY, **columns: Sequence[Any]) -> pa.Table:
    """Clean rows of the log, one a minute from noon."""
    noon = int((day.previous().end("Asia/Shanghai").timestamp() + 12 * 3600) * 1000)
    given: dict[str, Any] = {
        "day": [str(day)] * rows,
        "time": [noon + 60_000 * row for row in range(rows)],
        "user": [1 + row % 7 for row in range(rows)],
        "ad": [10 + row for row in range(rows)],
        "label": [row % 2 for row in range(rows)],
    }
    return pa.table({**given, **columns})


def write_log(folder: Path, rows: pa.Table, day: Day = DAY, *, marked: bool = True) -> Path:
    """The log's partition of a day."""
    partition = folder / "tables" / "log" / f"day={day}"
    partition.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, partition / "part-0000.parquet")
    if marked:
        (partition / "_SUCCESS").touch()
    return partition


def write_ads(folder: Path, **columns: Sequence[Any]) -> Path:
    """The undated table of ads."""
    given: dict[str, Any] = {"ad": [10, 11], "kind": ["a", "b"], "shown": [100, 200]}
    table = folder / "tables" / "ads"
    table.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({**given, **columns}), table / "part-0000.parquet")
    return table


def database(path: Path, tables: Mapping[str, tuple[str, Sequence[Sequence[Any]]]]) -> str:
    """A SQLite file of tables given as (columns, rows); returns its URL."""
    with sqlite3.connect(path) as connection:
        for name, (columns, rows) in tables.items():
            connection.execute(f"CREATE TABLE {name} ({columns})")
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
    return f"sqlite:///{path}"


def both(job: JobContext, day: Day = DAY, **how: Any) -> Artifact:
    """The day extracted and validated."""
    extract(job, day, **how)
    return validate(job, day)
