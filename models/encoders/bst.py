"""A history and a candidate as its last step, all of which look at each other."""

from __future__ import annotations

from typing import Literal

import tensorflow as tf
from pydantic import Field

from models.encoders.base import Reading
from models.encoders.history import History
from models.encoders.transformer import BlockOptions, OfBlocks
from models.layers.pooling import pool


class BstOptions(BlockOptions):
    """Options of :class:`Bst`."""

    out: Literal["target", "mean", "flat"] = Field(
        default="target",
        description="what is read out: the target after it has seen the steps, the mean of all, or all side by side",
    )


class Bst(OfBlocks[BstOptions]):
    """What transformer blocks make of the steps with a candidate behind them.

    A part of a step that candidates lack is zero in theirs. Places count from the candidate, which is 0, backwards.

    Reference: Chen et al., Behavior Sequence Transformer for E-commerce Recommendation in Alibaba, 2019; there a
    position (of time: ``ages``) stands ``beside`` the item, where by default it is added.
    """

    Options = BstOptions
    needs_target = True

    def read(self, history: History, training: bool) -> Reading:
        steps, target = self.placed(history), tf.convert_to_tensor(history.target)
        length, dim = history.steps.shape[1], int(history.steps.shape[-1])
        if self.options.out == "flat" and length is None:
            raise ValueError(
                f"history '{self.title}', option 'out': 'flat' sets steps side by side, of which every request has "
                f"another number with `layout: flat`; name 'target' or 'mean', or another layout"
            )
        target = tf.pad(target, [[0, 0], [0, 0], [0, dim - int(target.shape[-1])]])
        shape, most = tf.shape(target), tf.shape(steps)[1]
        target = self.positions(target, tf.zeros(shape[:2], tf.int32))
        # From here on a row is a candidate: what steps make of each other hangs on it.
        dim = int(steps.shape[-1])
        of_each = tf.broadcast_to(steps[:, None], (shape[0], shape[1], most, dim))
        rows = shape[0] * shape[1]
        slots = tf.reshape(tf.concat([of_each, target[:, :, None]], axis=2), (rows, most + 1, dim))
        real = tf.broadcast_to(history.mask[:, None], (shape[0], shape[1], most))
        mask = tf.reshape(tf.concat([real, tf.ones((shape[0], shape[1], 1), tf.bool)], axis=2), (rows, most + 1))
        for block in self.blocks[:-1]:
            slots = block(slots, mask, training=training)
        alone = self.options.out == "target"
        told = self._read_out(self.blocks[-1](slots, mask, last_alone=alone, training=training), mask)
        width = dim if self.options.out != "flat" else (int(length) + 1) * dim
        return Reading(tf.reshape(told, (shape[0], shape[1], width)))

    def _read_out(self, slots: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return pool(slots, mask, "mean") if self.options.out == "mean" else slots
