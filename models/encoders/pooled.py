"""The steps of a history as one, the same for every candidate."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field

from models.encoders.base import Encoder
from models.encoders.history import History
from models.layers.pooling import Readout, read_out
from models.options import ModelOptions


class PooledOptions(ModelOptions):
    """Options of :class:`Pooled`."""

    pooling: Readout = Field("mean", description="what is read out of the steps of a history")


class Pooled(Encoder[PooledOptions]):
    """The sum or mean of the steps, or the last of them."""

    Options = PooledOptions

    def read(self, history: History, training: bool) -> tf.Tensor:
        return read_out(history.steps, history.mask, self.options.pooling)
