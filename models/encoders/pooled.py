"""The steps of a history as one, the same for every candidate."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field

from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.layers.next_step_loss import NextStepLoss
from models.layers.pooling import Readout, read_out, read_out_so_far
from models.options import ModelOptions, Widths
from models.outputs import Auxiliary


class NextOptions(ModelOptions):
    """Of the loss ``next``: what is read of the steps so far, against the next step and the negatives of that step."""

    weight: float = Field(
        default=0.0, ge=0, description="of the loss of telling each next step from its `negatives` by those before it"
    )
    units: Widths = Field(default=(), description="hidden layers of the network that does; none: the inner product")


class PooledOptions(ModelOptions):
    """Options of :class:`Pooled`."""

    pooling: Readout = Field(default="mean", description="what is read out of the steps of a history")
    within: Readout | None = Field(
        default=None, description="of sessions, what is read out of each before they are pooled; none: all steps alike"
    )
    half_life: float | None = Field(
        default=None,
        gt=0,
        description="days (or what the `unit` of the ages is) after which a step weighs half; none: all weigh one",
    )
    next: NextOptions = NextOptions()


class Pooled(Encoder[PooledOptions]):
    """The sum or mean of the steps, or the last of them; with a half-life of ``h`` each weighs ``2^(-age / h)``.

    Raises:
        ValueError: a half-life where one step alone is read, or sessions one by one; a loss of next steps where steps
            are not read alike.
    """

    Options = PooledOptions
    keeps_places = True

    def __init__(self, options: PooledOptions, group: HistoryGroup, *, name: str) -> None:
        super().__init__(options, group, name=name)
        self.needs_sessions = options.within is not None
        self.reads_ages = options.half_life is not None
        if self.reads_ages and options.pooling == "last":
            raise ValueError("`half_life` would have no effect: `pooling: last` reads one step; leave it out")
        if self.reads_ages and self.needs_sessions:
            raise ValueError("`half_life` weighs steps, and `within` reads sessions one by one: give one of them")
        self.reads_negatives = options.next.weight > 0
        self.next_step = NextStepLoss(options.next.units, name=f"{name}_next") if self.reads_negatives else None
        other = [each for each in ("within", "half_life") if getattr(options, each) is not None]
        if self.reads_negatives and other:
            raise ValueError(f"`next` reads what `pooling` makes of the steps so far: leave out `{other[0]}`")
        if options.next.units and not self.reads_negatives:
            raise ValueError("`next.units` would have no effect: the loss has no `weight`; leave them out")

    def read(self, history: History, training: bool) -> Reading:
        told = self._told(history)
        if self.next_step is None:
            return Reading(told)
        if not self.next_step.built:
            self.next_step.build(history.steps.shape, history.steps.shape)
        if not training or history.negatives is None:
            return Reading(told)
        so_far = read_out_so_far(history.steps, history.mask, self.options.pooling)
        loss = self.next_step(so_far, history.steps, history.mask, *history.negatives)
        return Reading(told, {"next": Auxiliary(loss, self.options.next.weight)})

    def _told(self, history: History) -> tf.Tensor:
        if history.sessions is not None and self.options.within is not None:
            return read_out(*_each_read_out(history, history.sessions, self.options.within), self.options.pooling)
        if history.ages is None or self.options.half_life is None:
            return read_out(history.steps, history.mask, self.options.pooling)
        weights = tf.where(history.mask, tf.pow(2.0, -history.ages / self.options.half_life), 0.0)
        total = tf.reduce_sum(history.steps * weights[..., None], axis=1)
        if self.options.pooling == "sum":
            return total
        return tf.math.divide_no_nan(total, tf.reduce_sum(weights, axis=1, keepdims=True))


def _each_read_out(history: History, sessions: int, how: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Sessions as steps: ``[batch, sessions, dim]``, and which of them there are."""
    length, dim = history.steps.shape[1] // sessions, history.steps.shape[-1]
    mask = tf.reshape(history.mask, (-1, length))
    read = read_out(tf.reshape(history.steps, (-1, length, dim)), mask, how)
    return tf.reshape(read, (-1, sessions, dim)), tf.reshape(tf.reduce_any(mask, axis=1), (-1, sessions))
