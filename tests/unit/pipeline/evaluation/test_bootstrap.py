"""Intervals against the plain definition: the measure of the rows of the users drawn, as often as they are drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.schema import ONLY
from pipeline.config.measures import MEASURES, allowed
from pipeline.evaluation import bootstrap
from pipeline.evaluation.bootstrap import Scored, bounds, intervals, resampled
from tests.unit.pipeline.judged import BETTER, COMPOSITE, compared, day, everything, scored

COMPARED = [(kind, name) for kind in MEASURES for name in allowed(MEASURES[kind], "margin")]


def noisy(kind: str, seed: int = 4) -> Scored:
    """Some users have one row, some one class, some requests nothing but positives or none; scores are often equal."""
    rng = np.random.default_rng(seed)
    requests = 60
    sizes = rng.integers(1, 6, requests) if kind == "ranking" else np.ones(requests, int)
    rows = int(sizes.sum())
    arrays = day(
        np.r_[0, np.cumsum(sizes)].tolist(), rng.integers(0, 2, rows).tolist(), rng.integers(0, 13, requests).tolist()
    )
    new, old = (rng.integers(-3, 4, rows).astype(np.float32) for _ in range(2))
    return compared(kind, arrays, rng.permutation(rows).astype(np.int32), COMPOSITE, new, old)


def drawn_rows(found: Scored, draw: NDArray[np.float64]) -> Scored:
    """The rows of each user as often as he is drawn, each time as another user's."""
    offsets, users = found.arrays.offsets, np.unique(found.arrays.user)
    pairs: list[int] = []
    ends, owners = [0], []
    for number, user in enumerate(np.repeat(users, draw.astype(int))):
        for request in np.flatnonzero(found.arrays.user == user):
            pairs += range(offsets[request], offsets[request + 1])
            ends.append(len(pairs))
            owners.append(number)
    rows = day(ends, found.arrays.label[pairs, 0].tolist(), owners)
    new, old = ({ONLY: each[ONLY][pairs]} for each in (found.new, found.old))
    return replace(found, arrays=rows, key_rank=found.key_rank[pairs], new=new, old=old)


@pytest.mark.parametrize(("kind", "name"), COMPARED)
def test_a_draw_is_the_measure_of_the_drawn_users_rows(kind: str, name: str) -> None:
    found = noisy(kind)
    draws = np.random.default_rng(8).multinomial(found.units, np.full(found.units, 1 / found.units), size=12)
    new, old = (bootstrap._model(found, name, each[ONLY]).drawn(draws.astype(float)) for each in (found.new, found.old))
    for draw, answered in zip(draws, np.column_stack([new, old]), strict=True):
        rows = drawn_rows(found, draw)
        assert answered == pytest.approx(
            [everything(rows, old=old).values[name] for old in (False, True)], abs=1e-12
        )


@pytest.mark.parametrize(("kind", "name"), COMPARED)
def test_an_interval_is_of_the_paired_differences_of_the_same_draws(kind: str, name: str) -> None:
    found, measure = noisy(kind), MEASURES[kind][name]  # type: ignore[index]
    both = resampled(found, {"new": found.new[ONLY], "old": found.old[ONLY]}, name, resamples=60, seed=5)
    new, old = both["new"], both["old"]
    assert new is not None
    assert old is not None
    differences = np.array(
        [measure.worth(float(a)) - measure.worth(float(b)) for a, b in zip(new.draws, old.draws, strict=True)]
    )
    interval = intervals(found, [name], resamples=60, confidence=0.9, seed=5)[name]
    assert interval is not None
    assert interval.difference == pytest.approx(measure.worth(new.value) - measure.worth(old.value))
    assert [interval.low, interval.high] == pytest.approx(np.quantile(differences, [0.05, 0.95]))


@pytest.mark.parametrize(("kind", "name"), COMPARED)
def test_the_difference_of_a_day_known_by_hand_is_the_same_in_every_draw(kind: str, name: str) -> None:
    for swapped, sign in ((False, 1), (True, -1)):
        found = intervals(scored(kind, swapped=swapped), [name], resamples=50, confidence=0.95, seed=1)[name]
        assert found is not None
        assert [found.difference, found.low, found.high] == pytest.approx([sign * BETTER[kind][name]] * 3, abs=1e-6)


def test_gauc_weighs_a_user_by_his_rows_and_draws_him_whole() -> None:
    # ten users of 2 rows: AUC 1 against 0; ten of 6 rows: 1 and 1; five of 100 rows and one class, who count nothing
    small, large, single = [1, 0], [1, 0, 0, 0, 0, 0], [0] * 100
    label = small * 10 + large * 10 + single * 5
    new = [1.0, 0.0] * 10 + [1.0, 0, 0, 0, 0, 0] * 10 + [0.0] * 500
    old = [0.0, 1.0] * 10 + [1.0, 0, 0, 0, 0, 0] * 10 + [0.0] * 500
    user = np.repeat(np.arange(25), [2] * 10 + [6] * 10 + [100] * 5).tolist()
    rows = day(list(range(len(label) + 1)), label, user)
    both = [np.array(each, np.float32) for each in (new, old)]
    found = intervals(compared("impressions", rows, np.zeros(0, np.int32), {}, *both), ["gauc"],
                      resamples=400, confidence=0.95, seed=1)["gauc"]  # fmt: skip
    assert found is not None
    assert found.difference == pytest.approx(10 * 2 / (10 * 2 + 10 * 6))
    # With 4 to 16 of the small and the large drawn, 2a / (2a + 6b) lies between 1/13 and 4/7.
    assert 1 / 13 < found.low < 0.2 < 0.3 < found.high < 4 / 7


def test_draws_do_not_hang_on_how_many_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(bootstrap._draws(13, 50, 3)))
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_ONCE", 40)
    blocks = list(bootstrap._draws(13, 50, 3))
    assert len(blocks) == 17
    assert np.array_equal(np.concatenate(blocks), whole)


@pytest.mark.parametrize(("kind", "name"), COMPARED)
def test_bounds_of_one_model_hold_its_measure(kind: str, name: str) -> None:
    found = noisy(kind)
    within = bounds(found, name, resamples=200, confidence=0.95, seed=2)
    value = everything(found).values[name]
    assert within is not None
    assert value is not None
    assert within[0] <= value <= within[1]


def test_one_user_has_no_interval() -> None:
    rows = day([0, 1, 2], [1, 0], [7, 7])
    alone = compared("impressions", rows, np.zeros(0, np.int32), {}, *[np.array([1.0, 0.0], np.float32)] * 2)
    for name in allowed(MEASURES["impressions"], "margin"):
        assert intervals(alone, [name], resamples=50, confidence=0.95, seed=1) == {name: None}
        assert bounds(alone, name, resamples=50, confidence=0.95, seed=1) is None
