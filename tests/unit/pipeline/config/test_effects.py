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
    "a rate that no optimiser has": (
        "ads",
        lambda job: job["experiments"]["din"].update(
            learning_rate=0.01,
            optimizer={"tables": {"type": "sgd", "rate": 0.1}, "dense": {"type": "adam", "rate": 0.001}},
        ),
        "experiments.din.learning_rate", "a `rate` of its own",
    ),
    "a rate that no optimiser has, where the tables are named": (
        "ads",
        lambda job: job["experiments"]["din"].update(
            learning_rate=0.01,
            optimizer={"named": {"*": {"type": "sgd", "rate": 0.1}}, "dense": {"type": "adam", "rate": 0.001}},
        ),
        "experiments.din.learning_rate", "a `rate` of its own",
    ),
    "a session of more clicks than are kept": (
        "ads", lambda job: split(job, steps=30, sessions={"by": "day", "least": 21}),
        "features.visits.sessions.least", "no session could have 21 steps: 20 are kept (`impressions.history_length`)",
    ),
    "more steps of a session than clicks are kept": (
        "ads", lambda job: split(job, steps=21, sessions={"by": "day"}),
        "features.visits.steps", "no more than the 20 steps",
    ),
    "more sessions than clicks are kept of": (
        "ads", lambda job: split(job, steps=5, sessions={"by": "day", "most": 7, "least": 3}),
        "features.visits.sessions.most", "no more than 6 sessions (`impressions.history_length: 20`)",
    ),
    "more lessons than days": (
        "homework", lambda job: lessons(job, steps=4, sessions={"by": "day", "most": 5}),
        "features.lessons.sessions.most", "no more than 4 sessions (`history.length: 4`)",
    ),
    "a lesson of more ids than are kept": (
        "homework", lambda job: lessons(job, steps=9, sessions={"by": "day", "most": 4, "least": 5}),
        "features.lessons.sessions.least", "4 are kept (`history.values`)",
    ),
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
    "an encoder of a history that the experiment leaves out": (
        "ads",
        lambda job: job["experiments"]["din"].update(
            without=["behaviours"], options={"encoders": {"behaviours": {"type": "pooled"}}}
        ),
        "experiments.din.options.encoders.behaviours", "does not see this history (`without` names it)",
    ),
    "an encoder of a history that the experiment does not name": (
        "ads",
        lambda job: job["experiments"]["din"].update(
            only=["ad", "clicked_ads"], options={"encoders": {"behaviours": {"type": "pooled"}}}
        ),
        "experiments.din.options.encoders.behaviours", "does not see this history (`only` does not name it)",
    ),
    "a flagged id": (
        "ads", lambda job: job["features"]["user"].update(flag=True), "features.user.flag", "`dense`",
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
    "a fall that begins at its floor": (
        "ads", lambda job: job["experiments"]["din"].update(learning_rate=1e-3, decay=0.9, floor=0.01),
        "experiments.din.decay", "is not above its `floor` of 0.01",
    ),
    "a width where all have their own": (
        "ads", lambda job: job["experiments"]["din"].update(dim=8, dims=dict.fromkeys(job["spaces"], 4)),
        "experiments.din.dim", "a width of its own",
    ),
    "without what no model sees": (
        "homework",
        lambda job: (job["features"]["package"].update(input=False),
                     job["experiments"]["din"].update(without=["package"])),
        "experiments.din.without", "`input: false`",
    ),
    "more days than are looked at": (
        "ads", lambda job: job.update(alerts={"days": 2}), "alerts.least_days", "never among the last 2",
    ),
    "new teachers of impressions": (
        "ads", lambda job: job["impressions"]["profile"].update(register_day="test_timestamp"),
        "impressions.profile.register_day", "kind: ranking",
    ),
    "a rank of what was seen": (
        "homework", lambda job: job["ranking"].update(candidates={"from": "seen", "rank": "section_rank"}),
        "ranking.candidates.rank", "how often",
    ),
    "a key of a dated table": (
        "ads", lambda job: job["tables"]["impressions"].update(key=["user_id"]), "tables.impressions.key", "undated",
    ),
    "readiness of an undated table": (
        "ads", lambda job: job["tables"]["users"].update(ready={"marker": False}), "tables.users.ready", "undated",
    ),
    "readiness of what is not waited for": (
        "homework", lambda job: job["tables"]["style_counts"].update(ready={"marker": True}),
        "tables.style_counts.ready", "required: false",
    ),
    "a share of no row count": (
        "ads", lambda job: job["tables"]["impressions"].update(ready={"weekday_share": 0.9}),
        "tables.impressions.ready.weekday_share", "unchanged_minutes",
    ),
    "an undated table that may be empty": (
        "ads", lambda job: job["tables"]["users"].update(required=False), "tables.users.required", "undated",
    ),
    "a limit of text": (
        "ads", lambda job: column(job, "impressions", type="str", min=3), "tables.impressions.columns.more.min", "str",
    ),
    "a limit of a day": (
        "ads", lambda job: column(job, "impressions", type="day", max=3), "tables.impressions.columns.more.max", "day",
    ),
    "values of a day": (
        "ads", lambda job: column(job, "impressions", type="day", allowed=[3]),
        "tables.impressions.columns.more.allowed", "a day",
    ),
    "items of one number": (
        "ads", lambda job: column(job, "impressions", type="int", max_items=3),
        "tables.impressions.columns.more.max_items", "of type int",
    ),
    "a number that is no time": (
        "ads", lambda job: column(job, "impressions", type="time", absent=[0]),
        "tables.impressions.columns.more.absent", "in quotes",
    ),
    "a word where numbers are": (
        "ads", lambda job: column(job, "impressions", type="int", allowed=["abc"]),
        "tables.impressions.columns.more.allowed", "'abc' is no whole number",
    ),
    "half a number": (  # was read as 1
        "ads", lambda job: column(job, "impressions", type="int_list", absent=[1.5]),
        "tables.impressions.columns.more.absent", "1.5 is no whole number",
    ),
    "no value at all": (
        "ads", lambda job: column(job, "impressions", type="str", allowed=[]),
        "tables.impressions.columns.more.allowed", "no value passes",
    ),
}  # fmt: skip


