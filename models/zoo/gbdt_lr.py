"""GBDT + LR: a logistic regression over the leaves of gradient-boosted trees."""

from __future__ import annotations

from pydantic import Field

from models.registry import register
from models.zoo.boosted import Boosted, BoostedOptions


class GbdtLrOptions(BoostedOptions):
    """Options of :class:`GbdtLr`."""

    regression_rate: float = Field(
        0.1, gt=0, le=10, description="of the regression's steps: a logit moves by less in the first batch after a fit"
    )

    def earlier(self, trained_days: int) -> int:
        # The day itself is the regression's.
        wanted = self.days if self.fit == "anew" else 1
        return min(wanted, trained_days) if self.fits(trained_days) else 0


@register("gbdt_lr")
class GbdtLr(Boosted):
    """Gradient-boosted trees whose leaves, one-hot, are the features of a logistic regression.

    Trees are fitted on the days before, the regression on the day itself, in one pass with a rate for each weight.
    After a fit it begins anew, at the trees' own values, so that it answers as they do; between two it goes on.
    """

    Options = GbdtLrOptions
    paper = "He et al., Practical Lessons from Predicting Clicks on Ads at Facebook (ADKDD 2014)"
