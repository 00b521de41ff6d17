"""Models that are an encoder for every history and a network on top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models import registry
from models.encoders.bgru import Bgru
from models.encoders.gru import Gru
from models.encoders.pooled import Pooled
from models.inputs import ModelInputs
from models.schema import Kind
from tests.unit.models.histories import history, schema

TWO = schema(history("ads", of="ad"), history("pages"))


@pytest.mark.parametrize(("model", "encoder"), [("gru", Gru), ("bgru", Bgru)])
def test_every_history_is_read_by_the_models_encoder_with_its_options(model: str, encoder: type[Gru]) -> None:
    options = {"encoder": {"readout": "sum"}, "encoders": {"pages": {"type": "pooled"}}}
    ads, pages = registry.build(model, TWO, options).encoders.values()
    assert type(ads) is encoder
    assert ads.options.readout == "sum"
    assert isinstance(pages, Pooled)


def test_options_of_an_encoder_that_reads_nothing_are_told() -> None:
    asked = {name: {"type": "pooled"} for name in ("ads", "pages")}
    with pytest.raises(
        ValueError, match="'encoder' would have no effect: every history is read by what `encoders` says"
    ):
        registry.build("gru", TWO, {"encoder": {"units": 3}, "encoders": asked})
    with pytest.raises(ValueError, match=r"option 'encoder\.readout': 'max' is not one of sum, mean, last"):
        registry.build("gru", TWO, {"encoder": {"readout": "max"}})


STEPS_OF = {"kind": Kind.SEQUENCE, "steps": 6}
READ = schema(
    history("ads", of="ad", group="click", **STEPS_OF),
    history("kinds", group="click", **STEPS_OF),
    history("visits", of="ad", kind=Kind.SESSIONS, steps=3, sessions=2),
)
"""Steps of two parts, one of them the candidate's, and sessions."""
UNMOVED = ("score/bias", "key/bias")
"""What is added to all scores of a softmax alike moves none of them."""


def random_inputs() -> ModelInputs:
    """Seven requests of three candidates; vectors of four values."""
    draw = np.random.default_rng(0)
    shapes = {"ad": (3,), "maker": (3,), "ads": (6,), "kinds": (6,), "visits": (2, 3)}
    vectors = {n: tf.constant(draw.normal(size=(7, *shape, 4)), tf.float32) for n, shape in shapes.items()}
    lengths = tf.sequence_mask([6, 6, 5, 4, 3, 2, 0], 6)
    mask = {name: tf.ones(each.shape[:-1], tf.bool) for name, each in vectors.items()} | dict.fromkeys(
        ("ads", "kinds"), lengths
    )
    return ModelInputs(vectors, mask, {}, {}, tf.ones((7, 3), tf.bool))


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("gru", {"encoder": {"streams": "apart", "normalise": True}}),
        ("bgru", {"encoder": {"readout": "sum", "residual": True}, "skip": True}),
        ("din", {"attention_units": [5, 3], "attention_activation": "dice", "activation": "dice"}),
        ("dien", {"encoder": {"query": True}, "late": {"features": ["maker"], "units": [4]}}),
        ("dien", {"encoder": {"attention": "bilinear", "evolution": "agru"}}),
        ("dsin", {}),
        ("bst", {"encoder": {"positions": "learnt", "beside": 2}, "product": False}),
        ("transformer", {"encoder": {"blocks": 2, "norm": "pre"}}),
        ("pooled", {"crosses": {"ad": ["maker", "ads"]}, "encoders": {"click": {"type": "attentive"}}}),
    ],
)
def test_gradients_reach_every_weight(model: str, options: dict[str, Any]) -> None:
    """With a cross of features and a branch that joins late beside each encoder."""
    beside = {"crosses": {"ad": ["maker"]}, "late": {"features": ["visits"], "units": [4]}}
    built = registry.build(model, READ, {"units": [16, 8], **beside, **options})
    given = random_inputs()
    built(given)
    with tf.GradientTape() as tape:
        logits = built(given, training=True).logits["label"]
        loss = tf.reduce_sum(logits * tf.constant(np.random.default_rng(1).normal(size=(7, 3)), tf.float32))
    weights = built.trainable_weights
    found = tape.gradient(loss, [weight.value for weight in weights])
    still = [w.path for w, g in zip(weights, found, strict=True) if g is None or not np.any(tf.convert_to_tensor(g))]
    assert len(weights) > 6
    assert [path for path in still if not path.endswith(UNMOVED)] == []
