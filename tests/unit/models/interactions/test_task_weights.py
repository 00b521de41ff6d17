"""One task adds up; of several each weighs."""

from __future__ import annotations

import tensorflow as tf

from models.interactions.task_weights import TaskWeights


def test_one_task_has_no_weights() -> None:
    layer = TaskWeights(1, name="sum")
    assert layer(tf.constant([[1.0, 2.0]])).numpy().tolist() == [[3.0]]
    assert layer.weights == []
    assert layer.weight_axes == {}


def test_several_begin_as_one_and_weigh_by_their_own() -> None:
    layer = TaskWeights(2, name="sum")
    assert layer(tf.constant([[1.0, 2.0]])).numpy().tolist() == [[3.0, 3.0]]
    layer.kernel.assign([[1.0, 0.0], [10.0, 1.0]])
    assert layer(tf.constant([[1.0, 2.0]])).numpy().tolist() == [[21.0, 2.0]]
    layer.reads = (("pairs", 2),)
    assert layer.weight_axes == {"kernel": ((("pairs", 2),), None)}
