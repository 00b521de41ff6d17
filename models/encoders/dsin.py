"""A history session by session, as each candidate sees it."""

from __future__ import annotations

from typing import Literal

import tensorflow as tf
from pydantic import Field, PositiveInt

from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.layers.attention import TargetAttention
from models.layers.bilinear_attention import BilinearAttention
from models.layers.lstm import BidirectionalLSTM
from models.layers.pooling import pool
from models.layers.session_bias import SessionBias
from models.layers.transformer_block import TransformerBlock, check_heads
from models.options import Bending, ModelOptions, Width, Widths


class DsinOptions(ModelOptions):
    """Options of :class:`Dsin`."""

    heads: PositiveInt = Field(
        default=2, description="heads of the attention within a session; they divide the width of a step"
    )
    hidden: Width | None = Field(
        default=None, description="width of the network within a session; none: that of a step"
    )
    bias: bool = Field(default=True, description="tell steps their session and place by biases")
    attention: Literal["network", "bilinear"] = Field(
        default="network",
        description="how a target attends to sessions: by DIN's networks, over the mean of both states of the LSTMs, "
        "or by matrices, over both side by side",
    )
    attention_units: Widths = Field(
        default=(80, 40), min_length=1, description="widths of the hidden layers of the attention's networks"
    )
    attention_activation: Bending = Field(
        default="sigmoid", description="activation of the hidden layers of the attention's networks"
    )


class Dsin(Encoder[DsinOptions]):
    """What a candidate sees in sessions, and in what LSTMs hold at each of them, side by side.

    A session is the mean of its steps after they have seen each other.

    Raises:
        ValueError: an option that another one leaves without effect.

    Reference: Feng et al., Deep Session Interest Network for Click-Through Rate Prediction, 2019; attention is scaled
    by the width of a head, and a step sees itself.
    """

    Options = DsinOptions
    needs_target = True
    needs_sessions = True

    def __init__(self, options: DsinOptions, group: HistoryGroup, *, name: str) -> None:
        super().__init__(options, group, name=name)
        for field in ("attention_units", "attention_activation") if options.attention == "bilinear" else ():
            if getattr(options, field) != DsinOptions.model_fields[field].default:
                raise ValueError(f"`{field}` would have no effect: `attention: bilinear` has no network; leave it out")
        self.bias = SessionBias(name=f"{name}_bias") if options.bias else None
        self.block = TransformerBlock(
            options.heads, options.hidden, activation="relu", bias=False, name=f"{name}_session"
        )
        self.lstm = BidirectionalLSTM(None, name=f"{name}_lstm")
        self.attentions = [self._attention(f"{name}_{each}") for each in ("interest", "context")]

    def _attention(self, name: str) -> TargetAttention | BilinearAttention:
        if self.options.attention == "bilinear":
            return BilinearAttention(name=name)
        return TargetAttention(self.options.attention_units, self.options.attention_activation, "softmax", name=name)

    def check_width(self, step: int) -> None:
        check_heads(self.options.heads, step, f"history '{self.title}', option 'heads'")

    def read(self, history: History, training: bool) -> Reading:
        sessions, dim = int(history.sessions or 0), int(history.steps.shape[-1])
        batch, length = tf.shape(history.steps)[0], history.steps.shape[1] // sessions
        steps = tf.reshape(history.steps, (batch, sessions, length, dim))
        mask = tf.reshape(history.mask, (batch, sessions, length))
        steps = steps if self.bias is None else self.bias(steps, mask)
        rows, real = tf.reshape(steps, (batch * sessions, length, dim)), tf.reshape(mask, (batch * sessions, length))
        told = tf.reshape(pool(self.block(rows, real), real, "mean"), (batch, sessions, dim))
        present = tf.reduce_any(mask, axis=2)
        forwards, backwards = self.lstm(told, present)
        by_matrix = self.options.attention == "bilinear"
        context = tf.concat([forwards, backwards], axis=-1) if by_matrix else (forwards + backwards) / 2.0
        of_network = {} if by_matrix else {"candidates": history.candidates, "training": training}
        seen = [
            each(history.target, of, present, **of_network)
            for each, of in zip(self.attentions, (told, context), strict=True)
        ]
        return Reading(tf.concat(seen, axis=-1))
