"""Deep Interest Network: a history is read through the eyes of each candidate."""

from __future__ import annotations

import tensorflow as tf
from pydantic import Field

from models.layers.attention import AttentionNormaliser, TargetAttention
from models.layers.pooling import pool
from models.options import Widths
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import TARGETED, Activation, History, HistoryGroup, RankingModel, RankingOptions


class DinOptions(RankingOptions):
    """Options of :class:`Din`."""

    attention_units: Widths = Field((80, 40), min_length=1, description="widths of the attention's hidden layers")
    attention_activation: Activation = Field("sigmoid", description="activation of the attention's hidden layers")
    normaliser: AttentionNormaliser = Field(
        "softmax", description="softmax, or none to keep the strength of the interest"
    )


@register("din")
class Din(RankingModel):
    """A history with a target is weighted by attention; one without a target is pooled by its mean.

    Reference: Zhou et al., Deep Interest Network for Click-Through Rate Prediction, 2018.
    """

    Options = DinOptions

    def __init__(self, schema: FeatureSchema, options: DinOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="din")
        if not self.has_targets:
            raise ValueError(f"model 'din' needs a {TARGETED}; without one, use 'pooled'")
        self.attention = {
            group.name: TargetAttention(
                options.attention_units, options.attention_activation, options.normaliser, name=f"seq_{group.name}"
            )
            for group in self.groups
            if group.targets
        }

    def read(self, group: HistoryGroup, history: History) -> tf.Tensor:
        if history.target is None:
            return pool(history.steps, history.mask, "mean")
        return self.attention[group.name](history.target, history.steps, history.mask)
