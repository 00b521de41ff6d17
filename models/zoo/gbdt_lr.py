"""GBDT + LR: a logistic regression over the leaves of gradient-boosted trees."""

from __future__ import annotations

from pydantic import Field

from models.registry import register
from models.zoo.boosted import Boosted, BoostedOptions


class GbdtLrOptions(BoostedOptions):
    """Options of :class:`GbdtLr`."""

    every: int = Field(
        7,
        ge=2,
        description="trained days from one fit anew to the next, of which the regression learns those between; "
        "a younger chain has one daily, and its trees alone",
    )
    regression_rate: float = Field(
        0.1, gt=0, le=10, description="of the regression's steps: a logit moves by less in the first batch after a fit"
    )

    def fits(self, trained_days: int) -> bool:
        # Continued, the first day's trees are the second day's too: each day's rows make trees once.
        return trained_days != 1 if self.fit == "continued" else super().fits(trained_days)

    @property
    def reach(self) -> int:
        # Continued, trees are of the day before, and the day itself is the regression's.
        return 1 if self.fit == "continued" else super().reach


@register("gbdt_lr")
class GbdtLr(Boosted):
    """Gradient-boosted trees whose leaves, one-hot, are the features of a logistic regression.

    No day makes both: the regression learns the days after the trees' own, in one pass with a rate for each weight.
    After a fit it begins anew, at the trees' own values, so that it answers as they do; between two it goes on.
    """

    Options = GbdtLrOptions
    paper = "He et al., Practical Lessons from Predicting Clicks on Ads at Facebook (ADKDD 2014)"
