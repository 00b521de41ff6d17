"""Experiments against the first of them on the rows of one day that all of them were tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.config.measures import task_of
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.evaluation.bootstrap import Drawn, Rows, percentiles, resampled
from pipeline.evaluation.records import ComparedDay, Difference
from pipeline.evaluation.taken_groups import groups_of
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref, parse_id
from pipeline.storage.artifacts.kinds import FEATURES, TEST
from pipeline.storage.digests import content_digest
from pipeline.training.joint import with_joint_logits, with_joints
from pipeline.training.logits import read


@dataclass(frozen=True)
class Asked:
    """What is compared: ``experiments`` by ``measure``, each with the first; of one group of requests, or of all."""

    experiments: tuple[str, ...]
    measure: str
    group: str | None = None

    @property
    def first(self) -> str:
        return self.experiments[0]


def committed_tests(context: JobContext, day: Day, asked: Asked) -> dict[str, Artifact]:
    """The tests of a day, by experiment."""
    found = {name: context.store.current(Ref(TEST, context.job, day, name)) for name in asked.experiments}
    return {name: test for name, test in found.items() if test is not None}


def made_of(context: JobContext, tests: Mapping[str, Artifact], asked: Asked) -> str:
    """A digest of all that a day's comparison hangs on."""
    gate = context.config.release.gate
    return content_digest({
        "tests": {name: test.manifest.digest for name, test in tests.items()}, "seed": context.config.seed,
        "asked": [asked.experiments, asked.measure, asked.group], "draws": [gate.resamples, gate.confidence],
        "composite": {str(k): weight for k, weight in context.config.measures.composite.items()},
    })  # fmt: skip


def compare_day(context: JobContext, day: Day, tests: Mapping[str, Artifact], asked: Asked) -> ComparedDay:
    """The day's differences, from the scores that the tests have kept; needs no TensorFlow.

    Raises:
        UsageError: the job has no such group of requests.
    """
    made, names = made_of(context, tests, asked), asked.experiments
    left_out = {name: f"'{name}' was not tested" for name in names[1:] if name not in tests}
    if asked.first not in tests:
        return ComparedDay(
            day=day, made_of=made, values={}, differences={},
            left_out=dict.fromkeys(names[1:], f"'{asked.first}' was not tested"),
        )  # fmt: skip
    features, why = _rows_of(context, tests[asked.first])
    if features is None:
        return ComparedDay(
            day=day, made_of=made, values={}, differences={}, left_out=dict.fromkeys(names[1:], why) | left_out
        )
    task = task_of(context.config.judged, asked.measure)
    logits: dict[str, NDArray[np.float32]] = {}
    for name, test in tests.items():
        if _tested_rows(test) != _tested_rows(tests[asked.first]):
            left_out[name] = f"'{name}' was tested on other rows of the day than '{asked.first}'"
        elif test.manifest.pruned:
            left_out[name] = f"the scores of '{name}' are pruned"
        else:
            scores = with_joint_logits(context.config, read(test))
            if task in scores:
                logits[name] = scores[task]
            else:
                left_out[name] = f"'{name}' is not asked '{task}'"
    gate = context.config.release.gate
    rows, logits = _chosen(context, features, logits, asked.group)
    drawn = resampled(rows, logits, asked.measure, resamples=gate.resamples, seed=context.config.seed)
    values, differences = {}, {}
    for name, found in drawn.items():
        if found is None:
            left_out[name] = f"{asked.measure} is not defined on its rows (fewer than two users, or one class only)"
            continue
        values[name] = found.value
        first = drawn.get(asked.first)
        against = _difference(context, first, found, asked) if first is not None and name != asked.first else None
        if against is not None:
            differences[name] = against
    if asked.first in left_out:
        left_out |= dict.fromkeys(names[1:], left_out.pop(asked.first))
    return ComparedDay(day=day, made_of=made, values=values, differences=differences, left_out=left_out)


def _difference(context: JobContext, first: Drawn, other: Drawn, asked: Asked) -> Difference | None:
    measure, confidence = context.config.known_measures[asked.measure], context.config.release.gate.confidence
    draws = measure.worth(other.draws) - measure.worth(first.draws)
    within = percentiles(draws, confidence)
    if within is None:
        return None
    difference = measure.worth(other.value) - measure.worth(first.value)
    return Difference(difference=difference, low=within[0], high=within[1], spread=float(np.nanstd(draws)))


def _tested_rows(test: Artifact) -> str | None:
    """The digest of the rows that a test was made on."""
    return next((each.digest for each in test.manifest.inputs if parse_id(each.id)[0].kind == FEATURES), None)


def _rows_of(context: JobContext, test: Artifact) -> tuple[Artifact | None, str]:
    """The features that a test was made on, or why they cannot be read."""
    current = context.store.current(Ref(FEATURES, context.job, test.ref.day))
    if current is None or current.manifest.digest != _tested_rows(test):
        return None, "its features were made anew since it was tested; test it again (`backfill`)"
    if current.manifest.pruned:
        return None, "its features are pruned"
    return current, ""


def _chosen(
    context: JobContext, features: Artifact, logits: dict[str, NDArray[np.float32]], group: str | None
) -> tuple[Rows, dict[str, NDArray[np.float32]]]:
    """The rows of a group of requests, or all, with the scores of each experiment."""
    config = context.config
    arrays = with_joints(config, day_arrays.read(features))
    if group is not None:
        groups = groups_of(features, arrays, config.measures.several)
        if group not in groups:
            known = f"it has {', '.join(groups)}" if groups else "it has none"
            raise UsageError(f"--group {group}: job '{context.job}' has no such group of requests; {known}")
        pairs = np.repeat(groups[group], np.diff(arrays.offsets))
        arrays, logits = _of_requests(arrays, groups[group]), {name: each[pairs] for name, each in logits.items()}
    return Rows(config.kind, arrays, day_arrays.key_rank(features), config.measures.composite), logits


def _of_requests(arrays: DayArrays, chosen: NDArray[np.bool_]) -> DayArrays:
    """The chosen requests, without the features that no measure reads."""
    sizes = np.diff(arrays.offsets)
    pairs = np.repeat(chosen, sizes)
    return replace(
        arrays,
        request_ids=arrays.request_ids[chosen, :0], request_dense=arrays.request_dense[chosen, :0],
        offsets=np.concatenate([[0], np.cumsum(sizes[chosen])]), pair_item=arrays.pair_item[pairs],
        pair_dense=arrays.pair_dense[pairs, :0], label=arrays.label[pairs], weight=arrays.weight[chosen],
        user=arrays.user[chosen],
    )  # fmt: skip


def days_tested(context: JobContext, asked: Sequence[str], first: Day | None, last: Day | None) -> list[Day]:
    """Days of the range on which any of the experiments was tested, ascending."""
    days: set[Day] = set()
    for name in asked:
        days.update(context.store.days(TEST, context.job, name))
    return sorted(day for day in days if (first is None or day >= first) and (last is None or day <= last))
