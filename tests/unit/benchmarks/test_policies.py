"""The paired difference that the benchmark of policies prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.policies import NO_LAST_YEAR, PLAIN, REPLAY, Hits, difference, variants

CONF = Path(__file__).resolve().parents[3] / "conf"


def _hits(new: list[int], old: list[int], teacher: list[int]) -> Hits:
    hits = {PLAIN: np.array(new, bool), NO_LAST_YEAR: np.array(old, bool)}
    return Hits(hits, np.array(teacher), np.ones(len(teacher), bool))


def test_difference_over_the_chosen_requests_only() -> None:
    found = _hits([1, 1, 0, 1], [0, 1, 0, 0], [7, 7, 8, 9])
    got = difference(found, PLAIN, NO_LAST_YEAR, np.array([True, True, True, False]))
    assert (got.requests, got.new, got.old) == (3, pytest.approx(2 / 3), pytest.approx(1 / 3))


def test_the_same_gain_of_every_teacher_is_certain() -> None:
    found = _hits([1, 0] * 20, [0, 0] * 20, np.repeat(np.arange(20), 2).tolist())
    got = difference(found, PLAIN, NO_LAST_YEAR, np.ones(40, bool))
    assert (got.low, got.high) == (0.5, 0.5)


def test_the_interval_is_over_teachers_not_requests() -> None:
    # All of the gain is one teacher's: a sample of four teachers without that one (0.32 of them) shows none.
    found = _hits([1] * 25 + [0] * 75, [0] * 100, np.repeat(np.arange(4), 25).tolist())
    got = difference(found, PLAIN, NO_LAST_YEAR, np.ones(100, bool))
    assert got.low == 0.0
    assert got.high == 0.75


def test_one_teacher_has_no_interval() -> None:
    with pytest.raises(ValueError, match="1 teachers"):
        difference(_hits([1, 0], [0, 0], [3, 3]), PLAIN, NO_LAST_YEAR, np.ones(2, bool))


@pytest.mark.parametrize("counters", [True, False])
def test_variants_differ_in_their_policy_alone(counters: bool) -> None:
    config = variants(CONF, "pooled", counters=counters)
    plain, without, replay = (config.experiments[name] for name in (PLAIN, NO_LAST_YEAR, REPLAY))
    assert plain.replay == without.replay == "off"
    assert replay == plain.model_copy(update={"replay": "new"})
    left_out = set(without.without) - set(plain.without)
    assert left_out == {"last_year_chapters", "last_year_sections", "last_year_styles"}
    assert without.model_copy(update={"without": plain.without}) == plain
    assert ("own_style" in plain.without) != counters
