"""GBDT: gradient-boosted trees over counters and other numbers."""

from __future__ import annotations

from models.registry import register
from models.zoo.boosted import Boosted


@register("gbdt")
class Gbdt(Boosted):
    """Gradient-boosted trees (LightGBM) by the log-loss of every pair.

    Of ``loss: softmax`` too: what a pair is taken with by itself is the order of a request's candidates.
    """

    paper = "Ke et al., LightGBM: A Highly Efficient Gradient Boosting Decision Tree (NeurIPS 2017)"
