"""A network over all features side by side."""

from __future__ import annotations

from typing import Any

from models.encoders.base import Encoder
from models.encoders.history import HistoryGroup
from models.encoders.pooled import Pooled, PooledOptions
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import RankingModel, RankingOptions


class DnnOptions(RankingOptions):
    """Options of :class:`Dnn`."""


@register("dnn")
class Dnn(RankingModel):
    """A network over vectors of any widths, dense values, and the means of histories."""

    Options = DnnOptions
    family = "deep"

    def __init__(self, schema: FeatureSchema, options: DnnOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="dnn")

    def own_encoder(self, group: HistoryGroup, name: str) -> Encoder[Any]:
        return Pooled(PooledOptions(), group, name=name)
