"""Steps that look at each other."""

from __future__ import annotations

from typing import Literal, get_args

import keras
import tensorflow as tf

from models.layers.dropout import Dropout

Norm = Literal["post", "pre", "none"]
"""Where values are normalised: after each sum, before what is added, or nowhere."""


_PROJECTIONS = ("query", "key", "value", "output")
_NETWORK = ("hidden", "out")


def check_heads(heads: int, width: int, whose: str) -> None:
    """Whether steps of a width can be told apart into heads; raises ``ValueError``."""
    if width % heads:
        raise ValueError(f"{whose}: {heads} heads do not divide a step of {width} values; give `heads` that do")


class TransformerBlock(keras.layers.Layer):
    """Self-attention in heads of width ``dim / heads``, ``softmax(QKᵀ/√(dim/heads)) V``, and a network of each step.

    ``post``: ``s = LN(x + attention(x))``, ``LN(s + network(s))``; ``pre``: ``s = x + attention(LN(x))``, ``s +
    network(LN(s))``. What is no step is seen by none and gives zero.

    Args:
        heads: of the attention.
        hidden: width of the network's hidden layer; by default that of a step.
        norm: see :data:`Norm`.
        residual: whether what goes in is added to what each part makes of it.
        activation: of the hidden layer, by name, or ``leaky_relu`` with a slope of .01.
        bias: whether the attention's projections have one.
        dropout: share of what attention and network make of a step that a training step leaves out.

    Reference: Vaswani et al., Attention Is All You Need, 2017.
    """

    def __init__(
        self,
        heads: int,
        hidden: int | None = None,
        norm: str = "post",
        *,
        residual: bool = True,
        activation: str = "leaky_relu",
        bias: bool = True,
        dropout: float = 0.0,
        name: str,
    ) -> None:
        super().__init__(name=name)
        if norm not in get_args(Norm):
            raise ValueError(f"norm '{norm}'; expected one of {', '.join(get_args(Norm))}")
        self.heads = heads
        self.hidden = hidden
        self.norm = norm
        self.residual = residual
        leaky = activation == "leaky_relu"
        self.activation = (lambda x: tf.nn.leaky_relu(x, 0.01)) if leaky else keras.activations.get(activation)
        self.bias = bias
        self.dropouts = [Dropout(dropout, name=f"{name}_dropout_{part}") for part in (1, 2)]
        # Of this layer, not of those within: so they are drawn by their names, in whatever order these are made.
        for each in (*_PROJECTIONS, *_NETWORK):
            setattr(self, f"{each}_initializer", keras.initializers.GlorotUniform())

    def build(self, steps_shape: tuple[int | None, ...], *_: object) -> None:
        dim = int(steps_shape[-1] or 0)
        check_heads(self.heads, dim, f"'{self.name}'")
        hidden = dim if self.hidden is None else self.hidden
        self.projections = {each: self._dense(each, dim, use_bias=self.bias) for each in _PROJECTIONS}
        self.network = [self._dense("hidden", hidden, self.activation), self._dense("out", dim)]
        norms = () if self.norm == "none" else ("norm_1", "norm_2")
        self.norms = [keras.layers.LayerNormalization(epsilon=1e-3, name=f"{self.name}_{each}") for each in norms]
        for layer in (*self.projections.values(), *self.norms, self.network[0]):
            layer.build((None, dim))
        self.network[1].build((None, hidden))
        self.built = True

    def _dense(self, each: str, width: int, *how: object, **more: object) -> keras.layers.Dense:
        drawn = getattr(self, f"{each}_initializer")
        return keras.layers.Dense(width, *how, kernel_initializer=drawn, name=f"{self.name}_{each}", **more)

    def call(self, steps: tf.Tensor, mask: tf.Tensor, last_alone: bool = False, training: bool = False) -> tf.Tensor:
        """``steps [batch, steps, dim]`` and bool ``mask [batch, steps]`` to the same shape; of the last step alone,
        ``[batch, 1, dim]``."""
        real = tf.cast(mask, steps.dtype)[..., None]
        steps = steps * real
        asked, asked_real = (steps[:, -1:], real[:, -1:]) if last_alone else (steps, real)
        normal = self._normal(0, "pre", steps)
        seen = self._attention(normal[:, -1:] if last_alone else normal, normal, mask)
        seen = self.dropouts[0](seen, training=training)
        first = self._normal(0, "post", asked + seen if self.residual else seen)
        out = self.network[1](self.network[0](self._normal(1, "pre", first)))
        out = self.dropouts[1](out, training=training)
        return self._normal(1, "post", first + out if self.residual else out) * asked_real

    def _normal(self, which: int, where: str, values: tf.Tensor) -> tf.Tensor:
        return self.norms[which](values) if self.norm == where else values

    def _attention(self, asked: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        query, key, value = (
            self._in_heads(self.projections[each](of))
            for each, of in (("query", asked), ("key", steps), ("value", steps))
        )
        scores = tf.matmul(query, key, transpose_b=True) / tf.sqrt(tf.cast(query.shape[-1], query.dtype))
        weights = tf.nn.softmax(tf.where(mask[:, None, None, :], scores, -1e9), axis=-1)
        seen = tf.transpose(tf.matmul(weights, value), (0, 2, 1, 3))
        return self.projections["output"](tf.reshape(seen, tf.shape(asked)))

    def _in_heads(self, values: tf.Tensor) -> tf.Tensor:
        """``[batch, steps, dim]`` to ``[batch, heads, steps, dim / heads]``."""
        shape, width = tf.shape(values), values.shape[-1] // self.heads
        return tf.transpose(tf.reshape(values, (shape[0], shape[1], self.heads, width)), (0, 2, 1, 3))
