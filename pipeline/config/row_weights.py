"""What rows weigh in training, by rules over what was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from models.schema import Kind, Side
from pipeline.config.base import Strict
from pipeline.config.features import FeatureSettings


class WeightRule(Strict):
    """A weight of the requests whose taken candidate has more than so many values of a bag.

    Args:
        taken: a bag of the items, such as the sections of a package.
        more_than: values.
        weight: with which the request enters the loss; rules that it fits multiply.
    """

    taken: str
    more_than: int = Field(ge=0)
    weight: float = Field(gt=0, allow_inf_nan=False)


def check_rules(name: str, rules: Sequence[WeightRule], features: Mapping[str, FeatureSettings]) -> None:
    """Every rule names a bag of the items that can have more values than it asks for; raises ``ValueError``."""
    bags = [each for each, found in features.items() if found.kind is Kind.BAG and found.side is Side.ITEM]
    for number, rule in enumerate(rules):
        at = f"experiments.{name}.weights.{number}"
        if rule.taken not in bags:
            known = ", ".join(bags) or "none: it is told of a `kind: bag`, `side: item`"
            raise ValueError(f"{at}.taken: '{rule.taken}' is no bag of the items; one of {known}")
        most = features[rule.taken].values
        if rule.more_than >= most:
            raise ValueError(f"{at}.more_than: {rule.more_than}, but '{rule.taken}' keeps {most} values at most")
