"""The gate: may a checkpoint be released? Paired bootstrap intervals decide, not single figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline import metrics
from pipeline.config.experiment import Gate
from pipeline.evaluation import LOWER_IS_BETTER, Evaluation, unit_values

Verdict = Literal["promote", "keep", "inconclusive", "block"]


@dataclass(frozen=True)
class Interval:
    """A paired difference, new − old, turned so that more is better; with its bootstrap interval."""

    measure: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Decision:
    verdict: Verdict
    reasons: list[str]
    intervals: list[Interval] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Scored:
    """The same test rows scored by two checkpoints."""

    kind: Literal["ranking", "impressions"]
    arrays: DayArrays
    key_rank: NDArray[np.int32]
    composite: Mapping[int, float]
    new: NDArray[np.float32]
    old: NDArray[np.float32]


def interval(scored: Scored, measure: str, *, resamples: int, confidence: float, seed: int) -> Interval | None:
    """Percentile interval of new − old over resampled users; ``None`` if the day does not allow the measure."""
    user = scored.arrays.user
    _, unit = np.unique(user, return_inverse=True)
    units = int(unit.max(initial=-1)) + 1
    if units < 2:
        return None
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(units, np.full(units, 1 / units), size=resamples).astype(np.float64)
    sign = -1.0 if measure in LOWER_IS_BETTER else 1.0
    found = (
        _auc_differences(scored, unit, draws)
        if scored.kind == "impressions" and measure in ("auc", "gauc")
        else _mean_differences(scored, measure, unit, units, draws)
    )
    if found is None:
        return None
    difference, resampled = found
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.sort(sign * resampled), [tail, 1 - tail])
    return Interval(measure, sign * difference, float(low), float(high))


def _mean_differences(
    scored: Scored, measure: str, unit: NDArray[np.int64], units: int, draws: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]] | None:
    new, old = (
        unit_values(scored.kind, measure, scored.arrays, logits, scored.key_rank, scored.composite)
        for logits in (scored.new, scored.old)
    )
    kept = ~np.isnan(new) & ~np.isnan(old)
    if not kept.any():
        return None
    count = np.bincount(unit[kept], minlength=units).astype(np.float64)
    total = np.bincount(unit[kept], weights=(new - old)[kept], minlength=units)
    with np.errstate(invalid="ignore", divide="ignore"):
        resampled = (draws @ total) / (draws @ count)
    return float((new - old)[kept].mean()), resampled[np.isfinite(resampled)]


def _auc_differences(
    scored: Scored, unit: NDArray[np.int64], draws: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]] | None:
    new, old = (metrics.SortedScores(scored.arrays.label, logits) for logits in (scored.new, scored.old))
    whole = new.auc(), old.auc()
    if whole[0] is None or whole[1] is None:
        return None
    resampled = []
    for draw in draws:
        weight = draw[unit]
        pair = new.auc(weight), old.auc(weight)
        if pair[0] is not None and pair[1] is not None:
            resampled.append(pair[0] - pair[1])
    return (whole[0] - whole[1], np.array(resampled)) if resampled else None


def absolute(gate: Gate, evaluation: Evaluation, kind: str) -> Decision | None:
    """``block`` where a floor breaks or calibration is out of range, ``inconclusive`` where they cannot be known."""
    broken, unknown = [], []
    for measure, floor in gate.floors.items():
        value = evaluation.values.get(measure)
        if value is None:
            unknown.append(
                f"{measure} cannot be computed ({evaluation.reasons.get(measure, 'not a measure of this job')})"
            )
        elif (value > floor) if measure in LOWER_IS_BETTER else (value < floor):
            broken.append(
                f"{measure} {value:.4f} is {'above' if measure in LOWER_IS_BETTER else 'below'} its limit {floor}"
            )
    ratio = evaluation.values.get("calibration")
    if kind == "impressions" and ratio is not None and not gate.calibration[0] <= ratio <= gate.calibration[1]:
        broken.append(f"calibration {ratio:.3f} is outside {gate.calibration[0]} … {gate.calibration[1]}")
    if broken:
        return Decision("block", broken)
    return Decision("inconclusive", unknown) if unknown else None


def decide(gate: Gate, evaluation: Evaluation, scored: Scored | None, kind: str, seed: int) -> Decision:
    """The verdict on the daily refresh: promote unless shown to be worse than the incumbent by more than a margin.

    ``scored`` is ``None`` when there is no incumbent: floors alone decide then.
    """
    verdict = absolute(gate, evaluation, kind)
    if verdict is not None:
        return verdict
    if scored is None:
        return Decision("promote", ["no model is served yet, and the floors pass"])
    worse: list[str] = []
    reasons: list[str] = []
    intervals: list[Interval] = []
    for measure, margin in gate.margins.items():
        found = interval(scored, measure, resamples=gate.resamples, confidence=gate.confidence, seed=seed)
        if found is None:
            reasons.append(f"{measure}: no interval (too few users or one class only)")
            continue
        intervals.append(found)
        text = f"{measure}: {found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}], margin {margin}"
        (worse if found.high < -margin else reasons).append(text)
    if worse:
        return Decision(
            "keep", [f"worse than the model before by more than the margin: {text}" for text in worse], intervals
        )
    if gate.margins and not intervals:
        return Decision("inconclusive", reasons)
    return Decision("promote", ["not worse than the model before by more than the margin", *reasons], intervals)


def superiority(gate: Gate, scored: Scored, measure: str, seed: int) -> tuple[bool, Interval | None]:
    """Whether the challenger (``new``) beats the champion (``old``) on ``measure``: the whole interval above zero."""
    found = interval(scored, measure, resamples=gate.resamples, confidence=gate.confidence, seed=seed)
    return (found is not None and found.low > 0), found
