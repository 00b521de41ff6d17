"""DIN's attention of a target over a history, with its first layer factorised."""

from __future__ import annotations

from typing import Literal, get_args

import keras
import tensorflow as tf

from models.architecture import Axes, Segments
from models.layers.dice import Dice
from models.layers.step_network import ACTIVATIONS, Dense, score_steps, suits

AttentionNormaliser = Literal["softmax", "none"]
_MASKED = -1e9


class TargetAttention(keras.layers.Layer):
    """A history as one target sees it: the sum of its steps, each weighted by a small network.

    The network's input is ``[q, k, q - k, q * k]`` for a target ``q`` and a step ``k``. Its first layer
    ``W`` is taken apart into ``q (Wq + Wd) + k (Wk - Wd) + (q * k) Wp``: the same function, but the target's
    part is computed once a target and the step's part once a step.

    A step may be wider than the target. What it holds beyond the target's width (parts that candidates do not have,
    such as what came of an impression) belongs to the step's key and to its value, never to the query: the input is
    ``[q, k, q - k, q * k, rest]`` and whole steps are summed.

    With ``softmax`` the weights of the real steps add up to one; with ``none`` they are used as they are, so
    that the strength of the interest is kept. A history without any real step gives zero, for every target.

    Args:
        units: widths of the hidden layers.
        activation: of the hidden layers, or ``dice``.
        normaliser: ``softmax`` or ``none``.

    Attributes:
        parts: what the values of a step are of, those of the target first, as the model says when it calls.

    Reference: Zhou et al., Deep Interest Network for Click-Through Rate Prediction, 2018.
    """

    parts: Segments = ()

    def __init__(self, units: tuple[int, ...], activation: str, normaliser: str, *, name: str) -> None:
        super().__init__(name=name)
        if normaliser not in get_args(AttentionNormaliser):
            raise ValueError(f"normaliser '{normaliser}'; expected one of {', '.join(get_args(AttentionNormaliser))}")
        if not units:
            raise ValueError("attention needs at least one hidden layer, got units=()")
        self.normaliser = normaliser
        self.first_units = units[0]
        # Dice stands beside the layers: it has weights, and is told what is real.
        self.dices = [Dice(name=f"{name}_dice_{i + 1}") for i in range(len(units))] if activation == "dice" else []
        plain = None if self.dices else activation
        self.activation = keras.activations.get(plain)
        self.bent_by = None if self.dices else activation
        # Glorot over all four parts together, as one layer of 4·dim inputs would have it.
        self.kernel_initializer = keras.initializers.GlorotUniform()
        self.hidden = [keras.layers.Dense(n, plain, name=f"{name}_hidden_{i + 2}") for i, n in enumerate(units[1:])]
        self.score = keras.layers.Dense(1, name=f"{name}_score")

    def build(self, target_shape: tuple[int | None, ...], steps_shape: tuple[int | None, ...]) -> None:
        self.dim = int(target_shape[-1] or 0)
        self.rest = int(steps_shape[-1] or 0) - self.dim
        if self.rest < 0:
            raise ValueError(f"a target of {self.dim} values is wider than the steps, of {self.dim + self.rest}")
        self.kernel = self.add_weight(
            name="kernel", shape=(4 * self.dim + self.rest, self.first_units), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(self.first_units,), initializer="zeros")
        inputs = self.first_units
        for place, layer in enumerate([*self.hidden, self.score]):
            if self.dices:
                self.dices[place].build((None, inputs))
            layer.build((None, inputs))
            inputs = layer.units
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, if the model says what a step is of."""
        if not self.parts:
            return {}
        keys: list[tuple[str, int]] = []
        rest: list[tuple[str, int]] = []
        end = 0
        for name, size in self.parts:
            end += size
            (keys if end <= self.dim else rest).append((name, size))
        inputs = [(f"{what} of {name}", n) for what in ("target", "step", "difference", "product") for name, n in keys]
        return {"kernel": ((*inputs, *rest), None)}

    def call(
        self,
        target: tf.Tensor,
        steps: tf.Tensor,
        mask: tf.Tensor,
        candidates: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """``target [batch, candidates, dim]``, ``steps [batch, steps, dim + rest]``, bool ``mask [batch, steps]``
        to ``[batch, candidates, dim + rest]``; bool ``candidates [batch, candidates]`` says in training which are any.
        """
        # Masked once for both: masked twice, the gradient is another in its last bits.
        real = steps * tf.cast(mask, steps.dtype)[..., None]
        return tf.matmul(self._attend(target, real, mask, candidates, training), real)

    def attend(
        self,
        target: tf.Tensor,
        steps: tf.Tensor,
        mask: tf.Tensor,
        candidates: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """The weights of the steps, ``[batch, candidates, steps]``; zero of what is no step."""
        return self._attend(target, steps * tf.cast(mask, steps.dtype)[..., None], mask, candidates, training)

    def _attend(
        self, target: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor, candidates: tf.Tensor | None, training: bool
    ) -> tf.Tensor:
        """Of steps that are zero where there is none."""
        real = tf.cast(mask, steps.dtype)
        weights = self.weigh(target, steps, mask, candidates, training)
        if self.normaliser == "softmax":
            weights = tf.nn.softmax(tf.where(mask[:, None, :], weights, _MASKED), axis=-1)
        # The softmax of no real step is uniform over padding: the mask makes it zero.
        return weights * real[:, None, :]

    def weigh(
        self,
        target: tf.Tensor,
        steps: tf.Tensor,
        mask: tf.Tensor | None = None,
        candidates: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Unnormalised weights ``[batch, candidates, steps]``; of no meaning where a ``mask`` says there is no step."""
        if mask is not None and self.bent_by in ACTIVATIONS and suits(target, steps, training):
            return score_steps(target[:, 0], steps, mask, self._network(), str(self.bent_by), training)[:, None]
        if target.shape[1] is None:
            hidden = self.activation(self._first_of_many(target, steps))
        else:
            hidden = self.activation(self._first(target, steps))
        real = _pairs(target, mask, candidates) if self.dices else None
        for place, layer in enumerate([*self.hidden, self.score]):
            if self.dices:
                hidden = self.dices[place](hidden, real, training=training)
            hidden = layer(hidden)
        return tf.squeeze(hidden, axis=-1)

    def _network(self) -> list[Dense]:
        """All layers, the first one's rows target | step | product | rest."""
        kernel = tf.convert_to_tensor(self.kernel)
        w_target, w_step, w_difference, w_product = tf.split(kernel[: 4 * self.dim], 4, axis=0)
        rows = [w_target + w_difference, w_step - w_difference, w_product, kernel[4 * self.dim :]]
        first = Dense(tf.concat(rows, axis=0), tf.convert_to_tensor(self.bias))
        others = (*self.hidden, self.score)
        return [first, *(Dense(*map(tf.convert_to_tensor, (each.kernel, each.bias))) for each in others)]

    def _first(self, target: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """The first layer before its activation, ``[batch, candidates, steps, units]``."""
        kernel = tf.convert_to_tensor(self.kernel)
        w_target, w_step, w_difference, w_product = tf.split(kernel[: 4 * self.dim] if self.rest else kernel, 4, axis=0)
        keys = steps[..., : self.dim] if self.rest else steps
        of_target = tf.tensordot(target, w_target + w_difference, 1) + self.bias
        of_step = tf.tensordot(keys, w_step - w_difference, 1)
        if self.rest:
            of_step += tf.tensordot(steps[..., self.dim :], kernel[4 * self.dim :], 1)
        product = tf.tensordot(target[:, :, None, :] * keys[:, None, :, :], w_product, 1)
        return of_target[:, :, None, :] + of_step[:, None, :, :] + product

    def _first_of_many(self, target: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """``_first`` where there may be hundreds of candidates, as an exported model is asked.

        What is linear in a target, ``q (Wq + Wd + diag(k) Wp) + k (Wk - Wd) + b``, is one matrix a request, by which
        all of its candidates are multiplied at once: nothing but the result is as large as candidates times steps.
        """
        kernel = tf.convert_to_tensor(self.kernel)
        w_target, w_step, w_difference, w_product = tf.split(kernel[: 4 * self.dim], 4, axis=0)
        keys = steps[..., : self.dim]
        of_step = tf.tensordot(keys, w_step - w_difference, 1) + self.bias
        if self.rest:
            of_step += tf.tensordot(steps[..., self.dim :], kernel[4 * self.dim :], 1)
        # `tf.transpose` of floats is compiled anew at every call, which takes as long as all of the multiplication.
        by_target = tf.stack(tf.unstack(keys, axis=2), axis=1)[..., None] * w_product[:, None, :]
        by_target += (w_target + w_difference)[:, None, :]
        # As many steps as a history has, or as many ids as its days have, which an exported model is not told.
        length = tf.shape(steps)[1] if steps.shape[1] is None else steps.shape[1]
        shape, width = tf.shape(target), length * self.first_units
        matrix = tf.reshape(tf.concat([by_target, of_step[:, None]], axis=1), (shape[0], self.dim + 1, width))
        first = tf.matmul(tf.concat([target, tf.ones((shape[0], shape[1], 1), target.dtype)], axis=-1), matrix)
        return tf.reshape(first, (shape[0], shape[1], length, self.first_units))


def _pairs(target: tf.Tensor, mask: tf.Tensor | None, candidates: tf.Tensor | None) -> tf.Tensor | None:
    """Of which candidates and steps both are real, bool ``[batch, candidates, steps]``; none where all are."""
    if mask is None:
        return None
    every = tf.ones(tf.shape(target)[:2], tf.bool) if candidates is None else candidates
    return every[:, :, None] & mask[:, None, :]
