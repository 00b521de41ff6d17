"""The steps of a history as one, the same for every candidate."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field

from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.encoders.next_steps import NextOptions, next_step_layer, next_step_losses
from models.layers.pooling import Readout, read_out, read_out_so_far
from models.options import ModelOptions


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
        self.next_step = next_step_layer(options.next, name)
        other = [each for each in ("within", "half_life") if getattr(options, each) is not None]
        if self.reads_negatives and other:
            raise ValueError(f"`next` reads what `pooling` makes of the steps so far: leave out `{other[0]}`")

    def read(self, history: History, training: bool) -> Reading:
        def so_far() -> tf.Tensor:
            return read_out_so_far(history.steps, history.mask, self.options.pooling)

        weight, width = self.options.next.weight, int(history.steps.shape[-1])
        losses = next_step_losses(self.next_step, weight, so_far, width, history, training, state_of=history.parts)
        return Reading(self._told(history), losses)

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
