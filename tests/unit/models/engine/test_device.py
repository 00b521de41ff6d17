"""Where variables and steps stand; a machine with a GPU is played."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models.engine.device import on


def test_without_a_gpu_nothing_is_said_of_places_and_none_can_be_asked_for() -> None:
    with on("cpu"), tf.Graph().as_default():
        assert tf.constant(1).device == ""
    with pytest.raises(ValueError, match=r"device: TensorFlow finds no GPU here .*`tensorflow\[and-cuda\]`"):
        on("gpu")


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_where_there_is_one_each_is_named(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one"])
    with tf.Graph().as_default(), on(device):  # type: ignore[arg-type]
        assert tf.constant(1).device == f"/device:{device.upper()}:0"
