"""How the interests of a history evolve towards each candidate."""

from __future__ import annotations

from typing import Literal

import tensorflow as tf
from pydantic import Field

from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.encoders.next_steps import NextOptions, next_step_layer, next_step_losses
from models.layers.attention import TargetAttention
from models.layers.attention_gru import AGRU, AIGRU, AUGRU
from models.layers.bilinear_attention import BilinearAttention
from models.layers.gru import GRU
from models.layers.query import Query
from models.layers.recurrence import Reset
from models.options import Bending, ModelOptions, Width, Widths


class DienOptions(ModelOptions):
    """Options of :class:`Dien`."""

    units: Width | None = Field(default=None, description="width of both states; none: that of a step")
    attention: Literal["network", "bilinear"] = Field(
        default="network", description="how a target attends to the interests: DIN's network, or one matrix"
    )
    attention_units: Widths = Field(
        default=(80, 40), min_length=1, description="widths of the hidden layers of the attention's network"
    )
    attention_activation: Bending = Field(
        default="sigmoid", description="activation of the hidden layers of the attention's network"
    )
    query: bool = Field(
        default=False,
        description="put the target through a layer (PReLU) as wide as an interest before DIN's network sees it; it "
        "always is where the widths differ",
    )
    evolution: Literal["augru", "agru", "aigru"] = Field(
        default="augru", description="where the attention acts: on the update gate, in its place, or on the input"
    )
    gate: Literal["paper", "reference"] = Field(
        default="reference",
        description="of `augru`: attention opens the paper's gate and closes that of the authors' code, which without "
        "any is a GRU",
    )
    reset: Reset = Field(
        default="after", description="where the reset gates act: on what the state gives, or on the state"
    )
    next: NextOptions = NextOptions()


class Dien(Encoder[DienOptions]):
    """The last state of a recurrence over the interests, which attention to each candidate moves; an interest is the
    state of a GRU after a step.

    Raises:
        ValueError: an option that another one leaves without effect.

    Reference: Zhou et al., Deep Interest Evolution Network for Click-Through Rate Prediction, 2019. Its auxiliary loss
    is the option ``next``; it has the sum of the steps beside the state, which a group of its own gives here.
    """

    Options = DienOptions
    needs_target = True

    def __init__(self, options: DienOptions, group: HistoryGroup, *, name: str) -> None:
        super().__init__(options, group, name=name)
        self._check()
        self.interests = GRU(options.units, options.reset, name=f"{name}_interests")
        self.attention: TargetAttention | BilinearAttention = BilinearAttention(name=f"{name}_attention")
        if options.attention == "network":
            self.attention = TargetAttention(
                options.attention_units, options.attention_activation, "softmax", name=f"{name}_attention"
            )
        self.reads_negatives = options.next.weight > 0
        self.next_step = next_step_layer(options.next, name)
        self.query = Query(name=f"{name}_query")
        self.evolution: AUGRU | AGRU | AIGRU
        if options.evolution == "augru":
            self.evolution = AUGRU(options.units, options.gate, options.reset, name=f"{name}_evolution")
        else:
            unit = AGRU if options.evolution == "agru" else AIGRU
            self.evolution = unit(options.units, options.reset, name=f"{name}_evolution")

    def _check(self) -> None:
        of_network = {"attention_units", "attention_activation", "query"}
        for field in sorted(of_network if self.options.attention == "bilinear" else ()):
            if getattr(self.options, field) != DienOptions.model_fields[field].default:
                raise ValueError(f"`{field}` would have no effect: `attention: bilinear` has no network; leave it out")
        if self.options.gate == "paper" and self.options.evolution != "augru":
            raise ValueError(f"`gate` would have no effect: {self.options.evolution} has none of its own; leave it out")

    def read(self, history: History, training: bool) -> Reading:
        self.interests.reads = history.parts
        interests = self.interests(history.steps, history.mask)
        width, target = int(interests.shape[-1]), tf.convert_to_tensor(history.target)
        asked_of, state_of = history.parts_of_target, (("interests", width),)
        losses = next_step_losses(
            self.next_step, self.options.next.weight, lambda: interests, width, history, training,
            state_of=state_of,
        )  # fmt: skip
        if isinstance(self.attention, BilinearAttention):
            self.attention.step_of, self.attention.target_of = state_of, asked_of
        elif self.options.query or target.shape[-1] != width:
            self.query.reads, self.attention.parts = asked_of, state_of
            target = self.query(target, interests)
        else:
            self.attention.parts = asked_of
        if not self.attention.built:
            self.attention.build(target.shape, interests.shape)
        asked = (target, interests, history.mask)
        if isinstance(self.attention, TargetAttention):
            scores = self.attention.attend(*asked, history.candidates, training)
        else:
            scores = self.attention.attend(*asked)
        # From here on a row is a candidate: each has states of its own.
        shape, length = tf.shape(scores), tf.shape(interests)[1]
        rows = shape[0] * shape[1]
        of_each = tf.broadcast_to(interests[:, None], (shape[0], shape[1], length, width))
        steps = tf.reshape(of_each, (rows, length, width))
        mask = tf.reshape(tf.broadcast_to(history.mask[:, None], shape), (rows, length))
        last = self.evolution(steps, mask, tf.reshape(scores, (rows, length)), last_alone=True)
        return Reading(tf.reshape(last, (shape[0], shape[1], last.shape[-1])), losses)
