"""Settings of an experiment, and how its releases are judged."""

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import parse_job
from pipeline.errors import ConfigError
from tests.unit.pipeline.config.edited import ROOT, edited


def test_the_limit_of_a_rise_changes_no_digest_until_it_is_set(ads: str) -> None:
    before = parse_job(ads, Path("ads.yaml"))
    assert before.release.gate.rise == 0.1
    # Of the settings as they were before there was such a limit.
    assert "rise" not in before.model_dump(mode="json")["release"]["gate"]
    for value in (None, 0.3):
        after = parse_job(edited(ads, release__gate__rise=value), Path("ads.yaml"))
        assert before.stage_settings("gate") != after.stage_settings("gate")


def test_an_optimiser_is_kept_as_it_was_written(ads: str) -> None:
    """A name is digested as before there were mappings."""
    for given in ("lazy_adam", {"tables": {"type": "adagrad", "rate": 1e-3}, "dense": "adam"}):
        config = parse_job(edited(ads, experiments__din__optimizer=given), Path("ads.yaml"))
        assert config.experiments["din"].model_dump(mode="json")["optimizer"] == given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("lazy", "optimizer 'lazy'; expected one of catch_up_adam, lazy_adam, "),
        ({"dense": {"type": "adam", "momentum": 0.9}}, "optimizer: `dense`: adam has no option 'momentum'; its "),
        ({"tables": {"type": "adagrad", "rate": -1}}, "optimizer: `tables`: adagrad, option 'rate': -1 is not a numbe"),
        (["adagrad"], "optimizer: ['adagrad'] is neither the name of an optimiser of the tables nor a mapping of tab"),
        (3, "optimizer: 3 is neither the name of an optimiser of the tables nor a mapping of tables, named, dense"),
    ],
)
def test_a_wrong_optimiser_is_told_where_it_stands(ads: str, given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"ads.yaml: experiments.din.optimizer: {message}")):
        parse_job(edited(ads, experiments__din__optimizer=given), Path("ads.yaml"))


def test_pairs_are_of_the_impressions_of_a_user(ads: str) -> None:
    before, after = (parse_job(each, Path("ads.yaml")) for each in (ads, edited(ads, experiments__din__pairwise=0.5)))
    assert after.experiments["din"].pairwise == 0.5
    assert before.stage_settings("train", "din") != after.stage_settings("train", "din")
    assert "pairwise" not in before.experiments["din"].model_dump()
    homework = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match=r"pooled\.pairwise: would have no effect: it is of each two imp"):
        parse_job(edited(homework, experiments__pooled__pairwise=0.5), Path("homework.yaml"))


def test_workers_take_equal_parts_of_a_batch_and_share_the_threads(ads: str) -> None:
    for workers, batch, message in ((3, 256, "batch: 256 rows have no 3 equal parts (`workers`); give 255 or 258"),
                                    (4, 2, "batch: 2 rows have no 4 equal parts (`workers`); give 4")):  # fmt: skip
        with pytest.raises(ConfigError, match=re.escape(message)):
            parse_job(edited(ads, experiments__din__workers=workers, experiments__din__batch=batch), Path("ads.yaml"))
    config = parse_job(edited(ads, experiments__din__workers=2), Path("ads.yaml"))
    assert [config.experiments["din"].share(threads) for threads in (1, 4, 5)] == [1, 2, 2]
    assert config.experiments["pooled"].share(5) == 5


def test_one_worker_changes_no_digest(ads: str) -> None:
    config = parse_job(ads, Path("ads.yaml"))
    assert "workers" not in config.model_dump(mode="json")["experiments"]["din"]
    said = parse_job(edited(ads, experiments__din__workers=1), Path("ads.yaml"))
    two = parse_job(edited(ads, experiments__din__workers=2), Path("ads.yaml"))
    assert said.stage_settings("train", "din") == config.stage_settings("train", "din")
    assert two.stage_settings("train", "din") != config.stage_settings("train", "din")
