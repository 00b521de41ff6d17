"""The steps of a history as one or several sums, weighted by what the steps are."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field, PositiveInt

from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.layers.self_attentive_pooling import SelfAttentivePooling
from models.options import ModelOptions, Width


class AttentiveOptions(ModelOptions):
    """Options of :class:`Attentive`."""

    units: Width = Field(default=32, description="width of the hidden layer of the weights")
    hops: PositiveInt = Field(default=1, le=64, description="weightings, each of which gives a sum")


class Attentive(Encoder[AttentiveOptions]):
    """Sums of the steps, weighted by a network of each step alone; the same for every candidate.

    Reference: Lin et al., A Structured Self-attentive Sentence Embedding, 2017.
    """

    Options = AttentiveOptions

    def __init__(self, options: AttentiveOptions, group: HistoryGroup, *, name: str) -> None:
        super().__init__(options, group, name=name)
        self.keeps_places = options.hops == 1
        self.pooling = SelfAttentivePooling(options.units, options.hops, name=name)

    def read(self, history: History, training: bool) -> Reading:
        if self.keeps_places:  # of several sums side by side, what is new would stand in the middle
            self.pooling.reads = history.parts
        told = self.pooling(history.steps, history.mask)
        return Reading(tf.reshape(told, (tf.shape(told)[0], self.options.hops * int(told.shape[-1]))))
