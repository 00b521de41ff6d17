"""Which features popularity counts; its counts and scores are in the tests of its trainer."""

from __future__ import annotations

from typing import Any

import pytest

from models import registry
from models.schema import Feature, FeatureSchema, Kind, Side

USER = Feature("user", Kind.CATEGORICAL, Side.REQUEST, "user")
TAGS = Feature("tags", Kind.BAG, Side.ITEM, "tag", values=3)
AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad")
MAKER = Feature("maker", Kind.CATEGORICAL, Side.ITEM, "maker")


def built(*features: Feature, **options: Any) -> Any:
    spaces = {str(feature.space): "int" for feature in features}
    return registry.build("popularity", FeatureSchema(features, spaces), options)


def test_the_first_ids_are_counted_or_those_that_are_named() -> None:
    model = built(TAGS, USER, AD, MAKER)
    assert (model.item.name, model.user.name) == ("ad", "user")
    assert built(USER, AD, MAKER, item="maker").item.name == "maker"
    assert built(AD).user is None
    assert built(USER).item is None, "labelled rows have no item"


def test_it_is_trained_by_counting() -> None:
    assert registry.trained_by("popularity") == registry.COUNTS
    assert registry.trained_by("pooled") == registry.KERAS


@pytest.mark.parametrize(
    ("features", "options", "said"),
    [
        ((USER, TAGS, AD), {"item": "tags"}, "option 'item': 'tags' is no id of the item's side; one of ad"),
        ((USER, AD), {"user": "ad"}, "option 'user': 'ad' is no id of the request's side; one of user"),
        ((TAGS,), {}, "needs an id to count"),
        ((AD,), {"own": 3.0}, "option 'own' would have no effect: there is no id of a user"),
        ((USER, AD), {"half_life": 0.0}, "option 'half_life'"),
        ((USER, AD), {"window": 3}, "has no option 'window'; its options: item, user, half_life, smoothing, own"),
    ],
)
def test_what_cannot_be_counted_is_told(features: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        built(*features, **options)


def test_a_count_halves_in_its_half_life() -> None:
    assert built(USER, AD, half_life=3.0).decay ** 3 == pytest.approx(0.5)
