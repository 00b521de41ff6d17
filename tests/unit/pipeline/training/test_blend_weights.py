"""Weights of a blend's members: least losses by hand, what is kept for the days after, and what no weight may do."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from models.schema import DayArrays
from models.tasks import Task
from pipeline.training import blend_weights
from pipeline.training.blend_weights import HALF_LIFE, Fit, Loss, fitted, loss_of
from tests.unit.pipeline.judged import day

NONE = Fit.none(2)
HELD = 1 / (math.log(3) - 0.5)
"""Held so strongly, the weight of the first member that the rows below ask for is ln 3."""


def rows(label: Sequence[int], candidates: Sequence[int] | None = None) -> DayArrays:
    """Requests of so many candidates; of one each, where nothing is said."""
    sizes = candidates or [1] * len(label)
    return day(np.append(0, np.cumsum(sizes)).tolist(), list(label), [0] * len(sizes))


def loss(arrays: DayArrays, first: Sequence[float], second: Sequence[float], kind: str = "binary") -> Loss:
    found = loss_of(Task(loss=kind), arrays, np.array([first, second], np.float32))  # type: ignore[arg-type]
    assert found is not None
    return found


def two_sided() -> Loss:
    """Two rows of +1 that were clicked, two of −1 that were not, and one that was not judged; of the other nothing."""
    return loss(rows([1, 1, 0, 0, -1]), [1, 1, -1, -1, 9], [0, 0, 0, 0, 9])


def test_scores_that_are_no_numbers_say_nothing() -> None:
    for wrong in (math.nan, math.inf):
        logits = np.array([[1, wrong], [0, 0]], np.float32)
        assert loss_of(Task(loss="binary"), rows([1, 0]), logits) is None


def test_the_least_loss_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """At ln 3 a row is right by 3/4: its pull of 4 · 1/4 is what the ridge holds, HELD · (ln 3 − 1/2) = 1."""
    monkeypatch.setattr(blend_weights, "RIDGE", HELD)
    weights, fit = fitted(NONE, two_sided())
    np.testing.assert_allclose(weights, [math.log(3), 0.5], atol=1e-9)
    # 4 rows · 3/4 · 1/4, and a slope of −1.
    np.testing.assert_allclose(fit.curvature, np.diag([0.75, 0]), atol=1e-9)
    np.testing.assert_allclose(fit.pull, [0.75 * math.log(3) + 1, 0], atol=1e-9)
    assert Fit.of(fit.tensor).pull.tolist() == fit.pull.tolist()
    assert Fit.of(fit.tensor).curvature.tolist() == fit.curvature.tolist()


def test_within_a_request_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four requests of two candidates that differ by one have the same loss; one without a positive, or without a
    negative, says nothing.
    """
    monkeypatch.setattr(blend_weights, "RIDGE", HELD)
    label = [1, 0, 0, 1, 1, 0, 1, -1, 1, 1, 0, 0]
    first = [1, 0, 7, 8, 1, 0, 3, 2, 5, 5, 9, 1]
    arrays = rows(label, [2, 2, 2, 2, 2, 2])
    weights, fit = fitted(NONE, loss(arrays, first, [0] * 12, "softmax"))
    np.testing.assert_allclose(weights, [math.log(3), 0.5], atol=1e-9)
    np.testing.assert_allclose(fit.curvature, np.diag([0.75, 0]), atol=1e-9)


def test_several_positives_of_a_request_count_as_their_mean() -> None:
    """Of scores 0, 0, 0 with two positives: loss ln 3, slope the mean of all less that of the two."""
    value, slope, curvature = loss(rows([1, 1, 0], [3]), [3, 0, 0], [0, 0, 6], "softmax")(np.zeros(2))
    assert value == pytest.approx(math.log(3))
    np.testing.assert_allclose(slope, [1 - 1.5, 2 - 0])
    np.testing.assert_allclose(curvature, [[3 - 1, 0 - 2], [0 - 2, 12 - 4]])


def test_a_day_without_anything_judged_says_nothing() -> None:
    for arrays, kind in ((rows([-1, -1]), "binary"), (rows([1, 1, 0], [2, 1]), "softmax")):
        assert loss_of(Task(loss=kind), arrays, np.zeros((2, len(arrays.label)), np.float32)) is None  # type: ignore[arg-type]


def test_what_earlier_days_said_fades(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a day of curvature .75 and pull p, one that says nothing leaves (.75 d + HELD) w = d p + HELD/2."""
    monkeypatch.setattr(blend_weights, "RIDGE", HELD)
    _, before = fitted(NONE, two_sided())
    weights, after = fitted(before, loss(rows([0]), [0], [0]))
    kept = 0.5 ** (1 / HALF_LIFE)
    pull = 0.75 * math.log(3) + 1
    assert weights[0] == pytest.approx((kept * pull + HELD / 2) / (kept * 0.75 + HELD))
    assert after.curvature[0, 0] == pytest.approx(kept * 0.75)


def test_no_member_weighs_less_than_nothing() -> None:
    """The second one says the opposite of what came, of thousands of rows; it is left out, to the bit."""
    clicks = np.tile([1, 0], 3000)
    sides = np.where(np.tile([1, 1, 0], 2000) == 1, clicks, 1 - clicks) * 2.0 - 1
    weights, _ = fitted(NONE, loss(rows(clicks.tolist()), sides.tolist(), (1.0 - 2 * clicks).tolist()))
    assert weights[1] == 0
    assert weights[0] > 0.4


def test_the_same_days_give_the_same_bits_and_steps_do_not_run_away() -> None:
    drawn = np.random.default_rng(3)
    clicks = drawn.integers(0, 2, 500)
    first = (40 * (clicks - 0.5) + drawn.normal(0, 30, 500)).tolist()
    found = [fitted(NONE, loss(rows(clicks.tolist()), first, [30.0] * 500)) for _ in range(2)]
    assert found[0][0].tobytes() == found[1][0].tobytes()
    assert found[0][1].tensor.tobytes() == found[1][1].tensor.tobytes()
    weights = found[0][0]
    _, slope, _ = loss(rows(clicks.tolist()), first, [30.0] * 500)(weights)
    pulled = slope + blend_weights.RIDGE * (weights - 0.5)
    assert np.abs(np.where(weights > 0, pulled, np.minimum(pulled, 0))).max() < 1e-3
