"""Behaviour Sequence Transformer: a candidate is the last step of a history whose steps look at each other."""

from __future__ import annotations

from pydantic import Field

from models.encoders import bst
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import TARGETED
from models.zoo.encoded import EncodedModel
from models.zoo.ranking import TowerOptions


class BstOptions(TowerOptions):
    """Options of :class:`Bst`."""

    encoder: bst.BstOptions = Field(bst.BstOptions(), description="how a history with a target is read")


@register("bst")
class Bst(EncodedModel):
    """Every history with a target is what a transformer makes of it and the candidate; others are their mean."""

    Options = BstOptions
    encoder = bst.Bst
    family = "sequence"
    needs = f"a {TARGETED}"
    paper = "Chen et al., Behavior Sequence Transformer for E-commerce Recommendation in Alibaba, 2019"

    def __init__(self, schema: FeatureSchema, options: BstOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="bst")
