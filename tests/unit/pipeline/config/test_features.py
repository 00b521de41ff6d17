"""Declared features: what goes together, and what does not."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.features import Counter, FeatureSettings, History
from pipeline.config.load import parse_job
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.config.edited import ROOT, edited, error


def test_counter_key_must_be_a_feature(ads: str) -> None:
    changed = edited(
        ads, features__user_rate={"kind": "dense", "side": "pair", "counter": {"key": ["usr"], "measure": "rate"}}
    )
    assert "features.user_rate.counter.key: 'usr' is not a feature" in error(changed)


def test_a_group_is_a_setting_of_the_features_and_none_where_it_is_not_set(ads: str) -> None:
    before, after = (parse_job(text, Path("ads.yaml")) for text in (ads, edited(ads, features__clicked_ads__group="x")))
    assert before.stage_settings("build_features") != after.stage_settings("build_features")
    assert before.stage_settings("validate") == after.stage_settings("validate")
    unset = parse_job(edited(ads, features__clicked_ads__group=None), Path("ads.yaml"))
    assert before.stage_settings("build_features") == unset.stage_settings("build_features")
    assert "`group` is for histories" in error(edited(ads, features__label_values__group="x"))
    item = {"kind": "sequence", "side": "item", "space": "ad", "source": "item.ad_id", "group": "x"}
    assert "on the request's side, not on the item's" in error(edited(ads, features__ad=item))


def test_buckets_rise() -> None:
    text = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    assert "`buckets` must rise" in error(edited(text, features__tenure__buckets=[3, 1]))


REQUEST: dict[str, Any] = {"side": "request", "source": "row.x"}
PAIR: dict[str, Any] = {"kind": "dense", "side": "pair"}


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({**REQUEST, "kind": "categorical"}, "needs an id `space`"),
        ({**REQUEST, "kind": "dense", "space": "x"}, "`dense` takes none"),
        ({**REQUEST, "kind": "vector", "space": "x"}, "`vector` takes none"),
        ({"kind": "vector", "side": "pair", "source": "row.x"}, "features of a pair are `dense`"),
        ({"kind": "vector", "side": "item", "counter": {"measure": "rank"}}, "a counter is `dense`"),
        ({"kind": "dense", "side": "request"}, "needs one of `source`, `counter`, "),
        ({**REQUEST, "kind": "dense", "counter": {"measure": "rank"}}, "needs one of `source`, `counter`, "),
        ({"kind": "bag", "side": "pair", "space": "x", "counter": {"measure": "rank"}}, "a counter is `dense`"),
        ({**REQUEST, "kind": "dense", "fixed_days": 14}, "`fixed_days` is of a number that is normalised: add"),
        ({**REQUEST, "kind": "dense", "clip": 6}, "`clip` is of a number that is normalised: add `normalise: zscore`"),
        ({**PAIR, "counter": {"measure": "rank"}, "log": True}, "a counter has `transform: log` instead of `log`"),
        ({**PAIR, "counter": {"measure": "rank"}, "flag": True}, "it is never missing: no `flag`"),
        ({"kind": "bag", "side": "pair", "space": "x", "source": "row.x"}, "features of a pair are `dense`"),
        ({**REQUEST, "kind": "bag", "space": "x", "bins": 4}, "`bins` make one id of a number of the row: {kind"),
        ({**REQUEST, "kind": "dense", "bins": 4}, "`bins` make one id of a number of the row: {kind: categorical"),
        ({"kind": "categorical", "side": "item", "space": "x", "source": "item.x", "bins": 4}, "`bins` make one id"),
        ({**REQUEST, "kind": "categorical", "space": "x", "bins": 4, "buckets": [1]}, "one rule makes the id: `bins`"),
        ({**REQUEST, "kind": "categorical", "space": "x", "bins": 1}, "greater than or equal to 2"),
        ({**REQUEST, "kind": "dense", "digits": {"of": 5, "at": 1}}, "`digits` makes ids, and `dense` has none"),
        ({**REQUEST, "kind": "bag", "space": "x", "digits": {"of": 5, "at": 1}, "part": 1}, "one rule makes the id"),
        ({**REQUEST, "kind": "bag", "space": "x", "compose": "column"}, "a `source` of several columns"),
        ({**REQUEST, "kind": "bag", "space": "x", "source": ["row.a", "row.b", "row.c"], "compose": "pairs"},
         "a `source` of an even number of columns"),
    ],
)  # fmt: skip
def test_parts_of_a_feature_that_do_not_go_together(feature: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureSettings.model_validate(feature)


@pytest.mark.parametrize(
    ("counter", "message"),
    [
        ({"measure": "count"}, "needs a key"),
        ({"measure": "rank", "key": ["a"]}, "`rank` takes none"),
        ({"measure": "seen", "key": ["a", "b", "c", "d"]}, "at most three features make a key, here 4"),
        ({"measure": "count", "key": ["a"], "transform": "logit"}, "`logit` is for rates"),
        ({"measure": "seen", "key": ["a"], "half_life": 2}, "`half_life` is for counts and rates"),
    ],
)
def test_parts_of_a_counter_that_do_not_go_together(counter: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Counter.model_validate(counter)


def test_a_counter_may_be_standardised_by_the_first_days() -> None:
    settings = {**PAIR, "counter": {"measure": "rank"}, "normalise": "zscore", "fixed_days": 14, "clip": 6}
    made = FeatureSettings.model_validate(settings).feature("rank", steps=14, lead=0)
    assert (made.normalise, made.fixed_days, made.clip) == ("zscore", 14, 6)


@pytest.mark.parametrize(("source", "lead"), [("history.chapters", 7), ("last_year.chapters", 0)])
def test_only_a_history_of_days_has_the_days_before_its_window(source: str, lead: int) -> None:
    settings = FeatureSettings.model_validate(
        {"kind": "bag_sequence", "side": "request", "space": "chapter", "source": source}
    )
    made = settings.feature("chapters", steps=14, lead=7)
    assert (made.name, made.steps, made.lead) == ("chapters", 14, lead)
    assert settings.model_copy(update={"steps": 5}).feature("chapters", steps=14, lead=7).steps == 5


def test_histories_whose_settings_cannot_act() -> None:
    with pytest.raises(ValueError, match="which has no gaps to fill"):
        History(days="active", lead=1)


def test_bins_are_numbered_and_of_a_number(ads: str) -> None:
    """Of text they are refused, in a space of text too; one number stands for how many there are."""
    ads = edited(ads, spaces__bin="int")
    bins = {"kind": "categorical", "space": "bin", "source": "row.log_hourtime", "bins": 4}
    same = {**bins, "bins": {"count": 4, "every": 7}}
    one, other = (parse_job(edited(ads, features__more=each), Path("ads.yaml")) for each in (bins, same))
    assert one.features["more"] == other.features["more"]
    assert one.feature_schema()["more"].bins
    text = {**bins, "space": "app_type"}
    assert "features.more.space: 'app_type' is of str, and bins" in error(edited(ads, features__more=text))
    of_text = parse_job(edited(ads, features__more={**bins, "source": "row.log_day"}), Path("ads.yaml"))
    with pytest.raises(ConfigError, match=r"`bins` are of numbers, and .*log_day is declared as day"):
        Plan(of_text)


def test_bins_share_a_space_with_other_bins_alone(ads: str) -> None:
    bins = {"kind": "categorical", "space": "hour", "source": "row.log_hourtime", "bins": 4}
    assert (
        "features.more.space: 'hour' holds the ids of features.hour, and a bin's number would be one of them; declare "
        "a space of its own, such as spaces.more: int"
    ) in error(edited(ads, features__more=bins))
    bins["space"] = "bin"
    both = edited(ads, spaces__bin="int", features__more=bins, features__again={**bins, "bins": 8})
    assert {"more", "again"} < {*parse_job(both, Path("ads.yaml")).features}
