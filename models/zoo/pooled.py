"""Sum or mean pooling of every history, and a network on top: the model to beat."""

from __future__ import annotations

from typing import Any

from models.encoders import pooled
from models.encoders.base import Encoder
from models.encoders.history import HistoryGroup
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.ranking import RankingModel, TowerOptions


class PooledOptions(pooled.PooledOptions, TowerOptions):
    """Options of :class:`Pooled`."""


@register("pooled")
class Pooled(RankingModel):
    """Every history is the sum or mean of its steps, the same for every candidate."""

    Options = PooledOptions
    family = "deep"
    options: PooledOptions

    def __init__(self, schema: FeatureSchema, options: PooledOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="pooled")

    def own_encoder(self, group: HistoryGroup, name: str) -> Encoder[Any]:
        return pooled.Pooled(self.options, group, name=name)

    def idle_options(self) -> dict[str, str]:
        return super().idle_options() | self.idle_of(pooled.Pooled)
