"""ESMM: both tasks are learnt of all rows, the second through the first."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models.engine.engine import Engine
from models.engine.losses import by_task
from models.schema import FeatureSchema
from models.tasks import Task
from tests.unit.models.zoo.field_models import SPACES, WHOLE, built, inputs

TASKS = (Task("click"), Task("buy", given="click"))


@pytest.mark.parametrize(("clicked", "moves"), [(0.0, True), (-1.0, False)])
def test_a_row_that_was_not_clicked_teaches_the_tower_of_what_comes_after(clicked: float, moves: bool) -> None:
    """One of which that is not known teaches neither."""
    model = built("esmm", WHOLE, "click", "buy", units=[])
    asked = inputs(user=[2.0], hour=[3.0], ad=[5.0], price=[1.0], clicks=[4.0, 6.0])
    model(asked)
    label = [tf.constant([[clicked]]), tf.constant([[-1.0]])]
    with tf.GradientTape() as tape:
        losses = by_task(TASKS, model(asked, training=True), [*label, tf.ones((1, 1)), tf.ones(1)], entire=True)
    moved = tape.gradient(losses["buy"], model.towers["buy"].kernel.value)
    assert bool(tf.reduce_any(moved != 0)) == moves


def test_a_task_has_to_be_given_another() -> None:
    schema = FeatureSchema(WHOLE.features, SPACES)
    with pytest.raises(ValueError, match=r"none of its tasks \(click, buy\) is `given` another"):
        Engine(schema, "esmm", {}, dims=dict.fromkeys(SPACES, 2), tasks=(Task("click"), Task("buy")))
