"""The list of measures: which way each is better, where it may be named and shown."""

from __future__ import annotations

import pytest

from pipeline.config.measures import MEASURES, PRIMARY, allowed, columns, figures, headline, measure_of, of_job


@pytest.mark.parametrize(
    ("kind", "name", "worse", "better"),
    [
        ("impressions", "auc", 0.6, 0.7), ("impressions", "log_loss", 0.7, 0.6),
        ("impressions", "calibration", 1.3, 0.8),
        ("ranking", "log_loss", 2.1, 2.0), ("ranking", "hit_15_all", 0.1, 0.2),
    ],
)  # fmt: skip
def test_of_two_values_the_better_one_is_worth_more(kind: str, name: str, worse: float, better: float) -> None:
    measure = MEASURES[kind][name]  # type: ignore[index]
    assert measure.worth(better) > measure.worth(worse)


def test_what_is_as_far_from_one_on_either_side_is_worth_the_same() -> None:
    calibration = MEASURES["impressions"]["calibration"]
    assert calibration.worth(0.75) == calibration.worth(1.25) == -0.25


def test_a_setting_names_only_what_can_act_in_it() -> None:
    assert allowed(MEASURES["impressions"], "primary") == ("auc", "gauc", "log_loss")
    assert allowed(MEASURES["impressions"], "margin") == ("auc", "gauc", "log_loss", "calibration")
    assert "covered" not in allowed(MEASURES["ranking"], "floor")
    assert {PRIMARY[kind] in allowed(MEASURES[kind], "primary") for kind in PRIMARY} == {True}


def test_columns_leave_out_the_rates_over_requests_without_a_positive() -> None:
    assert columns(MEASURES["impressions"]) == ("auc", "gauc", "log_loss", "calibration")
    assert columns(MEASURES["ranking"]) == (
        "requests", "covered", "hit_1", "hit_3", "hit_5", "hit_10", "hit_15", "composite", "log_loss", "auc",
    )  # fmt: skip


def test_figures_are_what_has_a_value_and_a_column_known_or_not() -> None:
    values = {"auc": 0.61234, "hit_1_all": 0.5, "gauc": None, "requests": 7, "of_before": 1.0}
    assert figures(values) == ["auc 0.6123", "of_before 1.0000"]


def test_the_headline_is_short_and_in_order() -> None:
    assert headline({"hit_3": 0.5, "auc": 0.75, "log_loss": 1.0, "hit_1": 0.25}) == [
        "auc 0.7500", "hit_1 0.2500", "hit_3 0.5000",
    ]  # fmt: skip
    assert headline({"hit_1": None}) == []


def test_what_a_setting_may_name() -> None:
    assert allowed(MEASURES["impressions"], "margin") == ("auc", "gauc", "log_loss", "calibration")
    for use in ("floor", "alert"):
        assert allowed(MEASURES["impressions"], use) == ("auc", "gauc", "log_loss")  # type: ignore[arg-type]
    hits = ("hit_1", "hit_3", "hit_5", "hit_10", "hit_15")
    everyone = tuple(f"{name}_all" for name in hits)
    assert allowed(MEASURES["ranking"], "primary") == (*hits, "composite", "log_loss", "auc", *everyone)


def test_measures_of_several_tasks_say_which_they_are_of() -> None:
    assert of_job("impressions", ("click",)) is MEASURES["impressions"]
    both = of_job("impressions", ("click", "view"))
    assert list(both)[3:6] == ["click/calibration", "view/auc", "view/gauc"]
    assert both["view/log_loss"].name == "view/log_loss"
    assert (both["view/log_loss"].better, measure_of("impressions", "view/log_loss").name) == ("lower", "log_loss")
    assert allowed(both, "alert") == tuple(f"{task}/{name}" for task in ("click", "view")
                                           for name in ("auc", "gauc", "log_loss"))  # fmt: skip


def test_a_line_shows_the_headline_of_every_task() -> None:
    values = {"view/auc": 0.7, "click/auc": 0.61, "click/log_loss": 0.2}
    assert headline(values) == ["view/auc 0.7000", "click/auc 0.6100"]
    assert figures({"click/hit_1_all": 0.5, "click/auc": 0.6}) == ["click/auc 0.6000"]
