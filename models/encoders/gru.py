"""A history read step by step: what a recurrent unit holds of it, the same for every candidate."""

from __future__ import annotations

from typing import Any, Literal

import keras
import tensorflow as tf
from pydantic import Field

from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.layers.gru import GRU
from models.layers.pooling import Readout, read_out
from models.layers.recurrence import Reset
from models.options import ModelOptions, Width


class RecurrentOptions(ModelOptions):
    """Options of :class:`Gru`, and of :class:`models.encoders.bgru.Bgru`."""

    units: Width | None = Field(default=None, description="width of the state; none: that of a step, or of a part")
    readout: Readout = Field(default="last", description="what is read out of the states of the steps")
    streams: Literal["together", "apart"] = Field(
        default="together",
        description="one unit for the parts of a step side by side, or one for each, with its own state",
    )
    reset: Reset = Field(
        default="after", description="where the reset gate acts: on what the state gives, or on the state"
    )
    residual: bool = Field(default=False, description="add each step to its state, which has to be as wide")
    normalise: bool = Field(default=False, description="normalise the values of each state (layer normalisation)")


class Gru(Encoder[RecurrentOptions]):
    """The state of a gated recurrent unit after the last step, or the sum or mean of its states.

    Reference: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.
    """

    Options = RecurrentOptions

    def __init__(self, options: RecurrentOptions, group: HistoryGroup, *, name: str) -> None:
        super().__init__(options, group, name=name)
        apart = options.streams == "apart"
        names = [f"{name}_{feature.name}" for feature in group.features] if apart else [name]
        self.units = [self.unit(each) for each in names]
        self.norms = [keras.layers.LayerNormalization(name=f"{each}_norm") for each in names if options.normalise]

    def read(self, history: History, training: bool) -> Reading:
        streams, reads = [history.steps], [history.parts]
        if self.options.streams == "apart":
            if len(history.parts) < len(self.units):
                raise ValueError(
                    f"history '{self.title}', option 'streams': laid out 'stacked' each step is one part, and 'apart' "
                    f"reads parts side by side; leave out one of them"
                )
            streams = tf.split(history.steps, [size for _, size in history.parts], axis=-1)
            reads = [(part,) for part in history.parts]
        told = []
        for place, (unit, stream) in enumerate(zip(self.units, streams, strict=True)):
            unit.reads = reads[place]
            told.append(self.told(unit, stream, history.mask, self.norms[place] if self.norms else None))
        return Reading(tf.concat(told, axis=-1))

    def unit(self, name: str) -> Any:
        """The layer that reads a stream."""
        return GRU(self.options.units, self.options.reset, name=name)

    def told(self, unit: Any, stream: tf.Tensor, mask: tf.Tensor, norm: keras.layers.Layer | None) -> tf.Tensor:
        """What is read out of a stream: ``[batch, steps, size]`` to ``[batch, units]``."""
        if self.options.readout == "last" and not self.options.residual:
            last = unit(stream, mask, last_alone=True)
            return last if norm is None else norm(last)
        states = unit(stream, mask)
        if self.options.residual:
            if states.shape[-1] != stream.shape[-1]:
                raise ValueError(
                    f"history '{self.title}', option 'residual': a state has {states.shape[-1]} values and a step "
                    f"{stream.shape[-1]}; leave out `units`, or `residual`"
                )
            states += stream
        return read_out(states if norm is None else norm(states), mask, self.options.readout)
