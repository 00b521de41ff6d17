"""Transformer blocks over every history, and a network on top."""

from __future__ import annotations

from pydantic import Field

from models.encoders import transformer
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.encoded import EncodedModel
from models.zoo.ranking import TowerOptions


class TransformerOptions(TowerOptions):
    """Options of :class:`Transformer`."""

    encoder: transformer.TransformerOptions = Field(
        transformer.TransformerOptions(), description="how a history is read"
    )


@register("transformer")
class Transformer(EncodedModel):
    """Every history is the mean of its steps after each has seen the others, the same for every candidate."""

    Options = TransformerOptions
    encoder = transformer.Transformer
    family = "sequence"
    paper = "Vaswani et al., Attention Is All You Need, 2017"

    def __init__(self, schema: FeatureSchema, options: TransformerOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="transformer")
