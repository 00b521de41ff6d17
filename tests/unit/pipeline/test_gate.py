"""The gate's verdicts, each on figures that leave no doubt."""

import numpy as np
from numpy.typing import NDArray

from pipeline.config.experiment import Gate
from pipeline.evaluation import evaluate_impressions
from pipeline.gate import Scored, decide, interval, superiority
from tests.unit.pipeline.test_evaluation import day


def impressions(new_noise: float, old_noise: float) -> Scored:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 2000)
    signal = label * 2.0 - 1.0

    def noisy(size: float) -> NDArray[np.float32]:
        return (signal + rng.normal(0, size, 2000)).astype(np.float32)

    arrays = day(list(range(2001)), label.tolist(), rng.integers(0, 300, 2000).tolist())
    return Scored("impressions", arrays, np.zeros(2000, np.int32), {}, noisy(new_noise), noisy(old_noise))


GATE = Gate(margins={"auc": 0.01}, floors={"auc": 0.55}, calibration=(0.5, 2.0), resamples=200)


def verdict(scored: Scored | None, gate: Gate = GATE, of: Scored | None = None) -> str:
    rows = scored or of
    assert rows is not None
    return decide(gate, evaluate_impressions(rows.arrays, rows.new), scored, "impressions", 7).verdict


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
    scored = Scored("impressions", arrays, np.zeros(2, np.int32), {}, scores, scores)
    assert verdict(scored, Gate(floors={"auc": 0.5})) == "inconclusive"
    assert verdict(scored, Gate(margins={"auc": 0.01})) == "inconclusive"


def test_interval_is_paired_and_turned_so_that_more_is_better() -> None:
    scored = impressions(0.7, 3.0)
    for measure in ("auc", "log_loss"):
        found = interval(scored, measure, resamples=200, confidence=0.95, seed=3)
        assert found is not None
        assert 0 < found.low < found.difference < found.high
    same = Scored("impressions", scored.arrays, scored.key_rank, {}, scored.new, scored.new)
    zero = interval(same, "auc", resamples=50, confidence=0.95, seed=3)
    assert zero is not None
    assert (zero.difference, zero.low, zero.high) == (0.0, 0.0, 0.0)


def test_superiority_needs_the_whole_interval_above_zero() -> None:
    assert superiority(GATE, impressions(0.7, 3.0), "auc", 1)[0]
    assert not superiority(GATE, impressions(1.0, 1.0), "auc", 1)[0]
    assert not superiority(GATE, impressions(3.0, 0.7), "auc", 1)[0]
