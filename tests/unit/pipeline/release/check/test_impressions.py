from __future__ import annotations

import pytest

from models.schema import MISSING_STR
from pipeline.release.check.impressions import sampled_items
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.shown_days import DAY, Shows
from tests.unit.pipeline.release.in_memory import as_of

TABLES = {"users": shows.USERS, "ads": shows.ADS}


@pytest.fixture
def job() -> Shows:
    """Ad 11 was shown two days ago, 10 and 12 and 99 yesterday; candidates are those of two days."""
    settings = shows.config().model_dump(by_alias=True, mode="json")["impressions"]
    job = Shows(shows.config(impressions={**settings, "candidate_days": 2}))
    job.day(DAY.plus(-2), shows.log((1, 11, 0, 7, None, [])))
    job.day(DAY.previous(), shows.log(*((1, ad, 0, 7, None, []) for ad in (99, 12, 10))))
    return job


def test_items_that_were_shown_of_late_with_what_a_model_is_asked_with_of_them(job: Shows) -> None:
    raw, count = sampled_items(as_of(job, DAY.previous(), TABLES.__getitem__), job.plan.request, 500)
    assert (raw["ad"].tolist(), count) == ([10, 11, 12, 99], 4)
    assert raw["kind"].tolist() == ["game", "book", MISSING_STR, MISSING_STR]
    assert raw["ad_clicks"][:3, 0].tolist() == [100, 200, 300]


def test_what_was_shown_too_long_ago_is_none_of_them(job: Shows) -> None:
    job.day(DAY, shows.log())
    raw, count = sampled_items(as_of(job, DAY, TABLES.__getitem__), job.plan.request, 500)
    assert (raw["ad"].tolist(), count) == ([10, 12, 99], 3)


@pytest.mark.parametrize(("most", "chosen"), [(4, [10, 11, 12, 99]), (3, [10, 12]), (1, [10])])
def test_the_sample_is_even(job: Shows, most: int, chosen: list[int]) -> None:
    raw, count = sampled_items(as_of(job, DAY.previous(), TABLES.__getitem__), job.plan.request, most)
    assert (raw["ad"].tolist(), count) == (chosen, 4)
