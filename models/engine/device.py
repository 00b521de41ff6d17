"""Where the variables and the steps of an engine stand."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import tensorflow as tf

Device = Literal["cpu", "gpu"]


def on(device: Device) -> AbstractContextManager[object]:
    """Within, what is made or traced stands on the device: the processor, or the first GPU.

    Raises:
        ValueError: TensorFlow finds no GPU.
    """
    if tf.config.list_physical_devices("GPU"):
        return tf.device(f"/device:{device.upper()}:0")
    if device == "gpu":
        raise ValueError(
            "device: TensorFlow finds no GPU here (the `tensorflow-cpu` of the lock file never does: install "
            "`tensorflow[and-cuda]` of the same version); or write `cpu`"
        )
    return nullcontext()
