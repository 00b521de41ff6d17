"""Products of two things that a model reads."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models import registry
from models.zoo.crosses import Crosses
from tests.unit.models.histories import history, inputs, schema

KNOWN = ("style", "today", "day")


def test_a_product_is_of_a_request_or_of_each_candidate() -> None:
    crosses = Crosses({"style": ("day", "today"), "today": ("day",)}, KNOWN, "model 'm'")
    values = {"style": [[[1.0, 2.0], [3.0, 4.0]]], "day": [[5.0, 6.0]], "today": [[7.0, 8.0]]}
    found = crosses.of({name: tf.constant(each) for name, each in values.items()})
    assert {name: each.numpy().tolist() for name, each in found.items()} == {
        "style x day": [[[5.0, 12.0], [15.0, 24.0]]], "style x today": [[[7.0, 16.0], [21.0, 32.0]]],
        "today x day": [[35.0, 48.0]],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"style": ("dya",)}, "no feature with ids and no history 'dya' in use; there are style, today, day"),
        ({"style": ("style",)}, "the pair style, style is one thing"),
        ({"style": ("day",), "day": ("style",)}, "the pair day, style stands twice"),
    ],
)
def test_pairs_that_are_none_are_refused(asked: dict[str, tuple[str, ...]], said: str) -> None:
    with pytest.raises(ValueError, match=f"model 'm', option 'crosses': .*{said}"):
        Crosses(asked, KNOWN, "model 'm'")


def test_widths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'style' is read as 2 values and 'day' as 3; .* one width"):
        Crosses({"style": ("day",)}, KNOWN, "model 'm'").of({"style": tf.zeros((1, 1, 2)), "day": tf.zeros((1, 3))})


def test_a_model_reads_products_with_parts_of_its_histories() -> None:
    """The candidate's maker, 5, times the mean of the clicks' categories and times that of the pages."""
    features = schema(history("ads", of="ad", group="click"), history("kinds", group="click"), history("pages"))
    given = inputs(ads=[2.0, 4.0], kinds=[1.0, 2.0], pages=[7.0])
    model = registry.build(
        "pooled", features, {"units": [2], "crosses": {"maker": ["kinds", "pages"], "pages": ["kinds"]}}
    )
    request, item, _ = model.parts(given, False)
    found = {part.reads[0][0]: part.values.numpy().ravel().tolist() for part in (*request, *item)}
    assert (found["maker x kinds"], found["maker x pages"], found["pages x kinds"]) == ([7.5], [35.0], [10.5])
    model(given)
    blind = registry.build("gru", features, {"units": [2], "crosses": {"maker": ["kinds"]}})
    with pytest.raises(ValueError, match="what reads 'kinds' keeps no part of a step apart"):
        blind(given)
