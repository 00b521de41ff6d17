"""Blend: the logits of other experiments of the job, averaged or as their tests weigh them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.options import ModelOptions
from models.registry import BLEND, register
from models.schema import FeatureSchema

Members = Annotated[tuple[str, ...], Field(strict=False)]  # YAML knows lists


class BlendOptions(ModelOptions):
    """Options of :class:`Blend`."""

    of: Members = Field((), description="experiments of the job, two at least: its members")
    weights: Literal["mean", "fitted"] = Field(
        "mean", description="what each member's logit weighs: all the same, or as fitted on the tests of earlier days"
    )


@register("blend")
class Blend:
    """A sum of its members' logits, task by task; it trains nothing itself.

    Its members are trained, tested and judged by themselves; what it reads is what they read together.
    """

    Options = BlendOptions
    family = "blend"
    needs = "two other experiments of the job, asked the same tasks"
    trainer = BLEND

    def __init__(self, schema: FeatureSchema, options: BlendOptions, tasks: tuple[str, ...]) -> None:
        self.schema = schema
        self.options = options

    def idle_options(self) -> dict[str, str]:
        return {}
