from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.job import JobConfig
from pipeline.config.load import parse_job
from pipeline.errors import ConfigError
from tests.tiny import settings

Change = Callable[[dict[str, Any]], object]

IDLE: dict[str, tuple[str, Change, str, str]] = {
    "softmax over one candidate": (
        "ads", lambda job: job["experiments"]["din"].update(loss="softmax"), "experiments.din.loss", "loss: binary",
    ),
    "negatives of an impression": (
        "ads", lambda job: job["experiments"]["din"].update(negatives=31), "experiments.din.negatives", "has one",
    ),
    "last year's rows of impressions": (
        "ads",
        lambda job: (job.update(replay={"match": ["row.user_id"]}), job["experiments"]["din"].update(replay="new")),
        "replay", "homework",
    ),
    "days of impressions": (
        "ads", lambda job: job["history"].update(days="calendar"), "history.days", "the last items",
    ),
    "a lead of impressions": (
        "ads", lambda job: job.update(history={"lead": 3}), "history.lead", "whose histories are days",
    ),
    "hits of impressions": (
        "ads", lambda job: job["measures"].update(composite={1: 1.0}), "measures.composite", "kind: ranking",
    ),
    "calibration of a ranking": (
        "homework", lambda job: job["release"].update(gate={"calibration": [0.8, 1.25]}),
        "release.gate.calibration", "of impressions alone",
    ),
    "a weight of no rows": (
        "homework", lambda job: job["experiments"]["pooled"].update(replay_weight=0.5),
        "experiments.pooled.replay_weight", "replay: off",
    ),
    "an order of no rows": (
        "homework", lambda job: job["experiments"]["pooled"].update(replay_order="after"),
        "experiments.pooled.replay_order", "replay: off",
    ),
    "a floor of a rate that stays": (
        "ads", lambda job: job["experiments"]["din"].update(floor=1e-4), "experiments.din.floor", "decay: 1",
    ),
    "a first output of differences": (
        "homework", lambda job: job["experiments"]["din"].update(first_output="half"),
        "experiments.din.first_output", "softmax",
    ),
    "a width of a space that is not read": (
        "ads", lambda job: job["experiments"]["din"].update(only=["ad", "clicked_ads"], dims={"user": 4}),
        "experiments.din.dims.user", "no feature of this experiment",
    ),
    "without what is not there": (
        "ads", lambda job: job["experiments"]["din"].update(only=["ad", "clicked_ads"], without=["user"]),
        "experiments.din.without", "'user' is not among `only`",
    ),
    "steps of one id": (
        "ads", lambda job: job["features"]["user"].update(steps=3), "features.user.steps", "`sequence`",
    ),
    "a group of another spelling": (
        "ads",
        lambda job: [job["features"][name].update(group=group)
                     for name, group in (("clicked_ads", "recent"), ("behaviours", "recnet"))],
        "features.clicked_ads.group", "no other history is of the group 'recent' (is 'recnet' meant?)",
    ),
    "a normalised id": (
        "ads", lambda job: job["features"]["user"].update(normalise="zscore"), "features.user.normalise", "`dense`",
    ),
    "a smoothed count": (
        "homework", lambda job: job["features"]["taken"]["counter"].update(smoothing=3),
        "features.taken.counter.smoothing", "`rate`",
    ),
    "positives of a rate": (
        "ads", lambda job: job["features"]["ad_rate"]["counter"].update(positives=True),
        "features.ad_rate.counter.positives", "`count`",
    ),
}  # fmt: skip


def load(content: dict[str, Any]) -> JobConfig:
    return parse_job(yaml.safe_dump(content, sort_keys=False), Path("conf/job.yaml"))


@pytest.mark.parametrize("name", IDLE)
def test_a_setting_that_cannot_act_is_refused(name: str) -> None:
    job, change, field, why = IDLE[name]
    content = settings(job)
    load(content)
    change(content)
    with pytest.raises(ConfigError) as told:
        load(content)
    assert str(told.value).startswith(f"conf/job.yaml: {field}: ")
    assert why in str(told.value)


@pytest.mark.parametrize("job", ["ads", "homework"])
def test_the_settings_in_a_release_are_read_though_every_default_is_given(job: str) -> None:
    config = load(settings(job))
    again = JobConfig.model_validate_json(config.model_dump_json(by_alias=True))
    assert again.stage_settings("train", "din") == config.stage_settings("train", "din")


def test_a_first_output_is_part_of_the_digest_where_it_is_not_the_default() -> None:
    content = settings("ads")
    digest = load(content).stage_settings("train", "din")
    content["experiments"]["din"]["first_output"] = "base_rate"
    assert load(content).stage_settings("train", "din") == digest
    content["experiments"]["din"]["first_output"] = "half"
    assert load(content).stage_settings("train", "din") != digest