def column(job: dict[str, Any], table: str, **declared: Any) -> None:
    job["tables"][table]["columns"]["more"] = declared


def split(job: dict[str, Any], **declared: Any) -> None:
    job["features"]["visits"] = {"kind": "sessions", "space": "ad", "source": "history.items", "of": "ad"} | declared


def lessons(job: dict[str, Any], **declared: Any) -> None:
    visits = {"kind": "sessions", "space": "section", "source": "history.sections", "of": "sections"}
    job["features"]["lessons"] = visits | declared


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


def test_as_many_sessions_as_are_kept_are_taken() -> None:
    content = settings("ads")
    split(content, steps=20, sessions={"by": "day", "most": 6, "least": 3})
    load(content)
    content = settings("homework")
    lessons(content, steps=4, sessions={"by": "day", "most": 4, "least": 4})
    load(content)


def test_words_and_numbers_that_can_act_are_taken() -> None:
    content = settings("ads")
    column(content, "impressions", type="int", absent=["none", -1, 2.0], allowed=["3", 4])
    assert load(content).tables["impressions"].columns["more"].absent == ("none", -1, 2.0)


def test_a_first_output_is_part_of_the_digest_where_it_is_not_the_default() -> None:
    content = settings("ads")
    digest = load(content).stage_settings("train", "din")
    content["experiments"]["din"]["first_output"] = "base_rate"
    assert load(content).stage_settings("train", "din") == digest
    content["experiments"]["din"]["first_output"] = "half"
    assert load(content).stage_settings("train", "din") != digest
