"""What every encoder has: options of its own, Keras layers, and one way of being asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import keras
import tensorflow as tf

from models.encoders.history import History
from models.options import ModelOptions

Given = TypeVar("Given", bound=ModelOptions)


class Encoder(ABC, Generic[Given]):
    """What is made of one history. No layer itself: its layers stand in the model under the names that it gives them.

    Args:
        options: of type ``Options``.
        name: of the history's layers, ``seq_<history>``: what names of weights begin with.

    Attributes:
        keeps_places: whether the values of what it gives are of what those of a step are, in the same places.
        needs_target: whether it reads a history against each candidate, so that the history has to have a target.
        needs_sessions: whether it reads a history session by session.
        reads_ages: whether it reads how old the steps are, so that the job has to tell it.
    """

    Options: type[ModelOptions] = ModelOptions
    keeps_places = False
    needs_target = False
    needs_sessions = False
    reads_ages = False

    def __init__(self, options: Given, *, name: str) -> None:
        self.options = options

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """The Keras layers among its attributes; the model holds their weights."""
        return [each for each in keras.tree.flatten(vars(self)) if isinstance(each, keras.layers.Layer)]

    @abstractmethod
    def read(self, history: History, training: bool) -> tf.Tensor:
        """What a history tells: ``[batch, dim]``, or ``[batch, candidates, dim]`` if it depends on the target.

        With the models' option ``product``, ``dim`` is that of a step where there is a target: the first values are in
        the target's space and are multiplied by it. Any other width is refused when the model is first called.
        """
