"""Counters over bags: how a candidate that is several things at once stands with its owner and its context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.base import Strict


class BagCounter(Strict):
    """A value of a candidate's bag, read for day D as it stood at the end of D−1; each event with its bag counts once.

    A share of a value s is (own(s) + prior · g(s)) / (n + prior): of the owner's n earlier events in the context, those
    that hold s, mixed with g(s) = (dec(s) + rare) / (dec(context) + 1), the events of all in the context as they have
    decayed. Without an owner it is g(s).

    Args:
        bag: the feature (a bag of the candidate) whose values are looked at, each once.
        context: the feature that events are told apart by; of a bag its first value.
        owner: the feature whose own events count; none = those of all alone.
        measure: ``likelihood`` = the sum over the bag of logit(share), each share kept ``clip`` from 0 and 1.
        half_life: days in which the events of all in the context halve.
        own_half_life: days in which the owner's own events halve; none = all alike.
        own_recency: of the owner's own events in the context, the newest weighing 1, how many later ones halve an
            event's weight; none = all alike.
        prior: events that the shares of all weigh beside the owner's own.
        rare: events that are added to those of each value in the context.
        keep: an owner's newest events that are kept, of all contexts together.
        scale: the value is divided by this.
    """

    bag: str
    context: str
    owner: str | None = None
    measure: Literal["likelihood"] = "likelihood"
    half_life: float = Field(default=30.0, gt=0)
    own_half_life: float | None = Field(default=None, gt=0)
    own_recency: float | None = Field(default=None, gt=0)
    prior: float = Field(default=1.0, gt=0)
    rare: float = Field(default=0.05, gt=0)
    clip: float = Field(default=1e-4, gt=0, lt=0.5)
    keep: int = Field(default=4096, ge=1)
    scale: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> BagCounter:
        if self.own_half_life is not None and self.own_recency is not None:
            raise ValueError("`own_half_life` and `own_recency` are two ways to weigh an owner's events; write one")
        return self

    def idle(self) -> Iterator[tuple[str, str]]:
        """Settings that nothing reads, and why."""
        if self.owner is None:
            for name in ("own_half_life", "own_recency", "prior", "keep"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    yield name, "it is of an owner's own events, and no `owner` is named"
