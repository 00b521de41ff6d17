"""Gated recurrent units over every history, and a network on top."""

from __future__ import annotations

from pydantic import Field

from models.encoders import gru
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.encoded import EncodedModel
from models.zoo.ranking import TowerOptions


class GruOptions(TowerOptions):
    """Options of :class:`Gru`."""

    encoder: gru.RecurrentOptions = Field(gru.RecurrentOptions(), description="how a history is read")


@register("gru")
class Gru(EncodedModel):
    """Every history is what a recurrent unit holds after its last step, the same for every candidate."""

    Options = GruOptions
    encoder = gru.Gru
    family = "sequence"
    paper = "Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014"

    def __init__(self, schema: FeatureSchema, options: GruOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="gru")
