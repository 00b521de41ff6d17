"""DSIN: sessions with a target are read one by one; it needs some."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models import registry
from models.encoders.dsin import Dsin
from models.encoders.pooled import Pooled
from models.inputs import ModelInputs
from models.schema import FeatureSchema, Kind
from tests.unit.models.histories import AD, history

VISITS = history("visits", of="ad", kind=Kind.SESSIONS, sessions=3, steps=2)
SCHEMA = FeatureSchema((AD, VISITS, history("pages")), {"s": "int"})


def test_a_history_of_sessions_is_read_one_by_one_and_others_are_their_mean() -> None:
    model = registry.build("dsin", SCHEMA, {"encoder": {"heads": 1, "attention_units": [2]}})
    visits, pages = model.encoders.values()
    assert isinstance(visits, Dsin)
    assert isinstance(pages, Pooled)
    vectors = {
        "ad": tf.constant([[[3.0], [2.0]]]),
        "visits": tf.constant([[[[1.0], [3.0]], [[8.0], [0.0]], [[0.0], [0.0]]]]),
        "pages": tf.ones((1, 10, 1)),
    }
    given = ModelInputs(vectors, {name: each[..., 0] != 0 for name, each in vectors.items()}, {}, {})
    assert model(given).logits["label"].shape == (1, 2)


def test_without_sessions_it_is_told_what_to_do() -> None:
    features = FeatureSchema((AD, history("ads", of="ad")), {"s": "int"})
    with pytest.raises(ValueError, match=r"model 'dsin' needs a history of sessions .*; without one, use 'din'"):
        registry.build("dsin", features, {})
