"""The gate's verdicts, each on figures that leave no doubt."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.schema import ONLY
from pipeline.config.experiment import Gate
from pipeline.config.measures import MEASURES, allowed
from pipeline.evaluation.bootstrap import Scored, intervals
from pipeline.evaluation.verdict import Decision, decide, superiority
from tests.unit.pipeline.judged import BETTER, compared, day, everything, scored

NAMED = [(kind, name) for kind in MEASURES for name in allowed(MEASURES[kind], "margin")]
FLOORED = [(kind, name) for kind in MEASURES for name in allowed(MEASURES[kind], "floor")]


def impressions(new_noise: float, old_noise: float) -> Scored:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 2000)
    signal = label * 2.0 - 1.0

    def noisy(size: float) -> NDArray[np.float32]:
        return (signal + rng.normal(0, size, 2000)).astype(np.float32)

    arrays = day(list(range(2001)), label.tolist(), rng.integers(0, 300, 2000).tolist())
    return compared("impressions", arrays, np.zeros(2000, np.int32), {}, noisy(new_noise), noisy(old_noise))


GATE = Gate(margins={"auc": 0.01}, floors={"auc": 0.55}, calibration=(0.5, 2.0), resamples=200)


def verdict(scored: Scored | None, gate: Gate = GATE, of: Scored | None = None) -> str:
    rows = scored or of
    assert rows is not None
    return decide(gate, everything(rows), scored, "impressions", 7).verdict


def judged(gate: Gate, rows: Scored) -> Decision:
    return decide(gate, everything(rows), rows, rows.kind, 7)


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_every_measure_can_have_a_margin(kind: str, name: str) -> None:
    """Of a day on which all users are alike, so that the interval is the difference that was worked out by hand."""
    better = BETTER[kind][name]
    wide = {"calibration": (0.1, 9.0)}
    good, bad = scored(kind), scored(kind, swapped=True)
    assert judged(Gate(margins={name: 0}, **wide), good).verdict == "promote"
    for margin, said in ((0.0, "keep"), (better * 0.99, "keep"), (better * 1.01, "promote")):
        decision = judged(Gate(margins={name: margin}, **wide), bad)
        assert decision.verdict == said, margin
        (interval,) = decision.intervals
        assert [interval.low, interval.difference, interval.high] == pytest.approx([-better] * 3, abs=1e-6)
    nobody = replace(bad, arrays=replace(bad.arrays, user=np.zeros_like(bad.arrays.user)))
    assert judged(Gate(margins={name: 0}, **wide), nobody).verdict == "inconclusive"
    assert superiority(Gate(), good, name, 1)[0]
    assert not superiority(Gate(), bad, name, 1)[0]


@pytest.mark.parametrize(("kind", "name"), FLOORED)
def test_every_measure_but_calibration_can_have_a_floor(kind: str, name: str) -> None:
    rows = scored(kind)
    value = everything(rows).values[name]
    assert value is not None
    worse, wide = (0.01 if name == "log_loss" else -0.01), {"calibration": (0.1, 9.0)}
    assert judged(Gate(floors={name: value + worse}, **wide), rows).verdict == "promote"
    blocked = judged(Gate(floors={name: value - worse}, **wide), rows)
    assert blocked.verdict == "block"
    assert f"is {'above' if name == 'log_loss' else 'below'} its limit" in blocked.reasons[0]


def test_gauc_and_auc_are_judged_apart() -> None:
    # Ten users who click three of four, ten who click one of four. The old model knows who clicks, 1 or 0 for all of
    # a user's rows: AUC (30·35 + 10·15) / 1600 = .75, GAUC ½. The new one knows what each clicks and thinks that the
    # others click more: AUC (30·10 + 10·40) / 1600 = .4375, GAUC 1.
    often, seldom = [1, 1, 1, 0], [1, 0, 0, 0]
    new = [0, 0, 0, -1] * 10 + [2, 1, 1, 1] * 10
    old = [1.0] * 40 + [0.0] * 40
    rows = day(list(range(81)), often * 10 + seldom * 10, np.repeat(np.arange(20), 4).tolist())
    both = compared("impressions", rows, np.zeros(0, np.int32), {}, new, old)
    gate = {"calibration": (0.0, 9.0)}
    by_user = judged(Gate(margins={"gauc": 0.02}, **gate), both)
    assert by_user.verdict == "promote"
    assert [by_user.intervals[0].low, by_user.intervals[0].high] == pytest.approx([0.5, 0.5])
    of_all = judged(Gate(margins={"auc": 0.02}, **gate), both)
    assert of_all.verdict == "keep"
    assert of_all.intervals[0].difference == pytest.approx(0.4375 - 0.75)
    assert superiority(Gate(), both, "gauc", 1)[0]
    assert not superiority(Gate(), both, "auc", 1)[0]


def test_scores_that_are_no_numbers_are_blocked() -> None:
    rows = scored("impressions")
    logits = rows.new[ONLY]
    broken = replace(rows, new={ONLY: np.where(np.arange(len(logits)) == 3, np.nan, logits).astype(np.float32)})
    decision = judged(Gate(margins={"log_loss": 0.01}, calibration=(0.1, 9.0)), broken)
    assert decision.verdict == "block"
    assert "log_loss is nan" in decision.reasons[0]


def test_what_is_too_good_to_be_believed_is_inconclusive_unless_it_is_worse() -> None:
    rise, gate = "auc .98: too good", Gate(margins={"auc": 0.01}, calibration=(0.1, 9.0))
    for rows, said in ((scored("impressions"), "inconclusive"), (scored("impressions", swapped=True), "keep")):
        assert decide(gate, everything(rows), rows, rows.kind, 7, rise=rise).verdict == said
    rows = scored("impressions")
    alone = decide(gate, everything(rows), None, rows.kind, 7, rise=rise)
    assert (alone.verdict, alone.reasons) == ("inconclusive", [rise, "no model is served yet, and the floors pass"])
    worse = scored("impressions", swapped=True)
    assert decide(Gate(floors={"auc": 1.0}), everything(worse), None, "impressions", 7,
                  rise=rise).verdict == "block"  # fmt: skip


def test_an_equal_model_is_promoted_and_a_clearly_worse_one_is_not() -> None:
    assert verdict(impressions(1.0, 1.0)) == "promote"
    assert verdict(impressions(3.0, 0.7)) == "keep"


def test_no_incumbent_and_floors_pass() -> None:
    assert verdict(None, of=impressions(1.0, 1.0)) == "promote"


def test_a_broken_floor_blocks_whatever_the_interval_says() -> None:
    assert verdict(impressions(1.0, 3.0), Gate(floors={"auc": 0.999})) == "block"


def test_a_log_loss_floor_is_an_upper_limit() -> None:
    assert verdict(impressions(1.0, 1.0), Gate(floors={"log_loss": 0.01}, calibration=(0.1, 9.0))) == "block"
    assert verdict(impressions(1.0, 1.0), Gate(floors={"log_loss": 9.0}, calibration=(0.1, 9.0))) == "promote"


def test_calibration_out_of_range_blocks() -> None:
    assert verdict(impressions(1.0, 1.0), Gate(calibration=(1.9, 2.0))) == "block"


def test_a_day_of_one_class_is_inconclusive() -> None:
    arrays = day([0, 1, 2], [0, 0], [1, 2])
    scores = np.zeros(2, np.float32)
    scored = compared("impressions", arrays, np.zeros(2, np.int32), {}, scores, scores)
    assert verdict(scored, Gate(floors={"auc": 0.5})) == "inconclusive"
    assert verdict(scored, Gate(margins={"auc": 0.01})) == "inconclusive"


def test_interval_is_paired_and_turned_so_that_more_is_better() -> None:
    scored = impressions(0.7, 3.0)
    names = ("auc", "gauc", "log_loss")
    for found in intervals(scored, names, resamples=200, confidence=0.95, seed=3).values():
        assert found is not None
        assert 0 < found.low < found.difference < found.high
    same = replace(scored, old=scored.new)
    for found in intervals(same, names, resamples=50, confidence=0.95, seed=3).values():
        assert found is not None
        assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)


def test_a_day_without_clicks_tells_nothing_of_calibration() -> None:
    rows = day(list(range(5)), [0] * 4, [1, 2, 3, 4])
    scores = np.zeros(4, np.float32)
    scored = compared("impressions", rows, np.zeros(0, np.int32), {}, scores, scores)
    decision = judged(Gate(margins={"log_loss": 0.01}), scored)
    assert (decision.verdict, decision.reasons) == ("inconclusive", ["calibration cannot be computed (no positives)"])


def test_superiority_needs_the_whole_interval_above_zero() -> None:
    assert superiority(GATE, impressions(0.7, 3.0), "auc", 1)[0]
    assert not superiority(GATE, impressions(1.0, 1.0), "auc", 1)[0]
    assert not superiority(GATE, impressions(3.0, 0.7), "auc", 1)[0]
