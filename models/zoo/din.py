"""Deep Interest Network: a history is read through the eyes of each candidate."""

from __future__ import annotations

from typing import Any

from models.encoders import din
from models.encoders.base import Encoder
from models.encoders.history import HistoryGroup
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import TARGETED
from models.zoo.ranking import RankingModel, TowerOptions


class DinOptions(din.DinOptions, TowerOptions):
    """Options of :class:`Din`."""


@register("din")
class Din(RankingModel):
    """A history with a target is weighted by attention; one without a target is pooled by its mean."""

    Options = DinOptions
    family = "sequence"
    needs = f"a {TARGETED}"
    paper = "Zhou et al., Deep Interest Network for Click-Through Rate Prediction, 2018"
    options: DinOptions

    def __init__(self, schema: FeatureSchema, options: DinOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="din")
        if not self.has_targets:
            raise ValueError(f"model 'din' needs a {TARGETED}; without one, use 'pooled'")

    def own_encoder(self, group: HistoryGroup, name: str) -> Encoder[Any]:
        return din.Din(self.options, group, name=name) if group.targets else super().own_encoder(group, name)

    def idle_options(self) -> dict[str, str]:
        return super().idle_options() | self.idle_of(din.Din)
