"""A whole job: its parts agree, and a stage's digest is of what it reads."""

from pathlib import Path

import pytest

from pipeline.config.load import parse_job
from tests.unit.pipeline.config.edited import ROOT, edited, error


def test_champion_must_be_an_experiment(ads: str) -> None:
    assert "release.champion: 'dien' is not an experiment" in error(edited(ads, release__champion="dien"))


def test_unknown_time_zone(ads: str) -> None:
    assert "'Mars/Base' is not a time zone" in error(edited(ads, timezone="Mars/Base"))
    assert "'Asia' is not a time zone" in error(edited(ads, timezone="Asia"))  # a folder of them


def test_settings_of_one_experiment_leave_other_stages_alone(ads: str) -> None:
    before = parse_job(ads, Path("ads.yaml"))
    after = parse_job(edited(ads, experiments__din__learning_rate=0.005), Path("ads.yaml"))
    for stage in ("extract", "validate", "update_id_maps", "build_features"):
        assert before.stage_settings(stage) == after.stage_settings(stage)
    assert before.stage_settings("train", "pooled") == after.stage_settings("train", "pooled")
    assert before.stage_settings("train", "din") != after.stage_settings("train", "din")


def test_a_deadline_before_the_run_starts(ads: str) -> None:
    assert error(edited(ads, deadline_hours=-1.0)) == (
        "conf/ads.yaml: deadline_hours: before the end of the day, when its run starts; give the hours after it, 0 or "
        "more (got -1.0)"
    )


def test_a_kind_has_its_section_and_no_other(ads: str) -> None:
    assert "`kind: ranking` needs the section `ranking`" in error(edited(ads, kind="ranking"))
    assert "`experiments` is empty" in error(edited(ads, experiments={}))


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("features__ad__space", "nowhere", "features.ad.space: 'nowhere' is not declared under `spaces`"),
        ("features__clicked_ads__of", "nothing", "features.clicked_ads: refers to 'nothing', which is not a feature"),
        ("experiments__din__without", ["nothing"], "experiments.din.without: no such features: nothing"),
        (
            "experiments__din__only",
            ["ad", "clicked_adz"],
            "experiments.din.only: no such features: clicked_adz (is 'clicked_ads' meant?)",
        ),
        ("experiments__din__replay", "new", "experiments.din.replay: the job has no `replay` section"),
        ("experiments__din__dims", {"nowhere": 4}, "experiments.din.dims: no such id spaces: nowhere"),
        ("features__user_rate__counter__key", ["clicked_ads"], "counter.key: 'clicked_ads' is a sequence"),
    ],
)
def test_what_is_named_must_be_there(ads: str, place: str, value: object, said: str) -> None:
    assert said in error(edited(ads, **{place: value}))


def test_an_input_is_named_so_that_an_exported_model_can_take_it(ads: str) -> None:
    settings = {"kind": "categorical", "side": "request", "space": "user", "source": "row.user_id"}
    message = error(edited(ads, **{"features__user-id": settings, "features__lambda": settings}))
    assert "features.user-id: names an input" in message
    assert "call it 'user_id_id'" in message
    parse_job(edited(ads, **{"features__user-id": {**settings, "input": False}}), Path("conf/ads.yaml"))


def test_an_experiment_sees_what_it_names_less_what_it_leaves_out(ads: str) -> None:
    config = parse_job(edited(ads, experiments__din__only=["ad", "user", "hour"], experiments__din__without=["hour"],
                              features__user__input=False), Path("conf/ads.yaml"))  # fmt: skip
    assert config.inputs("din") == {"ad", "user"}
    assert {feature.name for feature in config.experiment_schema("din").features} == {"ad", "user"}
    assert "user" not in config.inputs("pooled")


def test_shards_and_what_works_on_them_are_in_no_digest(ads: str) -> None:
    plain = parse_job(ads, Path("ads.yaml"))
    sharded = parse_job(edited(ads, shards=16, engine="local", processes=2), Path("ads.yaml"))
    assert (plain.shards, sharded.shards, sharded.processes) == ("auto", 16, 2)
    assert parse_job(edited(ads, shards="auto"), Path("ads.yaml")).shards == "auto"
    for stage in ("extract", "validate", "update_id_maps", "build_features", "train"):
        assert plain.stage_settings(stage) == sharded.stage_settings(stage)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("shards", 0, "shards: is `auto`, or a number from 1 to 1024 (got 0)"),
        ("shards", "many", "shards: is a whole number; write it without quotes (got 'many')"),
        ("shards", "3", "shards: is a whole number; write it without quotes (got '3')"),
        ("engine", "cluster", "engine: Input should be 'local' or 'spark'"),
        ("processes", 0, "processes: Input should be greater than or equal to 1 (got 0)"),
    ],
)
def test_shards_that_cannot_be(ads: str, setting: str, value: object, said: str) -> None:
    assert said in error(edited(ads, **{setting: value}))


def test_where_days_are_one_part_more_are_refused(ads: str) -> None:
    homework = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    assert "shards: a day of homework is joined across its tables and is one part" in error(edited(homework, shards=2))
    negatives = edited(ads, shards=2, features__clicked_ads__negatives=4)
    assert "shards: features.clicked_ads.negatives are drawn of all rows of a day" in error(negatives)
