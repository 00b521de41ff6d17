"""Deep Interest Network: a history is read through the eyes of each candidate."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from models.layers.attention import NORMALISERS, TargetAttention
from models.layers.pooling import pool
from models.registry import option, register
from models.schema import FeatureSchema
from models.zoo.base import ACTIVATIONS, History, HistoryGroup, RankingModel, RankingOptions


@dataclass(frozen=True)
class DinOptions(RankingOptions):
    """Options of :class:`Din`."""

    attention_units: tuple[int, ...] = option((80, 40), "widths of the attention's hidden layers", least=1)
    attention_activation: str = option("sigmoid", "activation of the attention's hidden layers", choices=ACTIVATIONS)
    normaliser: str = option("softmax", "softmax, or none to keep the strength of the interest", choices=NORMALISERS)


@register("din")
class Din(RankingModel):
    """A history with a target is weighted by attention; one without a target is pooled by its mean.

    Reference: Zhou et al., Deep Interest Network for Click-Through Rate Prediction, 2018.
    """

    Options = DinOptions

    def __init__(self, schema: FeatureSchema, options: DinOptions) -> None:
        super().__init__(schema, options, name="din")
        if not any(group.targets for group in self.groups):
            raise ValueError(
                "model 'din' needs a history of an item feature (a sequence with `of`); without one, use 'pooled'"
            )
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
