"""Who sees ads in the generated school, what they like, and how that shows in their clicks."""

from __future__ import annotations

import numpy as np

from examples.school.audience import HISTORY, Audience, draw_calls, is_shopping
from tests.unit.examples.school.small_feed import audience_of


def test_taste_raises_the_chance_of_favourite_categories_only_with_the_effect() -> None:
    user, no = np.arange(300), np.zeros(300, bool)
    for effects, least, most in ((("taste",), 4.0, 40.0), ((), 0.8, 1.25)):
        audience = audience_of(*effects)
        ads = np.random.default_rng(1).integers(0, 80, 300)
        liked = (audience.users.categories == audience.ads.labels[ads, :1]).any(axis=1)
        flat = Audience(
            audience.users, audience.ads, audience.paths, audience.path_chance, audience.first_clicks, frozenset(), 0.0
        )
        ratio = audience.click_chance(user, ads, no) / flat.click_chance(user, ads, no)
        assert least < ratio[liked].mean() / ratio[~liked].mean() < most


def test_shopping_raises_the_chance_only_with_the_effect() -> None:
    user, ad = np.zeros(2, np.int64), np.zeros(2, np.int64)
    shopping = np.array([False, True])
    plain, shopper = audience_of("behaviour").click_chance(user, ad, shopping)
    assert shopper > 2 * plain
    plain, shopper = audience_of().click_chance(user, ad, shopping)
    assert shopper == plain


def test_paths_have_three_parts_with_all_their_values() -> None:
    parts = [path.split("/")[1:] for path in audience_of().paths.to_pylist()]
    assert [len({path[place] for path in parts}) for place in range(3)] == [35, 75, 358]
    calls = draw_calls(audience_of(), 2000, np.random.default_rng(1))
    lengths = (calls >= 0).sum(axis=1)
    assert (lengths.min(), lengths.max()) == (0, HISTORY)
    assert 0.02 < is_shopping(calls).mean() < 0.4
