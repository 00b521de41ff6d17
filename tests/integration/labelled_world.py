"""The job of labelled rows over three small days, trained once."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import yaml

from examples.criteo_like import main as write_rows
from pipeline.days import Day
from tests.tiny import PROJECT, Place

DAYS = tuple(Day.of(2024, 1, 1).through(Day.of(2024, 1, 3)))
FIRST, SECOND, LAST = DAYS
ROWS = 300
KEPT = ("i1", "i2", "i12", "c1", "c3", "c6", "c9", "c14", "c17", "c22")


def settings() -> dict[str, Any]:
    """The example's job with a few of its columns, a bag, a space of two columns, counters and groups."""
    found: dict[str, Any] = yaml.safe_load((PROJECT / "examples/conf/criteo.yaml").read_text(encoding="utf-8"))
    found["features"] = {name: found["features"][name] for name in KEPT} | {
        "c14": {"kind": "categorical", "space": "c17", "source": "row.c14"},
        "both": {"kind": "bag", "space": "c9", "source": ["row.c9", "row.c23"], "values": 2},
        "i1_bin": {"kind": "categorical", "space": "bin", "source": "row.i1", "bins": {"count": 8, "every": 1}},
        "i5_bin": {"kind": "categorical", "space": "bin", "source": "row.i5", "bins": 16},
        "c6_rate": {"kind": "dense", "counter": {"key": ["c6"], "measure": "rate", "transform": "logit"}},
        "c6_c9_count": {"kind": "dense", "counter": {"key": ["c6", "c9"], "measure": "count", "transform": "log"}},
    }
    used = {each.get("space") for each in found["features"].values()}
    found["spaces"] = {name: kind for name, kind in found["spaces"].items() if name in used} | {"bin": "int"}
    found["rows"]["group"] = "c1"
    found["tables"]["rows"]["columns"]["c1"]["required"] = True
    small = {"model": "pooled", "loss": "binary", "dim": 4, "batch": 64, "compile": "graph"}
    del found["grids"]
    found["experiments"] = {
        "dnn": {**small, "options": {"units": [8]}},
        "linear": {**small, "options": {"units": []}},
        "popularity": found["experiments"]["popularity"],
        "trees": {"model": "gbdt_lr", "loss": "binary", "options": {"days": 2, "trees": 6, "leaves": 4, "rows": 20}},
    }
    found["release"]["champion"] = "dnn"
    found["release"]["gate"] = {"margins": {"gauc": 0.5}, "calibration": [0.0, 1e6]}
    return found


def place_of(folder: Path, url: str) -> Place:
    place = Place(folder, {"DAYSPRING_CRITEO_URL": url})
    place.configure("criteo", settings())
    return place


def written(target: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        words = ["--target", target, "--from", str(FIRST), "--days", str(len(DAYS)), "--rows-per-day", str(ROWS)]
        assert write_rows(words) == 0


def found(place: Place, kind: str, day: Day, experiment: str | None = None) -> Any:
    return place.artifact(kind, day, experiment, "criteo")


def day_file(place: Place, day: Day) -> Path:
    return place.folder / "criteo" / "criteo" / f"day={day}" / "part-0000.parquet"
