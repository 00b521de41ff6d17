"""What every encoder has: options of its own, Keras layers, and one way of being asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

import keras
import tensorflow as tf

from models.encoders.history import History, HistoryGroup
from models.options import ModelOptions
from models.outputs import Auxiliary

Given = TypeVar("Given", bound=ModelOptions)


class Reading(NamedTuple):
    """What an encoder makes of a history.

    Attributes:
        told: ``[batch, dim]``, or ``[batch, candidates, dim]`` if it depends on the target.
        losses: by name what a training step also lowers; none where it is asked with ``training=False``. They are told
            apart as ``<history>/<name>``.
    """

    told: tf.Tensor
    losses: Mapping[str, Auxiliary] = MappingProxyType({})


class Encoder(ABC, Generic[Given]):
    """What is made of one history. No layer itself: its layers stand in the model under the names that it gives them.

    Args:
        options: of type ``Options``.
        group: the history that is read.
        name: of the history's layers, ``seq_<history>``: what names of weights begin with.

    Attributes:
        keeps_places: whether the values of what it gives are of what those of a step are, in the same places.
        needs_target: whether it reads a history against each candidate, so that the history has to have a target.
        needs_sessions: whether it reads a history session by session.
        reads_ages: whether it reads how old the steps are, so that the job has to tell it.
        reads_negatives: whether its losses compare the steps with others that could have stood there, so that the job
            has to draw some.
    """

    Options: type[ModelOptions] = ModelOptions
    keeps_places = False
    needs_target = False
    needs_sessions = False
    reads_ages = False
    reads_negatives = False

    def __init__(self, options: Given, group: HistoryGroup, *, name: str) -> None:
        self.options = options
        self.title = group.title

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """The Keras layers among its attributes; the model holds their weights."""
        return [each for each in keras.tree.flatten(vars(self)) if isinstance(each, keras.layers.Layer)]

    def check_width(self, step: int) -> None:
        """Whether the encoder can read steps of ``step`` values; raises ``ValueError``."""

    @abstractmethod
    def read(self, history: History, training: bool) -> Reading:
        """What a history tells, in training with its auxiliary losses. A layer that training alone calls is to be built
        all the same: weights are made where a model is first asked.

        With the models' option ``product``, ``dim`` is that of a step where there is a target: the first values are in
        the target's space and are multiplied by it. Any other width is refused when the model is first called.
        """
