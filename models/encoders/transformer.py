"""A history whose steps look at each other, the same for every candidate."""

from __future__ import annotations

from typing import TypeVar

import tensorflow as tf
from pydantic import Field, PositiveInt

from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.layers.pooling import Readout, read_out
from models.layers.positions import AddPositions, Positions, places_from_end, spans_of
from models.layers.transformer_block import Norm, TransformerBlock, check_heads
from models.options import ModelOptions, Width


class BlockOptions(ModelOptions):
    """Options of encoders that are made of transformer blocks."""

    blocks: PositiveInt = Field(default=1, le=16, description="transformer blocks, one after another")
    heads: PositiveInt = Field(default=2, description="heads of the attention; they divide the width of a step")
    hidden: Width | None = Field(default=None, description="width of a block's network; none: that of a step")
    norm: Norm = Field(
        default="post", description="layer normalisation after each sum, before what is added (`pre`), or none"
    )
    residual: bool = Field(default=True, description="add what goes into each part of a block to what comes out of it")
    positions: Positions = Field(
        default="none",
        description="what tells a step's place: sines of it, counted from the newest, or what is learnt of it "
        "(`learnt`) or of the step's age (`ages`)",
    )
    beside: Width | None = Field(
        default=None, description="width of what tells the place, which then stands beside the step; none: it is added"
    )
    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="share of what each part of a block gives that a training step leaves out"
    )


Blocks = TypeVar("Blocks", bound=BlockOptions)


class TransformerOptions(BlockOptions):
    """Options of :class:`Transformer`."""

    readout: Readout = Field(default="mean", description="what is read out of the steps that have seen each other")


class OfBlocks(Encoder[Blocks]):
    """An encoder that is made of transformer blocks over steps that know their places."""

    def __init__(self, options: Blocks, group: HistoryGroup, *, name: str) -> None:
        super().__init__(options, group, name=name)
        self.reads_ages = options.positions == "ages"
        if options.positions == "none" and options.beside is not None:
            raise ValueError(f"history '{group.title}', option 'beside' would have no effect: there are no `positions`")
        self.positions = AddPositions(options.positions, options.beside, name=f"{name}_positions")
        self.blocks = [
            TransformerBlock(
                options.heads,
                options.hidden,
                options.norm,
                residual=options.residual,
                dropout=options.dropout,
                name=f"{name}_block_{n}",
            )
            for n in range(1, options.blocks + 1)
        ]

    def check_width(self, step: int) -> None:
        check_heads(self.options.heads, step + (self.options.beside or 0), f"history '{self.title}', option 'heads'")

    def placed(self, history: History) -> tf.Tensor:
        """Steps with what tells their places."""
        if self.reads_ages:
            return self.positions(history.steps, spans_of(tf.convert_to_tensor(history.ages), history.mask))
        return self.positions(history.steps, places_from_end(history.mask))


class Transformer(OfBlocks[TransformerOptions]):
    """The mean, sum or last of the steps after each has seen all others.

    Reference: Vaswani et al., Attention Is All You Need, 2017.
    """

    Options = TransformerOptions

    def read(self, history: History, training: bool) -> Reading:
        steps = self.placed(history)
        for block in self.blocks:
            steps = block(steps, history.mask, training=training)
        return Reading(read_out(steps, history.mask, self.options.readout))
