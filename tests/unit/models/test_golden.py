"""Layers and models against numbers that something else computed (``tests.golden``): outputs, losses, gradients.

A case stands in the module of ``golden_cases`` that its layer belongs to, under its file's name.
"""

from __future__ import annotations

import pytest

from tests.golden import golden
from tests.unit.models.golden_cases import (
    attention,
    auxiliary,
    cold_start,
    interactions,
    recurrent,
    sessions,
    tasks,
    transformer,
    trees,
)
from tests.unit.models.golden_cases.case import assert_golden

CASES = {
    **recurrent.CASES, **auxiliary.CASES, **attention.CASES, **interactions.CASES, **transformer.CASES,
    **sessions.CASES, **cold_start.CASES, **trees.CASES, **tasks.CASES,
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_computed_is_what_something_else_computed(case: str) -> None:
    assert_golden(CASES[case], golden(case))
