"""A history read both ways: what is known at each step of those before and of those after it."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from models.encoders.gru import Gru, RecurrentOptions
from models.encoders.history import HistoryGroup
from models.layers.gru import Bidirectional


class Bgru(Gru):
    """Gated recurrent units over the steps and over the steps turned round: both states after the last step that each
    reads, or the sum or mean of both over the steps.

    Raises:
        ValueError: an odd width for two states, or a residual of ends, which are of no one step.
    """

    def __init__(self, options: RecurrentOptions, group: HistoryGroup, *, name: str) -> None:
        super().__init__(options, group, name=name)
        if options.residual and options.readout == "last":
            raise ValueError(
                f"history '{group.title}', option 'residual': what 'last' reads out is of two steps, the last and the "
                f"first; read out 'sum' or 'mean'"
            )

    def unit(self, name: str) -> Any:
        return Bidirectional(self.options.units, "gru", self.options.reset, name=name)

    def told(self, unit: Any, stream: tf.Tensor, mask: tf.Tensor, norm: keras.layers.Layer | None) -> tf.Tensor:
        if self.options.readout != "last":
            return super().told(lambda *given: unit(*given)[0], stream, mask, norm)
        _, ends = unit(stream, mask)
        return ends if norm is None else norm(ends)
