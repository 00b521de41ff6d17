"""Which numbers trees ask, and on which days they are fitted."""

from __future__ import annotations

import pytest

from models import registry
from models.schema import Feature, FeatureSchema, Kind, Side
from models.zoo.boosted import BoostedOptions
from models.zoo.gbdt_lr import GbdtLrOptions

ID = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad")
NUMBERS = (Feature("rate", Kind.DENSE, Side.PAIR), Feature("title", Kind.VECTOR, Side.ITEM, size=3))


def test_numbers_and_vectors_are_asked_and_ids_are_not() -> None:
    model = registry.build("gbdt", FeatureSchema((ID, *NUMBERS), {"ad": "int"}), {})
    assert model.columns == (("rate", 1), ("title", 3))
    with pytest.raises(ValueError, match="trees ask numbers, and there is none"):
        registry.build("gbdt", FeatureSchema((ID,), {"ad": "int"}), {})


@pytest.mark.parametrize(("options", "said"), [
    ({"added": 5}, "option 'added' would have no effect: trees are fitted anew"),
    ({"fit": "continued", "every": 7}, "option 'every' would have no effect: trees are continued"),
    ({"fit": "continued", "half_life": 7}, "option 'half_life' would have no effect: trees are continued"),
    ({"days": 1, "half_life": 7}, "option 'half_life' would have no effect: trees are fitted on one day"),
    ({"fit": "continued", "added": 50, "trees": 40}, r"a day adds 50 trees \(`added`\), but only 40 are kept"),
    ({"fit": "often"}, "option 'fit': 'often' is not one of anew, continued"),
])  # fmt: skip
def test_an_option_that_cannot_act_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        registry.build("gbdt", FeatureSchema(NUMBERS), options)


def test_trees_are_fitted_every_day_of_a_young_chain_and_then_every_third() -> None:
    options = BoostedOptions(days=5, every=3)
    assert [options.fits(day) for day in range(8)] == [True, True, True, True, False, False, True, False]
    # The day itself and four before it, as far as there are any.
    assert [options.earlier(day) for day in range(8)] == [0, 1, 2, 3, 0, 0, 4, 0]


def test_under_a_regression_no_day_makes_trees_twice_and_continued_ones_leave_it_the_day_itself() -> None:
    anew = GbdtLrOptions(days=5, every=3)
    assert [anew.earlier(day) for day in range(8)] == [0, 1, 2, 3, 0, 0, 4, 0]
    continued = GbdtLrOptions(fit="continued")
    assert [continued.fits(day) for day in range(4)] == [True, False, True, True]
    assert [continued.earlier(day) for day in range(4)] == [0, 0, 1, 1]
    assert [BoostedOptions(fit="continued").earlier(day) for day in range(4)] == [0, 0, 0, 0]


def test_a_regression_needs_days_between_two_fits() -> None:
    with pytest.raises(ValueError, match="option 'every': 1 is not a whole number of at least 2"):
        registry.build("gbdt_lr", FeatureSchema(NUMBERS), {"every": 1})
