"""Gated recurrent units over every history, both ways, and a network on top."""

from __future__ import annotations

from pydantic import Field

from models.encoders import bgru, gru
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.encoded import EncodedModel
from models.zoo.ranking import TowerOptions


class BgruOptions(TowerOptions):
    """Options of :class:`Bgru`."""

    encoder: gru.RecurrentOptions = Field(gru.RecurrentOptions(), description="how a history is read")


@register("bgru")
class Bgru(EncodedModel):
    """Every history is what two recurrent units hold, one over its steps and one over its steps turned round."""

    Options = BgruOptions
    encoder = bgru.Bgru
    family = "sequence"
    paper = "Schuster and Paliwal, Bidirectional Recurrent Neural Networks, 1997"

    def __init__(self, schema: FeatureSchema, options: BgruOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="bgru")
