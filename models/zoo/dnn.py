"""A network over all features side by side."""

from __future__ import annotations

from models.registry import register
from models.schema import FeatureSchema
from models.zoo.ranking import RankingModel, TowerOptions


class DnnOptions(TowerOptions):
    """Options of :class:`Dnn`."""


@register("dnn")
class Dnn(RankingModel):
    """A network over vectors of any widths, dense values, and the means of histories."""

    Options = DnnOptions
    family = "deep"

    def __init__(self, schema: FeatureSchema, options: DnnOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="dnn")
