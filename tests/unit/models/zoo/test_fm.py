"""The factorisation machine by hand."""

from __future__ import annotations

from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits


def test_all_pairs_of_fields_and_the_linear_part_are_added_up() -> None:
    given = inputs(2, 0.5, user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
    # Of 2, 3, 5 (clicks) and the ad: pairs of the request 31, and 10 times the ad, each in two factors; price is 0.
    assert logits(built("fm", WHOLE), given) == [1.5 + 2 * (31 + 50), 1.5 + 2 * (31 + 70)]
