"""Crosses beside hidden layers, or below them."""

from __future__ import annotations

import pytest

from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits

GIVEN = inputs(user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
READS = ("user", "hour", "pooled of clicks", "price", "ad", "clicks * ad")


@pytest.mark.parametrize("name", ["dcn", "dcn_v2"])
@pytest.mark.parametrize(
    ("options", "read"),
    [
        ({"units": []}, READS),
        ({"units": [2]}, (*READS, "hidden")),
        ({"units": [2], "structure": "stacked"}, ("hidden",)),
    ],
)
def test_the_head_reads_the_crosses_the_hidden_layers_or_both(
    name: str, options: dict[str, object], read: tuple[str, ...]
) -> None:
    model = built(name, WHOLE, **options)
    assert len(logits(model, GIVEN)) == 2
    assert tuple(each for each, _ in model.head.reads) == read


def test_where_the_hidden_layers_stand_is_idle_without_any() -> None:
    with pytest.raises(ValueError, match="option 'structure' would have no effect"):
        built("dcn", WHOLE, units=[], structure="stacked")
