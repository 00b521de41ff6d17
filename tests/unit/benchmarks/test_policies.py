"""The variants that the benchmark of policies compares, and what it prints of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.policies import AGAIN, NO_LAST_YEAR, PLAIN, REPLAY, told, variants
from pipeline.evaluation.compare import Standing

CONF = Path(__file__).resolve().parents[3] / "conf"


def test_a_standing_in_words() -> None:
    assert told(Standing("replay", 9, 0.45, 0.42, 0.03, 0.01, 0.05)) == (
        "hit_3 0.420 -> 0.450, +0.0300 [+0.0100, +0.0500] over 9 days: better"
    )
    assert told(Standing("replay", 0)) == "no day to compare"


@pytest.mark.parametrize("counters", [True, False])
def test_variants_differ_in_their_policy_alone(counters: bool) -> None:
    config = variants(CONF, "pooled", counters=counters)
    plain, without, replay = (config.experiments[name] for name in (PLAIN, NO_LAST_YEAR, REPLAY))
    assert plain.replay == without.replay == "off"
    assert replay == plain.model_copy(update={"replay": "new"})
    assert config.experiments[AGAIN] == plain
    left_out = set(without.without) - set(plain.without)
    assert left_out == {"last_year_chapters", "last_year_sections", "last_year_styles"}
    assert without.model_copy(update={"without": plain.without}) == plain
    assert ("own_style" in plain.without) != counters
