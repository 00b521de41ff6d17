"""A year of days × many experiments as manifests without payloads: what the page must bear."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.days import Day
from pipeline.evaluation.records import GateRecord, Interval, TestRecord
from pipeline.features.records import MapsRecord
from pipeline.ingest.records import Counts, ExtractRecord, ValidatedRecord
from pipeline.release.records import CheckRecord, PublishRecord, ReleaseRecord
from pipeline.storage.artifacts.manifest import NAME, Input, Manifest
from pipeline.training.records import CheckpointRecord, ExportRecord

JOB = "homework"
GROUPS = ("new_user", "new_owner", "known")
SPACES = {"teacher": 4000, "class": 9000, "package": 60000, "chapter": 1200, "section": 7000, "style": 30}
TABLES = {"homework": 5200, "clicks": 41000, "offered": 40000, "study": 5000, "style_counts": 5200}
_OLD = 1_700_000_000


def write_year(root: Path, *, first: Day, days: int = 366, experiments: int = 8, seed: int = 5) -> int:
    """Write the manifests of a job under ``root``; their number. Sundays are quiet, every fortieth day is skipped."""
    random.seed(seed)
    written = 0
    names = [f"experiment_{number}" for number in range(1, experiments + 1)]
    before: Day | None = None
    for day in first.through(first.plus(days - 1)):
        for manifest in _day(day, before, names, first):
            _write(root, manifest)
            written += 1
        before = before if _is_skipped(day, first) else day
    return written


def _is_skipped(day: Day, first: Day) -> bool:
    return (day - first) % 40 == 39


def _day(day: Day, before: Day | None, names: list[str], first: Day) -> Iterator[Manifest]:
    if _is_skipped(day, first):
        yield _manifest("day", day, state="skipped", reason="no rows in any required table, after the deadline")
        return
    number = day - first
    quiet = 0.15 if day.weekday == 6 else 1.0
    rows = {name: int(usual * quiet * random.uniform(0.9, 1.1)) for name, usual in TABLES.items()}
    counts = {
        name: Counts(
            read=read, duplicates=3, quarantined=read // 500, kept=read - read // 500 - 3,
            reasons={"chapter_id: not a whole number": read // 500},
        )
        for name, read in rows.items()
    }  # fmt: skip
    digests = {name: f"{read:032x}" for name, read in rows.items()}
    sizes = {space: int(size * (1 - math.exp(-(number + 5) / 90))) + 2 for space, size in SPACES.items()}
    earlier = {space: int(size * (1 - math.exp(-(number + 4) / 90))) + 2 for space, size in SPACES.items()}
    yield _manifest("day", day)
    yield _manifest("extract", day, rows=rows, extra=ExtractRecord(digests=digests).written())
    validated = ValidatedRecord(counts=counts, digests=digests)
    yield _manifest("validated", day, [("extract", day, None)], rows=rows, extra=validated.written())
    past = [("state", before, None)] if before is not None else []
    yield _manifest("maps", day, [("validated", day, None), *past], extra=MapsRecord(
        sizes=sizes, sizes_before=earlier, new_ids={space: size - earlier[space] for space, size in sizes.items()},
        tails={space: f"{size:032x}" for space, size in sizes.items()},
    ).written())  # fmt: skip
    yield _manifest("state", day, [("validated", day, None), *past], rows={"events": rows["homework"]})
    yield _manifest("features", day, [("validated", day, None), ("maps", day, None), *past], rows=rows)
    for place, name in enumerate(names):
        yield from _trained(day, before, name, place, number, rows["homework"])
    if before is not None:
        champion = names[0]
        built = ReleaseRecord(
            release_id=f"{day}-{champion}-{before}-{number:08x}", experiment=champion,
            checkpoint=_id("checkpoint", before, champion), checkpoint_day=before, age_days=day - before,
            export=_id("export", before, champion), by="gate", verdict="promote", reasons=["not worse"],
        )  # fmt: skip
        made_from = [("export", before, champion), ("gate", day, champion)]
        yield _manifest("release", day, made_from, extra=built.written())
        done = PublishRecord(status="published", reason="", release_id=built.release_id)
        yield _manifest("publish", day, [("release", day, None)], extra=done.written())


def _trained(day: Day, before: Day | None, name: str, place: int, number: int, rows: int) -> Iterator[Manifest]:
    inputs: list[tuple[str, Day, str | None]] = [("features", day, None)]
    if before is not None:
        tested = [*inputs, ("checkpoint", before, name)]
        checkpoint = _id("checkpoint", before, name)
        test = TestRecord(
            checkpoint=checkpoint, checkpoint_day=before, values=_values(place, number, 1.0), reasons={},
            counts={"not_covered": 20, "all_positive": 0},
            groups={group: _values(place, number, 1 - 0.1 * n) for n, group in enumerate(GROUPS)},
        )
        yield _manifest("test", day, tested, name, rows={"tested": rows * 30}, extra=test.written())
        gate = GateRecord(
            verdict="promote", reasons=["not worse than the model before by more than the margin"],
            intervals=[Interval(measure=each, difference=0.01, low=-0.01, high=0.03) for each in ("composite", "auc")],
            checkpoint=checkpoint, incumbent=None,
        )  # fmt: skip
        yield _manifest("gate", day, [("test", day, name)], name, extra=gate.written())
        inputs.append(("checkpoint", before, name))
    yield _manifest("checkpoint", day, inputs, name, rows={"rows": rows},
                    extra=_checkpoint(name, before, number).written())  # fmt: skip
    export = ExportRecord(checkpoint=_id("checkpoint", day, name), golden_rows=500)
    yield _manifest("export", day, [("checkpoint", day, name)], name, extra=export.written())
    figures = {"rows": 500, "spread": 0.17, "unknown": {"package": 0.0, "section": 0.01}, "candidates": 60000}
    check = CheckRecord(
        verdict="ok", reasons=[], figures=figures, export=_id("export", day, name), checkpoint=export.checkpoint
    )
    yield _manifest("check", day, [("export", day, name)], name, extra=check.written())


def _checkpoint(name: str, before: Day | None, number: int) -> CheckpointRecord:
    return CheckpointRecord(
        parent=_id("checkpoint", before, name) if before is not None else None, parent_day=before,
        trained_days=number + 1, learning_rate=0.001, batches=20, sizes=dict.fromkeys(SPACES, 1000), loss=2.5,
    )


def _values(place: int, number: int, share: float) -> dict[str, float | int]:
    level = share * (0.42 + 0.02 * place + 0.12 * (1 - math.exp(-number / 60)) + random.gauss(0, 0.012))
    hits = {f"hit_{k}": min(1.0, level * (1 + 0.35 * math.log(k))) for k in (1, 3, 5, 10, 15)}
    return {"requests": 4000, "covered": 3600, **hits, "composite": level * 1.2, "log_loss": 3.4 - level,
            "auc": 0.5 + level / 2, **{f"{name}_all": 0.9 * value for name, value in hits.items()}}  # fmt: skip


def _manifest(
    kind: str, day: Day, inputs: list[tuple[str, Day, str | None]] | None = None, experiment: str | None = None,
    **more: Any,
) -> Manifest:  # fmt: skip
    made_from = [Input(_id(*each), f"digest of {_id(*each)}") for each in inputs or []]
    here = _id(kind, day, experiment)
    return Manifest(
        id=here, kind=kind, job=JOB, day=day, experiment=experiment, generation=1, key="key",
        digest=f"digest of {here}", inputs=made_from, files={"payload": 1000},
        tensors={f"tensor_{number}": "0" * 64 for number in range(40)} if kind == "checkpoint" else {},
        created_at=f"{day.next()}T02:00:00+00:00", **more,
    )  # fmt: skip


def _id(kind: str, day: Day, experiment: str | None) -> str:
    return f"{kind}/{JOB}/{f'{experiment}/' if experiment else ''}day={day}/gen=0001"


def _write(root: Path, manifest: Manifest) -> None:
    import os

    folder = root / manifest.id
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(manifest.to_json())
    (folder.parent / "current").write_text(f"{folder.name}\n", encoding="ascii")
    # As if written long ago: what is new is looked at twice.
    os.utime(folder.parent, (_OLD, _OLD))
