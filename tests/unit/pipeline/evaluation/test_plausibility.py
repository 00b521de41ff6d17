"""How good a day may be after the days before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.schema import ONLY
from pipeline.config.experiment import Gate
from pipeline.config.measures import MEASURES
from pipeline.days import Day
from pipeline.evaluation.plausibility import implausible, limit_of, usual
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from tests.unit.pipeline.judged import compared, day
from tests.unit.pipeline.release.days import commit
from tests.unit.pipeline.release.days import context as small

AUC, LOG_LOSS = MEASURES["impressions"]["auc"], MEASURES["impressions"]["log_loss"]
COMPOSITE = MEASURES["ranking"]["composite"]
TODAY = Day.of(2024, 3, 20)


def test_of_a_settled_chain_a_tenth_of_the_way_to_a_perfect_value() -> None:
    assert limit_of([0.70] * 5, AUC, 0.1) == pytest.approx(0.73)
    assert limit_of([0.40] * 5, LOG_LOSS, 0.1) == pytest.approx(0.36)
    # Its weights add up to 1.1.
    assert limit_of([0.6] * 5, COMPOSITE, 0.1, 1.1) == pytest.approx(0.65)


def test_a_chain_that_swings_may_go_on_swinging() -> None:
    # Changes of .1, always: twice that above the best, more than .1 of .4.
    assert limit_of([0.5, 0.6, 0.5, 0.6, 0.5, 0.6], AUC, 0.1) == pytest.approx(0.8)
    # Changes of .03 and .04: twice the root of their mean square.
    assert limit_of([0.27, 0.30, 0.26], LOG_LOSS, 0.1) is None
    assert limit_of([0.70, 0.73, 0.69, 0.72, 0.68, 0.71, 0.67], AUC, 0.1) == pytest.approx(0.73 + 2 * 0.00125**0.5)


def test_a_young_chain_may_climb_half_of_the_way_and_a_loss_as_it_will() -> None:
    assert limit_of([], AUC, 0.1) is None
    assert limit_of([0.53], AUC, 0.1) == pytest.approx(0.765)
    assert limit_of([0.53, 0.55], AUC, 0.8) == pytest.approx(0.55 + 0.8 * 0.45)
    assert limit_of([0.69] * 4, LOG_LOSS, 0.1) is None


@pytest.mark.parametrize(
    ("measure", "values", "perfect"),
    [
        # KuaiRand (AUC), Online Retail and the generated school (composite) and its ads (AUC), as they were measured.
        (AUC, "0.6810 0.7201 0.7174 0.7271 0.7344 0.7379 0.7320 0.7355 0.7368", 1.0),
        (AUC, "0.5341 0.5736 0.4814 0.6304 0.5149 0.4781 0.5589 0.5695 0.5732 0.5517 0.5333 0.5146 0.5343", 1.0),
        (COMPOSITE, "0.1127 0.2975 0.3339 0.3098 0.4000 0.4444 0.3743 0.3991 0.4180 0.5311 0.4640 0.4615 0.4904", 1.1),
        (COMPOSITE, "0.6079 0.5953 0.6193 0.6478 0.6332 0.6209 0.6515 0.6265 0.6536 0.6541 0.6974 0.7107 0.6381", 1.1),
        (LOG_LOSS, "0.4246 0.1702 0.1679 0.1487 0.1490 0.1834 0.1658 0.1484 0.1638 0.1535 0.1698 0.1659 0.1862", 0.0),
    ],
)
def test_honest_chains_stay_within_it(measure: object, values: str, perfect: float) -> None:
    series = [float(each) for each in values.split()]
    for known in range(1, len(series)):
        limit = limit_of(series[:known], measure, 0.1, perfect)  # type: ignore[arg-type]
        assert limit is None or measure.worth(series[known]) <= measure.worth(limit), known  # type: ignore[attr-defined]


def test_rows_that_were_delivered_again_do_not() -> None:
    for known in ([0.53], [0.5341, 0.5736], [0.5341, 0.5736, 0.4814, 0.6304, 0.5149], [0.53, 0.88]):
        limit = limit_of(known, AUC, 0.1)
        assert limit is not None
        assert limit < (0.98 if 0.88 in known else 0.88)


@pytest.fixture
def context(tmp_path: Path) -> JobContext:
    return small(tmp_path)


def measured(context: JobContext, back: int, value: float | None, rise: str | None = None) -> Artifact:
    then = TODAY.plus(-back)
    commit(context, "gate", then, "a", verdict="promote" if rise is None else "inconclusive",
           **({"rise": rise} if rise is not None else {}))  # fmt: skip
    return commit(context, "test", then, "a", values={"auc": value})


def test_the_usual_range_is_of_the_last_four_weeks(context: JobContext) -> None:
    assert usual(context, TODAY, "a", ()) is None
    measured(context, 29, 0.9)
    before = [measured(context, back, 0.7) for back in (28, 20, 9, 3, 1)]
    measured(context, 2, None)
    measured(context, 0, 0.99)
    found = usual(context, TODAY, "a", ())
    assert found is not None
    assert (found.best, found.limit) == (0.7, pytest.approx(0.73))
    assert {each.id for each in found.tests} == {each.id for each in before}
    assert found.beyond(0.74)
    assert not found.beyond(0.72)
    assert usual(context, TODAY, "b", ()) is None


def test_a_day_that_was_not_believed_makes_nothing_usual_until_it_is_promoted(context: JobContext) -> None:
    for back in (9, 8, 7, 6, 5):
        measured(context, back, 0.7)
    measured(context, 3, 0.95, rise="too good")
    found = usual(context, TODAY, "a", ())
    assert found is not None
    assert found.best == 0.7
    assert usual(context, TODAY, "a", [TODAY.plus(-4), TODAY]) == found
    taken = usual(context, TODAY, "a", [TODAY.plus(-2)])
    assert taken is not None
    assert taken.best == 0.95


def test_null_believes_whatever_comes(tmp_path: Path) -> None:
    context = small(tmp_path, gate={"rise": None})
    measured(context, 1, 0.5)
    assert usual(context, TODAY, "a", ()) is None


def test_a_figure_of_few_users_may_be_chance(context: JobContext) -> None:
    for back in (1, 2, 3, 4, 5):
        measured(context, back, 0.5)
    found = usual(context, TODAY, "a", ())
    assert found is not None
    assert found.limit == pytest.approx(0.55)
    right = day(list(range(201)), [1, 0] * 100, np.repeat(np.arange(100), 2).tolist())
    scores = np.array([1.0, 0.0] * 100, np.float32)
    rows = compared("impressions", right, np.zeros(0, np.int32), {}, scores, scores)
    why = implausible(found, 1.0, rows, Gate(), 1)
    assert why == (
        "auc 1.0000 [1.0000, 1.0000] is too good to be believed: the best of 5 tested days before had 0.5000, "
        "the limit is 0.5500"
    )
    # Of four users one is wrong: the interval reaches down to 0.
    few = day(list(range(9)), [1, 0] * 4, np.repeat(np.arange(4), 2).tolist())
    mixed = np.array([1.0, 0.0] * 3 + [0.0, 1.0], np.float32)
    assert implausible(found, 0.75, replace(rows, arrays=few, new={ONLY: mixed}, old={ONLY: mixed}), Gate(), 1) is None


