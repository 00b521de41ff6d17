"""Counters over bags: what goes together, and what they may name."""

from typing import Any

import pytest

from pipeline.config.bags import BagCounter, Collaborative
from tests.unit.pipeline.features import lessons

OVER = {"bag": "sections", "context": "asked", "owner": "teacher"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"own_half_life": 7, "own_recency": 3}, "`own_half_life` and `own_recency` are two ways"),
        ({"owner": None, "measure": "overlap"}, "`overlap` is with the own events of an `owner`"),
        ({"half_life": 0}, "half_life"),
        ({"owner": None, "measure": "trend"}, "`against` is the longer half-life of a `trend`, which needs it"),
        ({"measure": "count", "against": 90}, "`against` is the longer half-life of a `trend`"),
        ({"owner": None, "measure": "trend", "against": 7}, "`against` has to be above 30 days"),
        ({"measure": "trend", "against": 90}, "a `trend` is of the events of all"),
        ({"clip": 0.5}, "clip"),
    ],
)
def test_parts_that_do_not_go_together(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        BagCounter.model_validate({**OVER, **settings})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"bag": "nope"}, "features.likely.bag_counter.bag: 'nope' is not a feature"),
        ({"bag": "style"}, "features.likely.bag_counter.bag: 'style' is a categorical of the item; name a bag"),
        ({"bag": "asked"}, "features.likely.bag_counter.bag: 'asked' is a bag of the request; name a bag of the item"),
        ({"context": "tenure"}, "features.likely.bag_counter.context: 'tenure' is a dense"),
        ({"owner": "package"}, "features.likely.bag_counter.owner: 'package' is a categorical of the item"),
    ],
)
def test_what_it_names_must_be_there(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        lessons.bagged(likely={"kind": "dense", "side": "pair", "bag_counter": {**OVER, **settings}})


def test_an_owners_settings_do_nothing_without_one() -> None:
    lonely = BagCounter.model_validate({**OVER, "owner": None, "prior": 2})
    assert [name for name, _ in lonely.idle()] == ["prior"]
    assert not [*BagCounter.model_validate({**OVER, "prior": 2}).idle()]


@pytest.mark.parametrize(
    ("settings", "idle"),
    [
        ({"measure": "days_since", "prior": 2}, ["prior"]), ({"measure": "count", "half_life": 3}, ["half_life"]),
        ({"measure": "overlap", "clip": 0.1}, ["clip"]),
        ({"measure": "count", "owner": None, "half_life": 3}, []), ({"measure": "size", "own_recency": 2}, []),
    ],
)  # fmt: skip
def test_settings_that_a_measure_does_not_read(settings: dict[str, Any], idle: list[str]) -> None:
    assert [name for name, _ in BagCounter.model_validate({**OVER, **settings}).idle()] == idle


def test_a_feature_is_made_of_one_thing() -> None:
    with pytest.raises(ValueError, match="`side: pair`"):
        lessons.bagged(likely={"kind": "dense", "side": "item", "bag_counter": OVER})
    with pytest.raises(ValueError, match="needs one of `source`, `counter`, "):
        lessons.bagged(likely={"kind": "dense", "side": "pair", "bag_counter": OVER, "counter": {"measure": "rank"}})


@pytest.mark.parametrize(
    ("settings", "idle"),
    [
        ({"method": "svd", "weight": 2, "neighbours": 3}, ["weight", "neighbours"]),
        ({"method": "als", "penalty": 2}, []),
        ({"method": "cosine", "factors": 8}, ["factors"]), ({"method": "cosine", "baskets": 3, "neighbours": 9}, []),
    ],
)  # fmt: skip
def test_settings_that_a_method_does_not_read(settings: dict[str, Any], idle: list[str]) -> None:
    assert [name for name, _ in Collaborative.model_validate({**OVER, **settings}).idle()] == idle


def test_vectors_keep_the_name_that_they_are_stored_under() -> None:
    assert Collaborative.model_validate({**OVER, "factors": 2}).name == "786825b2b3a4"
