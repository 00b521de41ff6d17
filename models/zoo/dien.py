"""Deep Interest Evolution Network: how the interests of a history evolve towards each candidate."""

from __future__ import annotations

from pydantic import Field

from models.encoders import dien
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import TARGETED
from models.zoo.encoded import EncodedModel
from models.zoo.ranking import TowerOptions


class DienOptions(TowerOptions):
    """Options of :class:`Dien`."""

    encoder: dien.DienOptions = Field(dien.DienOptions(), description="how a history with a target is read")


@register("dien")
class Dien(EncodedModel):
    """Every history with a target is the state of a recurrence that attention to each candidate moves; others are their
    mean."""

    Options = DienOptions
    encoder = dien.Dien
    family = "sequence"
    needs = f"a {TARGETED}"
    paper = "Zhou et al., Deep Interest Evolution Network for Click-Through Rate Prediction, 2019"

    def __init__(self, schema: FeatureSchema, options: DienOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="dien")
