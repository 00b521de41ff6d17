"""The picture of a job of 45 days, drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from benchmarks.school_year import JOB
from pipeline.days import Day
from pipeline.monitoring.overview.picture import Overview
from pipeline.release.publish.release_files import Pointer
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore
from tests.tiny import PROJECT

FIRST = Day.of(2024, 1, 1)
SKIPPED = 39
LAST = 44
ONE, TWO = "experiment_1", "experiment_2"


def settings() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / "conf" / f"{JOB}.yaml").read_text(encoding="utf-8"))
    one = next(iter(found["experiments"].values()))
    found["experiments"] = {TWO: one, ONE: one}
    found["release"]["champion"] = ONE
    return found


def drawn(root: Path) -> dict[str, Any]:
    picture = Overview(root).picture(JOB)
    json.dumps(picture, allow_nan=False)
    return picture


def experiment(picture: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in picture["experiments"] if each["name"] == name)
    return dict(found)


def pointer(root: Path, *, previous: str | None) -> Pointer:
    release = ArtifactStore(root).current(Ref("release", JOB, FIRST.plus(LAST)))
    assert release is not None
    extra = release.manifest.extra
    return Pointer(extra["release_id"], JOB, FIRST.plus(LAST), ONE, extra["checkpoint"], 2024021401, {}, previous)
