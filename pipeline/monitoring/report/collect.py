"""What the page of a day shows, read from the day's manifests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from models.tasks import SCORE
from pipeline.config.job import JobConfig
from pipeline.config.measures import MEASURES, columns
from pipeline.days import Day
from pipeline.evaluation import item_classes, metrics
from pipeline.evaluation.homework import GROUPS
from pipeline.evaluation.measures_by_day import TestedDay, measured_days
from pipeline.evaluation.records import GateRecord
from pipeline.features.arrays import files as day_arrays
from pipeline.features.records import FeaturesRecord, MapsRecord
from pipeline.ingest.records import ValidatedRecord
from pipeline.job import JobContext
from pipeline.monitoring.report import curves
from pipeline.monitoring.report.label_ages import label_ages
from pipeline.monitoring.table_watch import changes_of
from pipeline.release.records import CheckRecord
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import (
    CHECK,
    CHECKPOINT,
    DAY,
    EXTRACT,
    FEATURES,
    GATE,
    MAPS,
    OF_EXPERIMENTS,
    RELEASE,
    TEST,
    VALIDATED,
)
from pipeline.storage.artifacts.readable import Readable
from pipeline.training import logits
from pipeline.training.joint import with_joint_logits, with_joints
from pipeline.training.records import CheckpointRecord
from pipeline.training.wild_values import in_words, told

SHARED = (EXTRACT, VALIDATED, MAPS, FEATURES)


def collect(context: JobContext, day: Day) -> dict[str, Any]:
    """Everything that the template needs for ``day``."""
    config, store = context.config, context.store
    shared = {kind: store.current(Ref(kind, config.job, day)) for kind in SHARED}
    own = {
        name: {kind: store.current(Ref(kind, config.job, day, name)) for kind in OF_EXPERIMENTS}
        for name in config.experiments
    }
    validated = ValidatedRecord.of(shared[VALIDATED]) if shared[VALIDATED] is not None else None
    readable = Readable()
    tested = list(measured_days(context, readable))
    readable.tell()
    skipped = [each for each in store.days(DAY, config.job) if context.skipped(each) is not None]
    return {
        "job": config.job, "day": day, "skipped": context.skipped(day), "weekday": day.date.strftime("%A"),
        "columns": columns(config.known_measures),
        "tests": [each for each in tested if each.day == day],
        "curves": {
            name: _curve(tested, name, skipped, day)
            for name, measure in config.known_measures.items()
            if measure.curve
        },
        "all_requests": [each for each in config.known_measures.values() if each.everyone],
        "volumes": _volumes(config, validated),
        "quarantine": _quarantine(validated),
        "changes": changes_of(context, day),
        "accepted": validated if validated is not None and validated.was_accepted else None,
        "growth": _growth(shared[MAPS]),
        "features": shared[FEATURES].manifest.rows if shared[FEATURES] is not None else {},
        "empty_days": _empty_days(shared[FEATURES]),
        "calibration": _calibration(config, shared[FEATURES], own),
        "label_ages": label_ages(context, day),
        "item_classes": _item_classes(config, shared[FEATURES], own),
        "experiments": {name: _experiment(parts) for name, parts in own.items()},
        "release": _release(store.current(Ref(RELEASE, config.job, day))),
        "timings": _timings(shared, own), "bytes": store.sizes(config.job),
    }  # fmt: skip


def _curve(tested: list[TestedDay], measure: str, skipped: list[Day], today: Day) -> Any:
    series: dict[str, list[tuple[Day, float]]] = {}
    for each in tested:
        value = each.values.get(measure)
        if value is not None:
            series.setdefault(each.experiment, []).append((each.day, float(value)))
    return curves.lines(series, skipped=skipped, today=today)


def _volumes(config: JobConfig, validated: ValidatedRecord | None) -> list[dict[str, Any]]:
    found = []
    for name, counts in validated.counts.items() if validated is not None else ():
        table = config.tables.get(name)
        absent = [table.in_source(each) if table is not None else each for each in counts.missing_columns]
        found.append({"table": name, **counts.model_dump(), "missing_columns": absent})
    return found


def _quarantine(validated: ValidatedRecord | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, counts in validated.counts.items() if validated is not None else ():
        found |= {f"{name}: {reason}": number for reason, number in counts.reasons.items()}
    return found


def _growth(maps: Artifact | None) -> list[tuple[str, int, int]]:
    if maps is None:
        return []
    said = MapsRecord.of(maps)
    return [(space, size, size - said.sizes_before.get(space, 2)) for space, size in said.sizes.items()]


def _empty_days(features: Artifact | None) -> dict[str, Any]:
    """By group of requests, a histogram of the empty days in their history window."""
    found = FeaturesRecord.of(features).empty_days if features is not None else {}
    return {
        GROUPS.get(group, group.replace("_", " ")): curves.bars(
            {f"{days} empty": count for days, count in enumerate(counts) if count}
        )
        for group, counts in found.items()
        if any(counts)
    }


def _calibration(
    config: JobConfig, features: Artifact | None, own: dict[str, dict[str, Artifact | None]]
) -> dict[str, Any]:
    """By experiment, and task where there are several, the tested predictions against what became of the rows."""
    return {
        (f"{name}: {task}" if len(arrays.tasks) > 1 else name): curves.calibration(bins.tolist())
        for name, arrays, scores in _tested(config, features, own)
        for task, bins in _bins(arrays, scores)
    }


def _item_classes(
    config: JobConfig, features: Artifact | None, own: dict[str, dict[str, Artifact | None]]
) -> dict[str, Any]:
    """By experiment, and pair of a task and what comes after it, the day's items in four classes."""
    pairs = [(task.given, name) for name, task in config.tasks.items() if task.given is not None]
    return {
        f"{name}: {given}, {after}": {
            "tasks": (given, after),
            "classes": item_classes.classes_of(arrays, (given, after), (scores[given], scores[after])),
        }
        for name, arrays, scores in (_tested(config, features, own) if pairs else ())
        for given, after in pairs
        if {given, after} <= set(scores)
    }


