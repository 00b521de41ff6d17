"""Days of a job as gates, checks and exports leave them, without training anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.digests import content_digest
from tests.unit.pipeline.said import said

FIRST = Day.of(2024, 3, 1)


def context(root: Path, **release: Any) -> JobContext:
    config = JobConfig.model_validate({
        "job": "tiny", "kind": "impressions",
        "tables": {"log": {"source": "log", "columns": {
            "user": {"type": "int"}, "ad": {"type": "int"},
            "label": {"type": "int", "required": True, "allowed": [0, 1]},
        }}},
        "spaces": {"user": "int", "ad": "int"},
        "impressions": {"rows": "log", "user": "user", "item": "ad", "label": "label"},
        "features": {
            "user": {"kind": "categorical", "side": "request", "space": "user", "source": "row.user"},
            "ad": {"kind": "categorical", "side": "item", "space": "ad", "source": "item.ad"},
        },
        "experiments": {name: {"model": "pooled", "loss": "binary"} for name in ("a", "b")},
        "release": {"champion": "a", **release},
    })  # fmt: skip
    return JobContext(config, root)


def commit(
    here: JobContext, kind: str, day: Day, experiment: str | None = None, *, digest: str | None = None,
    inputs: Sequence[Input] = (), payload: str = "payload", **extra: Any,
) -> Artifact:  # fmt: skip
    with here.store.draft(Ref(kind, here.job, day, experiment)) as draft:
        (draft.path / payload).write_text(f"{kind} {day} {experiment}")
        content = f"{kind} {day} {experiment} {extra}"
        digest = digest or content_digest({"content": content})
        return draft.commit(key=content, digest=digest, inputs=inputs, extra=said(kind, **extra))


def train(here: JobContext, day: Day, experiment: str, *, check: str = "ok") -> Artifact:
    """A checkpoint that was exported and checked."""
    checkpoint = commit(here, "checkpoint", day, experiment, sizes={"user": 2, "ad": 2})
    # An export's content is its checkpoint's.
    export = commit(here, "export", day, experiment, digest=checkpoint.manifest.digest, checkpoint=checkpoint.id)
    commit(
        here, "check", day, experiment, verdict=check, reasons=["unlike"], export=export.id, checkpoint=checkpoint.id
    )
    return checkpoint


def judge(here: JobContext, day: Day, experiment: str, verdict: str) -> Artifact:
    """The gate of ``day`` on the checkpoint of the day before."""
    tested = here.store.latest_before("checkpoint", here.job, day, experiment)
    assert tested is not None
    return commit(
        here, "gate", day, experiment, verdict=verdict, reasons=[verdict], checkpoint=tested.id, incumbent=None
    )


def share(here: JobContext, day: Day) -> None:
    """What all experiments share of a day."""
    for kind in ("state", "maps", "validated", "features", "day"):
        commit(here, kind, day)


def run(here: JobContext, day: Day, verdict: str | None = "promote", *, check: str = "ok") -> None:
    """A whole day of both experiments; the second one's gate always says keep."""
    share(here, day)
    for name in ("a", "b"):
        if verdict is not None:
            judge(here, day, name, verdict if name == "a" else "keep")
        train(here, day, name, check=check)
