"""How well what is made of a history up to a step tells the next one from others that could have come instead."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from models.architecture import Axes, Segments


class NextStepLoss(keras.layers.Layer):
    """The auxiliary loss of DIEN: ``−log σ(s(h_t, e⁺_{t+1})) − mean log(1 − σ(s(h_t, e⁻_{t+1})))``, on logits.

    ``s`` is the inner product, or a network of both vectors with one logit. The mean is over the pairs of a step and
    the one after it that is there and has negatives, where some step is there at or before the first of the two: over a
    gap the state that is carried along tells the step behind it.

    Reference: Zhou et al., Deep Interest Evolution Network for Click-Through Rate Prediction, 2019; its authors' code
    also counts pairs of padding, and the paper divides by histories.

    Args:
        units: widths of the network's hidden layers (sigmoid); none for the inner product.

    Attributes:
        state_of: what the values of a state are of, ``step_of`` those of a step, as the encoder says when it calls.
    """

    state_of: Segments = ()
    step_of: Segments = ()

    def __init__(self, units: Sequence[int] = (), *, name: str) -> None:
        super().__init__(name=name)
        self.score = [keras.layers.Dense(width, "sigmoid", name=f"{name}_{n}") for n, width in enumerate(units)]
        if self.score:
            self.score.append(keras.layers.Dense(1, name=f"{name}_{len(units)}"))

    def build(self, states_shape: tuple[int | None, ...], steps_shape: tuple[int | None, ...]) -> None:
        """Make the weights.

        Raises:
            ValueError: an inner product of vectors that differ in width.
        """
        of_state, of_step = int(states_shape[-1] or 0), int(steps_shape[-1] or 0)
        if not self.score and of_state != of_step:
            raise ValueError(
                f"'{self.name}': a state of {of_state} values has no inner product with a step of {of_step}; give the "
                "loss `units`"
            )
        width = of_state + of_step
        for layer in self.score:
            layer.build((None, width))
            width = layer.units
        self.built = True

    @property
    def kernel(self) -> keras.Variable:
        """The network's first one, whose rows are a state's and a step's."""
        return self.score[0].kernel

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, if the encoder says what states and steps are of."""
        both = (("state", self.state_of), ("next step", self.step_of))
        rows = tuple((f"{what} of {name}", size) for what, parts in both for name, size in parts)
        return {"kernel": (rows, None)} if self.score and self.state_of and self.step_of else {}

    def call(
        self, states: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor, negatives: tf.Tensor, negatives_mask: tf.Tensor
    ) -> tf.Tensor:
        """The loss, a scalar; 0 where there is no pair.

        Args:
            states: ``[batch, steps, units]`` after each step, carried along where there is none.
            steps: ``[batch, steps, dim]``, oldest first.
            mask: bool ``[batch, steps]``.
            negatives: ``[batch, steps, negatives, dim]`` what could have stood in the place of each step.
            negatives_mask: bool ``[batch, steps, negatives]``.
        """
        before, others = states[:, :-1], tf.cast(negatives_mask[:, 1:], states.dtype)
        begun = tf.cumsum(tf.cast(mask, tf.int32), axis=1)[:, :-1] > 0
        valid = tf.reduce_all(tf.stack([begun, mask[:, 1:], tf.reduce_any(negatives_mask[:, 1:], axis=2)]), axis=0)
        right = tf.math.softplus(-self._logits(before, steps[:, 1:]))
        wrong = tf.math.softplus(self._logits(before[:, :, None], negatives[:, 1:])) * others
        each = right + tf.math.divide_no_nan(tf.reduce_sum(wrong, axis=2), tf.reduce_sum(others, axis=2))
        pairs = tf.cast(valid, each.dtype)
        return tf.math.divide_no_nan(tf.reduce_sum(tf.where(valid, each, 0.0)), tf.reduce_sum(pairs))

    def _logits(self, states: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """``[batch, steps]``, or ``[batch, steps, negatives]``."""
        if not self.score:
            return tf.reduce_sum(states * steps, axis=-1)
        shape = tf.concat([tf.shape(steps)[:-1], [states.shape[-1]]], axis=0)
        both = tf.concat([tf.broadcast_to(states, shape), steps], axis=-1)
        for layer in self.score:
            both = layer(both)
        return both[..., 0]
