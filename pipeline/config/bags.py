"""Counters over bags: how a candidate that is several things at once stands with its owner and its context."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Later, Strict

_READ_BY = {
    "half_life": ("likelihood", "count", "trend"), "own_half_life": ("likelihood", "count", "size"),
    "own_recency": ("likelihood", "count", "size"), "prior": ("likelihood",), "rare": ("likelihood", "trend"),
    "clip": ("likelihood",),
}  # fmt: skip
"""Settings of a counter that only these measures read."""
_FITTED_BY = {
    "factors": ("svd", "als"), "weight": ("als",), "penalty": ("als",), "baskets": ("cosine",),
    "neighbours": ("cosine",),
}  # fmt: skip
"""Settings of what is fitted that only these methods read."""


class OverBag(Strict):
    """A value of a candidate's bag, read for day D as it stood at the end of D−1; each event with its bag counts once.

    Args:
        bag: the feature (a bag of the candidate) whose values are looked at, each once.
        context: the feature that events are told apart by; of a bag its first value.
        owner: the feature whose own events count.
        keep: an owner's newest events that are kept, of all contexts together.
    """

    bag: str
    context: str
    owner: str | None = None
    keep: int = Field(default=4096, ge=1)

    def idle(self) -> Iterator[tuple[str, str]]:
        """Settings that nothing reads, and why."""
        yield from ()


class BagCounter(OverBag):
    """A counter over a bag.

    A share of a value s is (own(s) + prior · g(s)) / (n + prior): of the owner's n earlier events in the context, those
    that hold s, mixed with g(s) = (dec(s) + rare) / (dec(context) + 1), the events of all in the context as they have
    decayed. Without an owner it is g(s).

    Args:
        measure: ``likelihood`` = the sum over the bag of logit(share), each share kept ``clip`` from 0 and 1; ``count``
            = ln(1 + the sum over the bag of the events that hold each value), as they have decayed; ``days_since`` =
            the mean over the bag of ln(1 + days since the value was last taken): of the owner's events, or without one
            of all in the context; ``overlap`` = the largest share that the bag has in common with that of an own event
            in the context, of the values of both; ``size`` = ln(1 + number of values), with an owner less the mean of
            that over the own events in the context (0 where there is none); ``trend`` = the mean over the bag of
            ln((a + rare) / (b + rare)), the events of all in the context that hold a value as they have decayed by
            ``half_life`` and by the longer ``against``.
        half_life: days in which the events of all in the context halve.
        against: of a ``trend``, the longer half-life.
        own_half_life: days in which the owner's own events halve; none = all alike.
        own_recency: of the owner's own events in the context, the newest weighing 1, how many later ones halve an
            event's weight; none = all alike.
        prior: events that the shares of all weigh beside the owner's own.
        rare: events that are added to those of each value in the context.
        scale: the value is divided by this.
    """

    measure: Literal["likelihood", "count", "days_since", "overlap", "size", "trend"] = "likelihood"
    half_life: float = Field(default=30.0, gt=0)
    against: Annotated[float | None, Later()] = Field(default=None, gt=0)
    own_half_life: float | None = Field(default=None, gt=0)
    own_recency: float | None = Field(default=None, gt=0)
    prior: float = Field(default=1.0, gt=0)
    rare: float = Field(default=0.05, gt=0)
    clip: float = Field(default=1e-4, gt=0, lt=0.5)
    scale: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> BagCounter:
        if self.own_half_life is not None and self.own_recency is not None:
            raise ValueError("`own_half_life` and `own_recency` are two ways to weigh an owner's events; write one")
        if self.measure == "overlap" and self.owner is None:
            raise ValueError("`overlap` is with the own events of an `owner`; name one")
        if (self.measure == "trend") != (self.against is not None):
            raise ValueError("`against` is the longer half-life of a `trend`, which needs it")
        if self.against is not None and self.half_life >= self.against:
            raise ValueError(f"a `trend` is of two half-lives: `against` has to be above {self.half_life:g} days")
        if self.measure == "trend" and self.owner is not None:
            raise ValueError("a `trend` is of the events of all; leave `owner` out")
        return self

    @property
    def half_lives(self) -> set[float]:
        """Every half-life of the events of all that it reads."""
        return {self.half_life} | ({self.against} if self.against is not None else set())

    def idle(self) -> Iterator[tuple[str, str]]:
        given = [name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default]
        for name in given:
            measures = _READ_BY.get(name)
            if measures is not None and self.measure not in measures:
                yield name, f"`{self.measure}` does not read it, only {' and '.join(measures)} do"
            elif self.owner is None and name in ("own_half_life", "own_recency", "prior", "keep"):
                yield name, "it is of an owner's own events, and no `owner` is named"
        if self.measure == "count" and self.owner is not None and "half_life" in given:
            yield "half_life", "it is of the events of all, and an `owner` is named"


class Collaborative(OverBag):
    """How the values of a bag suit an owner by what others took who took the same: two values, mean and least of them.

    Owners and values are vectors of ``factors`` numbers, fitted to who took what on earlier days, and a value's score
    is the product of both; or it is what was taken beside it. It is less the mean over the values that are known of the
    context, by their deviation.

    Args:
        method: ``svd``: the right singular vectors V of the matrix of owners and values, 1 / √((n_u + 5) (n_h + 5))
            where owner u has taken value h, n_u the values of the owner and n_h the owners of the value; an owner is,
            day by day, the sum over his values of V_h / √(n_h + 5). ``als``: alternating least squares of implicit
            feedback (Hu et al., 2008); an owner is solved day by day. ``cosine``: of what was taken together, on one
            day by one owner: the sum over the values h of the owner's last ``baskets`` of C[h, s] / √((n_h + 10) (n_s +
            10)), C and n being the baskets that hold both and each, over the ``neighbours`` of s with the largest.
        factors: numbers of a vector (``svd``, ``als``).
        every: days between fits, as of the end of a day.
        weight: of ``als``, what an event of a value weighs above one that was never taken.
        penalty: of ``als``, on the squares of the vectors.
    """

    owner: str
    method: Literal["svd", "als", "cosine"] = "svd"
    factors: int = Field(default=32, ge=1, le=512)
    every: int = Field(default=14, ge=1)
    weight: float = Field(default=20.0, gt=0)
    penalty: float = Field(default=5.0, gt=0)
    baskets: Annotated[int, Later()] = Field(default=5, ge=1)
    neighbours: Annotated[int, Later()] = Field(default=50, ge=1, le=512)

    @cached_property
    def name(self) -> str:
        """What its vectors are stored as: equal settings share them."""
        return hashlib.blake2b(self.model_dump_json().encode(), digest_size=6).hexdigest()

    def idle(self) -> Iterator[tuple[str, str]]:
        for name, methods in _FITTED_BY.items():
            if self.method not in methods and getattr(self, name) != type(self).model_fields[name].default:
                yield name, f"`{self.method}` does not read it, only {' and '.join(methods)} do"
