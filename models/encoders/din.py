"""A history through the eyes of each candidate."""

from __future__ import annotations

from pydantic import Field

from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.layers.attention import AttentionNormaliser, TargetAttention
from models.options import Bending, ModelOptions, Widths


class DinOptions(ModelOptions):
    """Options of :class:`Din`."""

    attention_units: Widths = Field((80, 40), min_length=1, description="widths of the attention's hidden layers")
    attention_activation: Bending = Field("sigmoid", description="activation of the attention's hidden layers")
    normaliser: AttentionNormaliser = Field(
        "softmax", description="softmax, or none to keep the strength of the interest"
    )


class Din(Encoder[DinOptions]):
    """The sum of the steps, each weighted by a small network of it and the target.

    Reference: Zhou et al., Deep Interest Network for Click-Through Rate Prediction, 2018.
    """

    Options = DinOptions
    needs_target = True
    keeps_places = True

    def __init__(self, options: DinOptions, group: HistoryGroup, *, name: str) -> None:
        super().__init__(options, group, name=name)
        self.attention = TargetAttention(
            options.attention_units, options.attention_activation, options.normaliser, name=name
        )

    def read(self, history: History, training: bool) -> Reading:
        self.attention.parts = history.parts
        return Reading(
            self.attention(history.target, history.steps, history.mask, history.candidates, training=training)
        )
