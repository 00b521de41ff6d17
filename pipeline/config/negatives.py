"""Others that could have stood in the steps of a history: how many, and what they are drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from models.schema import Feature
from pipeline.config.base import Strict

if TYPE_CHECKING:
    from pipeline.config.features import FeatureSettings


class Negatives(Strict):
    """Of each step, from the items of its own day that no step of the same owner is of.

    Args:
        count: drawn a step; one may come twice.
        taken_from: ``uniform``: each item alike; ``popularity``: as often as it became a step of anybody that day;
            ``shown``: those that were shown to the owner that day, each alike, and where there are none as ``uniform``.
    """

    count: int = Field(ge=1, le=64)
    taken_from: Literal["uniform", "popularity", "shown"] = Field(default="uniform", alias="from")


def check_negatives(features: Mapping[str, FeatureSettings]) -> None:
    """Steps of one history have one draw, whichever features read them.

    Raises:
        ValueError: two histories ask for different ones; names both.
    """
    found = [(name, feature.negatives) for name, feature in features.items() if feature.negatives is not None]
    for name, negatives in found[1:]:
        if negatives != found[0][1]:
            raise ValueError(
                f"features.{name}.negatives: {_shown(negatives)}, but '{found[0][0]}' has {_shown(found[0][1])}: a "
                "step has one draw, whoever reads it; give both the same"
            )


def _shown(negatives: Negatives) -> str:
    return f"{{count: {negatives.count}, from: {negatives.taken_from}}}"


def drawn_features(
    settings: Mapping[str, FeatureSettings], features: Iterable[Feature], outcome: str | None
) -> Iterator[Feature]:
    """What models read of the draws: of each part of the histories that have them but for what came of a step's row.

    Args:
        outcome: the source of a part that is made of what came of a row.
    """
    counts = {
        feature.group or name: feature.negatives.count
        for name, feature in settings.items() if feature.negatives is not None
    }  # fmt: skip
    for feature in features:
        source, together = str(settings[feature.name].source), feature.group or feature.name
        kept = source.startswith("history.") and not source.startswith("history.row.") and source != outcome
        if feature.kind.is_history and together in counts and kept:
            yield feature.with_negatives(counts[together])
