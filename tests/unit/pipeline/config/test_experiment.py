"""Settings of an experiment, and how its releases are judged."""

from pathlib import Path

from pipeline.config.load import parse_job
from tests.unit.pipeline.config.edited import edited


def test_the_limit_of_a_rise_changes_no_digest_until_it_is_set(ads: str) -> None:
    before = parse_job(ads, Path("ads.yaml"))
    assert before.release.gate.rise == 0.1
    # Of the settings as they were before there was such a limit.
    assert "rise" not in before.model_dump(mode="json")["release"]["gate"]
    for value in (None, 0.3):
        after = parse_job(edited(ads, release__gate__rise=value), Path("ads.yaml"))
        assert before.stage_settings("gate") != after.stage_settings("gate")
