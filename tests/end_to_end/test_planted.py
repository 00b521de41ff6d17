"""Features of what came of it all find what is planted for them, and nothing where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.planted import ADS, HOMEWORK, find
from benchmarks.schools import FIRST
from examples.school.options import Options
from models.engine.engine import configure

configure(2)

SIZES = {"teachers": 150, "last_year_classes": 2, "users": 400, "ads": 60, "click_rate": 0.3, "dirty": 0.0}


def school(*effects: str, days: int, impressions: int = 100) -> Options:
    return Options(FIRST, days=days, impressions=impressions, effects=frozenset(effects), **SIZES)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("effects", [("exposures", "watching"), ()], ids=["planted", "not planted"])
def test_of_exposures_what_came_of_them_and_what_was_watched_is_found(effects: tuple[str, ...], tmp_path: Path) -> None:
    for effect, standing in find(ADS, school(*effects, days=8, impressions=2500), tmp_path).items():
        assert (standing.verdict == "better") == (effect in effects), effect


@pytest.mark.slow
@pytest.mark.parametrize("effects", [("together",), ()], ids=["planted", "not planted"])
def test_of_homework_sections_that_are_set_together_are_found(effects: tuple[str, ...], tmp_path: Path) -> None:
    standing = find(HOMEWORK, school(*effects, days=12), tmp_path)["together"]
    assert (standing.verdict == "better") == ("together" in effects)
