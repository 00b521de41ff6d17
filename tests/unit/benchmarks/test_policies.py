"""The variants that the benchmark of policies compares, and what it prints of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.policies import AGAIN, NO_LAST_YEAR, PLAIN, REPLAY, variants

CONF = Path(__file__).resolve().parents[3] / "conf"


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
