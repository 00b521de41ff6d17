"""Gated recurrent units over a history, one way and both ways."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from models.architecture import Axes, Segments
from models.layers.recurrence import Reset, Weights, gates_of, recur


class Recurrent(keras.layers.Layer):
    """A recurrence with its weights, as Keras' ``GRU`` has them: gates in the order update | reset | candidate.

    The bias of the input and that of the state are two where the state's is inside what the reset gate multiplies.

    Args:
        units: width of the state; by default that of a step.
        gate: see :data:`models.layers.recurrence.Gate`.
        reset: see :data:`models.layers.recurrence.Reset`.

    Attributes:
        reads: what the values of a step are of, as the model says when it calls.
    """

    reads: Segments = ()

    def __init__(self, units: int | None, gate: str = "gru", reset: Reset = "after", *, name: str) -> None:
        super().__init__(name=name)
        self.units = units
        self.gate = gate
        self.reset = reset
        self.kernel_initializer = keras.initializers.GlorotUniform()
        self.recurrent_initializer = keras.initializers.Orthogonal()

    def build(self, steps_shape: tuple[int | None, ...], *_: object) -> None:
        units = int(steps_shape[-1] or 0) if self.units is None else self.units
        gates = gates_of(self.gate) * units
        self.two_biases = self.reset == "after" and self.gate != "none"
        self.kernel = self.add_weight(
            name="kernel", shape=(int(steps_shape[-1] or 0), gates), initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(units, gates), initializer=self.recurrent_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(2, gates) if self.two_biases else (gates,), initializer="zeros")
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, if the model says what a step is of."""
        return {"kernel": (self.reads, None)} if self.reads else {}

    def call(
        self,
        steps: tf.Tensor,
        mask: tf.Tensor,
        scores: tf.Tensor | None = None,
        training: bool = True,
        last_alone: bool = False,
    ) -> tf.Tensor:
        """``steps [batch, steps, dim]``, bool ``mask [batch, steps]`` and, where the gate has one, ``scores [batch,
        steps]`` to the state after each step, ``[batch, steps, units]``; the last one stands in the last place, or is
        all, ``[batch, units]``."""
        every, last = self.both(steps, mask, scores, training)
        return last if last_alone else every

    def both(
        self, steps: tf.Tensor, mask: tf.Tensor, scores: tf.Tensor | None, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Of a layer that is built, the state after each step, and after the last."""
        return recur(steps, mask, scores, self.told_apart(), gate=self.gate, reset=self.reset, training=training)

    def told_apart(self) -> Weights:
        """Its weights."""
        bias = tf.convert_to_tensor(self.bias)
        of_input, of_state = tf.unstack(bias) if self.two_biases else (bias, tf.zeros_like(bias))
        return Weights(
            tf.convert_to_tensor(self.kernel), of_input, tf.convert_to_tensor(self.recurrent_kernel), of_state
        )


def last_of_each(units: Sequence[Recurrent], steps: tf.Tensor, mask: tf.Tensor, training: bool) -> tf.Tensor:
    """The last state of every row, by recurrences that differ in their weights alone: the first reads the first rows,
    each as many; of layers that are built, ``steps [rows, steps, dim]``, bool ``mask [rows, steps]`` to ``[rows,
    units]``."""
    weights = Weights(*map(tf.stack, zip(*(unit.told_apart() for unit in units), strict=True)))
    return recur(steps, mask, None, weights, gate=units[0].gate, reset=units[0].reset, training=training)[1]


class GRU(Recurrent):
    """The state after each step; a masked step keeps it.

    ``h' = z·h + (1 - z)·n``: ``z`` keeps. ``reset="after"`` is Keras' default and PyTorch's, ``"before"`` that of Cho
    et al. and of TF1's ``GRUCell``.

    Reference: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.
    """

    def __init__(self, units: int | None, reset: Reset = "after", *, name: str) -> None:
        super().__init__(units, "gru", reset, name=name)


class Bidirectional(keras.layers.Layer):
    """Two recurrences, the second from the last step to the first; each skips masked steps.

    Where Keras' ``Bidirectional`` writes zeros at masked steps, the states are kept here.

    Args:
        units: width of each of the two states; by default half of a step's.
        gate: ``gru``, or ``none`` for a plain recurrent network.
        reset: see :data:`models.layers.recurrence.Reset`.
    """

    def __init__(self, units: int | None, gate: str = "gru", reset: Reset = "after", *, name: str) -> None:
        super().__init__(name=name)
        self.forwards = Recurrent(units, gate, reset, name=f"{name}_forwards")
        self.backwards = Recurrent(units, gate, reset, name=f"{name}_backwards")

    def build(self, steps_shape: tuple[int | None, ...], *_: object) -> None:
        for way in (self.forwards, self.backwards):
            if way.units is None:
                way.units, odd = divmod(int(steps_shape[-1] or 0), 2)
                if odd:
                    raise ValueError(
                        f"'{self.name}': two states side by side are not {steps_shape[-1]} wide; say `units`"
                    )
            way.build(steps_shape)
        self.built = True

    @property
    def reads(self) -> Segments:
        """What the values of a step are of, as the model says when it calls."""
        return self.forwards.reads

    @reads.setter
    def reads(self, reads: Segments) -> None:
        self.forwards.reads = self.backwards.reads = reads

    def call(self, steps: tf.Tensor, mask: tf.Tensor, training: bool = True) -> tuple[tf.Tensor, tf.Tensor]:
        """``[batch, steps, dim]`` to both states of each step side by side, ``[batch, steps, 2 · units]``, and to what
        each way ends with, after the last real step and after the first, ``[batch, 2 · units]``."""
        there, last = self.forwards.both(steps, mask, None, training)
        back, first = self.backwards.both(tf.reverse(steps, [1]), tf.reverse(mask, [1]), None, training)
        return tf.concat([there, tf.reverse(back, [1])], axis=-1), tf.concat([last, first], axis=-1)
