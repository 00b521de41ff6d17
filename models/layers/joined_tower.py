"""A network on top whose scores are read of more than its last hidden layer."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Segments
from models.layers.hidden import Hidden
from models.layers.tower import Tower

Sides = tuple[tf.Tensor, tf.Tensor]
"""What is known of a request, ``[batch, values]``, and of each candidate, ``[batch, candidates, values]``."""


class JoinedTower(keras.layers.Layer):
    """Hidden layers one after another, and a branch of its own for what joins them late; scores are read of the last
    hidden layer, or of all of them (``skip``), and of the branch, side by side.

    Args:
        units: widths of the hidden layers, one at least.
        activation: of the hidden layers and the branch, or ``dice``.
        dropout: share of each hidden layer's values that a training step leaves out.
        skip: whether scores are read of all hidden layers.
        late: widths of the branch's layers; none: there is no branch.
        scores: of each candidate.
    """

    def __init__(
        self,
        units: tuple[int, ...],
        activation: str,
        dropout: float = 0.0,
        *,
        skip: bool,
        late: tuple[int, ...],
        scores: int,
        name: str,
    ) -> None:
        super().__init__(name=name)
        self.skip = skip
        self.hidden = [
            Hidden((width,), activation, dropout, name=f"{name}_hidden_{i + 1}") for i, width in enumerate(units)
        ]
        self.late = Hidden(late, activation, dropout, name=f"{name}_late") if late else None
        self.head = Tower((), "linear", scores=scores, name=f"{name}_head")
        read = [(f"hidden {i + 1}", width) for i, width in enumerate(units)]
        self.head.reads = (*(read if skip else read[-1:]), *([("late", late[-1])] if late else []))

    def build(self, *_: object) -> None:
        # Every part builds itself when it is first called.
        self.built = True

    def reading(self, early: Segments, late: Segments) -> JoinedTower:
        """Itself, told what the values of ``[request, item]`` are of, and those that join late."""
        self.hidden[0].reading(early)
        if self.late is not None:
            self.late.reading(late)
        return self

    @property
    def output_bias(self) -> keras.Variable:
        """What every score starts from, ``[scores]``."""
        return self.head.output_bias

    def call(
        self, early: Sides, late: Sides | None, real: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """To ``[batch, candidates, scores]``; bool ``real [batch, candidates]`` says in training which are any."""
        nothing = early[0][:, :0]
        found = [self.hidden[0](*early, real, training=training)]
        for layer in self.hidden[1:]:
            found.append(layer(nothing, found[-1], real, training=training))
        told = found if self.skip else found[-1:]
        if self.late is not None and late is not None:
            told.append(self.late(*late, real, training=training))
        return self.head(nothing, tf.concat(told, axis=-1))
