"""What the benchmark of interactions trains: columns that hold an effect, models that differ in nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.interactions import AGAIN, COLUMNS, WORLDS, variants
from examples.criteo_like import _PAIRS, _TRIPLES

CONF = Path(__file__).resolve().parents[3] / "examples" / "conf"


def test_the_columns_are_those_that_effects_are_planted_in() -> None:
    planted = {f"c{number}" for each in (*_PAIRS, *_TRIPLES) for number in each}
    assert set(COLUMNS) == planted


@pytest.mark.parametrize("models", WORLDS.values())
def test_variants_differ_in_their_model_alone(models: tuple[str, ...]) -> None:
    config = variants(CONF, models, 3e-3, 512)
    assert set(config.experiments) == {*models, AGAIN}
    like = {each.model_copy(update={"model": "", "options": {}, "seed": None}).model_dump_json()
            for each in config.experiments.values()}  # fmt: skip
    assert len(like) == 1
    assert config.experiments[AGAIN].model == models[0]
    assert list(config.features) == list(COLUMNS)