def _tested(
    config: JobConfig, features: Artifact | None, own: dict[str, dict[str, Artifact | None]]
) -> Iterator[tuple[str, DayArrays, dict[str, NDArray[np.float32]]]]:
    """By experiment, the tested rows and its logits of them by task; none whose payload was pruned."""
    if "calibration" not in MEASURES[config.kind] or features is None or features.manifest.pruned:
        return
    arrays = with_joints(config, day_arrays.read(features))
    for name, parts in own.items():
        test = parts[TEST]
        # A test of an earlier generation of the day was of other rows.
        if test is not None and not test.manifest.pruned and any(e.id == features.id for e in test.manifest.inputs):
            yield name, arrays, with_joint_logits(config, logits.read(test))


def _bins(
    arrays: DayArrays, scores: dict[str, NDArray[np.float32]]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    for task, of_task in scores.items():
        if task == SCORE:  # no probability
            continue
        label = arrays.label_of(task)
        yield task, metrics.calibration_bins(label[label >= 0], of_task[label >= 0])


def _experiment(parts: dict[str, Artifact | None]) -> dict[str, Any]:
    checkpoint, gate, check = parts[CHECKPOINT], parts[GATE], parts[CHECK]
    shown: dict[str, Any] = {
        "gate": GateRecord.of(gate) if gate is not None else None,
        "loss": None,
        "checkpoint": None,
        "wild": "",
    }
    if checkpoint is not None:
        said = CheckpointRecord.of(checkpoint)
        shown |= {"checkpoint": said, "trained": checkpoint.manifest.rows, "wild": in_words(told(said))}
        if said.batches and not checkpoint.manifest.pruned:
            losses = np.load(checkpoint.file("losses.npy"))
            shown["loss"] = curves.trace([float(value) for value in losses], "loss of the day's batches")
    shown["check"] = CheckRecord.of(check) if check is not None else None
    return shown


def _release(release: Artifact | None) -> dict[str, Any] | None:
    return dict(release.manifest.extra) if release is not None else None


def _timings(shared: dict[str, Artifact | None], own: dict[str, dict[str, Artifact | None]]) -> list[tuple[str, float]]:
    rows = list(shared.items())
    rows += [(f"{name}: {kind}", artifact) for name, parts in own.items() for kind, artifact in parts.items()]
    return [(label, sum(artifact.manifest.timings.values())) for label, artifact in rows if artifact is not None]
