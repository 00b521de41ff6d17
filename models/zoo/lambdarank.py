"""LambdaRank: gradient-boosted trees by the order of a request's candidates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.registry import register
from models.zoo.boosted import Boosted, BoostedOptions


class LambdaRankOptions(BoostedOptions):
    """Options of :class:`LambdaRank`."""

    by: Literal["lambdarank", "xendcg"] = Field(
        "lambdarank",
        description="pairs weighed by what their order is worth (NDCG), or a cross-entropy over the candidates",
    )


@register("lambdarank")
class LambdaRank(Boosted):
    """Gradient-boosted trees (LightGBM) by the order of a request's candidates, the taken one before the others."""

    Options = LambdaRankOptions
    task_losses = ("softmax",)
    paper = "Burges, From RankNet to LambdaRank to LambdaMART (2010); `xendcg`: Bruch et al. (WWW 2020)"

    @property
    def objective(self) -> str:  # type: ignore[override]
        return "rank_xendcg" if self.options.by == "xendcg" else "lambdarank"
