"""Recurrent units whose gates are moved by how much a target attends to each step."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.layers.gru import GRU, Recurrent
from models.layers.recurrence import Reset


class AUGRU(Recurrent):
    """A GRU whose update gate is scaled by the attention of a target; a masked step keeps the state.

    ``paper``: the scaled gate opens, ``h' = (1 - a·u)·h + a·u·c``: a step without attention changes nothing.
    ``reference``, the authors' code: the gate keeps, ``h' = (1 - a)·u·h + (1 - (1 - a)·u)·c``: without attention it is
    a GRU, and with all of it the state is the candidate. The paper resets after the matrix, the code before it.

    Args:
        units: width of the state; by default that of a step.
        gate: ``paper`` or ``reference``.
        reset: see :data:`models.layers.recurrence.Reset`.

    Reference: Zhou et al., Deep Interest Evolution Network for Click-Through Rate Prediction, 2019.
    """

    def __init__(self, units: int | None, gate: str = "paper", reset: Reset = "after", *, name: str) -> None:
        if gate not in ("paper", "reference"):
            raise ValueError(f"gate '{gate}'; expected paper or reference")
        super().__init__(units, gate, reset, name=name)


class AGRU(Recurrent):
    """A GRU with the attention in the update gate's place, ``h' = (1 - a)·h + a·c``.

    Reference: Zhou et al., Deep Interest Evolution Network for Click-Through Rate Prediction, 2019.
    """

    def __init__(self, units: int | None, reset: Reset = "after", *, name: str) -> None:
        super().__init__(units, "agru", reset, name=name)


class AIGRU(keras.layers.Layer):
    """A GRU over steps that are multiplied by their attention.

    Reference: Zhou et al., Deep Interest Evolution Network for Click-Through Rate Prediction, 2019.
    """

    def __init__(self, units: int | None, reset: Reset = "after", *, name: str) -> None:
        super().__init__(name=name)
        self.gru = GRU(units, reset, name=f"{name}_gru")

    def build(self, steps_shape: tuple[int | None, ...], *_: object) -> None:
        self.gru.build(steps_shape)
        self.built = True

    def call(self, steps: tf.Tensor, mask: tf.Tensor, scores: tf.Tensor, last_alone: bool = False) -> tf.Tensor:
        """``[batch, steps, dim]``, bool ``[batch, steps]``, ``[batch, steps]`` to ``[batch, steps, units]``, or to the
        last of these, ``[batch, units]``."""
        return self.gru(steps * scores[..., None], mask, last_alone=last_alone)
