"""The gate: may a checkpoint be released? Paired bootstrap intervals decide, not single figures."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.config.experiment import Gate
from pipeline.config.measures import MEASURES, measure_of, split
from pipeline.config.requests import Kind
from pipeline.evaluation.bootstrap import Scored, intervals
from pipeline.evaluation.measured import Evaluation
from pipeline.evaluation.records import Interval, Verdict

NO_MODEL = "no model is served yet"


@dataclass(frozen=True)
class Decision:
    verdict: Verdict
    reasons: list[str]
    intervals: list[Interval] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict, "reasons": self.reasons,
            "intervals": [each.model_dump() for each in self.intervals],
        }  # fmt: skip


def absolute(gate: Gate, evaluation: Evaluation, kind: Kind) -> Decision | None:
    """``block`` where a floor breaks or calibration is out of range, ``inconclusive`` where they cannot be known."""
    broken = [
        f"{name} is {value}: the model's scores are no numbers"
        for name, value in evaluation.values.items()
        if value is not None and not math.isfinite(value)
    ]
    unknown = []
    for name, floor in gate.floors.items():
        measure, value = measure_of(kind, name), evaluation.values.get(name)
        if value is None:
            unknown.append(f"{name} cannot be computed ({evaluation.reasons.get(name, 'it was not')})")
        elif measure.worth(value) < measure.worth(floor):
            side = "above" if measure.better == "lower" else "below"
            broken.append(f"{name} {value:.4f} is {side} its limit {floor}")
    if "calibration" in MEASURES[kind]:
        for name in [each for each in evaluation.values if split(each)[1] == "calibration"] or ["calibration"]:
            ratio = evaluation.values.get(name)
            if ratio is None:
                unknown.append(f"{name} cannot be computed ({evaluation.reasons.get(name, 'it was not')})")
            elif not gate.calibration[0] <= ratio <= gate.calibration[1]:
                broken.append(f"{name} {ratio:.3f} is outside {gate.calibration[0]} … {gate.calibration[1]}")
    if broken:
        return Decision("block", broken)
    return Decision("inconclusive", unknown) if unknown else None


def of_tasks(gate: Gate, tasks: Collection[str]) -> Gate:
    """What of the gate a model that is asked these tasks alone can be judged by."""

    def asked(limits: Mapping[str, float]) -> dict[str, float]:
        return {name: limit for name, limit in limits.items() if split(name)[0] in (None, *tasks)}

    return gate.model_copy(update={"margins": asked(gate.margins), "floors": asked(gate.floors)})


def decide(
    gate: Gate, evaluation: Evaluation, scored: Scored | None, kind: Kind, seed: int,
    *, unopposed: str = NO_MODEL, rise: str | None = None,
) -> Decision:  # fmt: skip
    """The verdict on the daily refresh: promote unless shown to be worse than the incumbent by more than a margin.

    Args:
        scored: ``None`` when there is no incumbent: floors alone decide then, and ``unopposed`` says why.
        rise: why the measures are too good to be believed; what they would promote is ``inconclusive`` then.
    """
    decision = absolute(gate, evaluation, kind)
    if decision is None:
        promoted = Decision("promote", [f"{unopposed}, and the floors pass"])
        decision = promoted if scored is None else _compared(gate, scored, seed)
    if rise is not None and decision.verdict == "promote":
        return Decision("inconclusive", [rise, *decision.reasons], decision.intervals)
    return decision


def _compared(gate: Gate, scored: Scored, seed: int) -> Decision:
    """``keep`` where a whole interval lies below its margin."""
    worse: list[str] = []
    reasons: list[str] = []
    known: list[Interval] = []
    found = intervals(scored, gate.margins, resamples=gate.resamples, confidence=gate.confidence, seed=seed)
    for measure, margin in gate.margins.items():
        interval = found[measure]
        if interval is None:
            reasons.append(f"{measure}: no interval (too few users or one class only)")
            continue
        known.append(interval)
        text = f"{measure}: {interval.difference:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}], margin {margin}"
        (worse if interval.high < -margin else reasons).append(text)
    if worse:
        told = [f"worse than the model before by more than the margin: {text}" for text in worse]
        return Decision("keep", told, known)
    if gate.margins and not known:
        return Decision("inconclusive", reasons)
    return Decision("promote", ["not worse than the model before by more than the margin", *reasons], known)


def superiority(gate: Gate, scored: Scored, measure: str, seed: int) -> tuple[bool, Interval | None]:
    """Whether the challenger (``new``) beats the champion (``old``) on ``measure``: the whole interval above zero."""
    found = intervals(scored, [measure], resamples=gate.resamples, confidence=gate.confidence, seed=seed)[measure]
    return (found is not None and found.low > 0), found
