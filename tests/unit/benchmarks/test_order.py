"""What order is worth in generated rows: the law's own scores, and the experiments that are to find it."""

from __future__ import annotations

import pytest

from benchmarks.order import EFFECTS, MODELS, job, perfect
from benchmarks.schools import FIRST
from examples.school.options import Options


def perfect_of(*effects: str) -> float:
    school = Options(
        FIRST, days=6, users=300, ads=60, impressions=3000, click_rate=0.4, effects=frozenset(effects), dirty=0
    )
    return perfect(school, FIRST.plus(3))


def test_rows_hold_the_law_and_order_is_worth_more_than_what_is_alike() -> None:
    """The AUC of a perfect model on rows that hold none, each alone, and both of the effects."""
    none, exposures, turns, both = (
        perfect_of(*effects) for effects in ((), ("exposures",), ("turns",), sorted(EFFECTS))
    )
    assert none + 0.1 < exposures < turns - 0.02
    assert turns + 0.02 < both
    assert both == pytest.approx(0.83, abs=0.02)


def test_the_experiments_differ_in_the_model_alone() -> None:
    config = job(MODELS)
    assert {name: each.model for name, each in config.experiments.items()} == {name: name for name in MODELS}
    alike = [each.model_copy(update={"model": "", "options": {}}) for each in config.experiments.values()]
    assert all(each == alike[0] for each in alike)
    assert len({frozenset(config.inputs(name)) for name in MODELS}) == 1
