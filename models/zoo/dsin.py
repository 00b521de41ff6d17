"""Deep Session Interest Network: a history is read session by session, as each candidate sees it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from models.encoders import dsin
from models.encoders.base import Encoder
from models.encoders.history import HistoryGroup
from models.encoders.pooled import Pooled, PooledOptions
from models.registry import register
from models.schema import FeatureSchema, Kind
from models.zoo.encoded import EncodedModel
from models.zoo.ranking import TowerOptions


class DsinOptions(TowerOptions):
    """Options of :class:`Dsin`."""

    product: bool = Field(
        False, description="also give the tower the product of the target and the history as it is read"
    )
    encoder: dsin.DsinOptions = Field(dsin.DsinOptions(), description="how a history of sessions is read")


@register("dsin")
class Dsin(EncodedModel):
    """Every history of sessions with a target is what each candidate sees in them; others are their mean."""

    Options = DsinOptions
    encoder = dsin.Dsin
    family = "sequence"
    needs = "a history of sessions of an item feature (`kind: sessions` with `of`)"
    paper = "Feng et al., Deep Session Interest Network for Click-Through Rate Prediction, 2019"

    def __init__(self, schema: FeatureSchema, options: DsinOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="dsin")
        if not any(group.targets and group.features[0].kind is Kind.SESSIONS for group in self.groups):
            raise ValueError(f"model 'dsin' needs {self.needs}; without one, use 'din'")

    def own_encoder(self, group: HistoryGroup, name: str) -> Encoder[Any]:
        if group.features[0].kind is not Kind.SESSIONS:
            return Pooled(PooledOptions(), group, name=name)
        return super().own_encoder(group, name)
