"""The models `gru` and `bgru`, asked of the order of a history."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models import registry
from models.inputs import ModelInputs
from tests.unit.models.histories import history, schema


@pytest.mark.parametrize(("model", "options"), [("gru", {}), ("bgru", {"encoder": {"units": 2}})])
def test_the_order_of_steps_matters_and_padding_does_not(model: str, options: dict[str, object]) -> None:
    built = registry.build(model, schema(history("pages", steps=3)), {"units": [], **options})

    def logit(steps: list[float]) -> float:
        vectors = {
            "ad": tf.constant([[[3.0]]]),
            "maker": tf.constant([[[5.0]]]),
            "pages": tf.constant([[[v] for v in steps]]),
        }
        mask = {name: tf.reduce_any(each != 0, axis=-1) for name, each in vectors.items()}
        return float(built(ModelInputs(vectors, mask, {}, {})).logits["label"][0, 0])

    assert logit([1.0, 2.0]) != logit([2.0, 1.0])
    assert logit([1.0, 2.0]) == logit([1.0, 2.0, 0.0])
