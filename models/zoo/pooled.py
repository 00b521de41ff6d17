"""Sum or mean pooling of every history, and a network on top: the model to beat."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field

from models.layers.pooling import Pooling, pool
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import History, HistoryGroup, RankingModel, RankingOptions


class PooledOptions(RankingOptions):
    """Options of :class:`Pooled`."""

    pooling: Pooling = Field("mean", description="how the steps of a history are pooled")


@register("pooled")
class Pooled(RankingModel):
    """Every history is the sum or mean of its steps, the same for every candidate."""

    Options = PooledOptions

    def __init__(self, schema: FeatureSchema, options: PooledOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="pooled")
        self.pooling = options.pooling

    def read(self, group: HistoryGroup, history: History) -> tf.Tensor:
        return pool(history.steps, history.mask, self.pooling)

    def idle_options(self) -> dict[str, str]:
        return super().idle_options() | ({} if self.groups else {"pooling": "there is no history"})
