"""Which optimiser moves a model's tables and its dense weights, as typed settings: read before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field, model_validator

from models.options import ModelOptions, meant, read_options


class Settings(ModelOptions):
    """Of every optimiser.

    Attributes:
        rate: its learning rate, which decays as that of the experiment does; without it that of the experiment.
    """

    rate: float | None = Field(default=None, gt=0)


class OfTable(Settings):
    """Of every optimiser of a table but FTRL.

    Attributes:
        l2: what is minimised has ``l2`` times the squares of the rows that a batch reads, each row once: rows out of
            the batch do not shrink, so that of a rare id is held back less than with a penalty on the whole table. It
            is no part of the loss that is logged.
    """

    l2: float = Field(default=0.0, ge=0)


class AdamSettings(Settings):
    """Adam, with the defaults of its paper."""

    beta_1: float = Field(default=0.9, ge=0, lt=1)
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    epsilon: float = Field(default=1e-8, gt=0)


class LazyAdamSettings(AdamSettings, OfTable):
    """Adam on the rows of the batch only; rows that are absent stand still, moments included."""


class DenseAdamSettings(AdamSettings, OfTable):
    """Adam on every row at every step."""


class CatchUpAdamSettings(AdamSettings, OfTable):
    """What dense Adam does, at the price of the rows that a batch reads."""

    @model_validator(mode="after")
    def _has_a_closed_form(self) -> CatchUpAdamSettings:
        if not self.beta_1 < math.sqrt(self.beta_2):
            raise ValueError(f"needs beta_1 < sqrt(beta_2), got beta_1={self.beta_1}, beta_2={self.beta_2}")
        return self


class AdagradSettings(Settings):
    """Adagrad.

    Attributes:
        initial: that the sum of squared gradients starts from.
        decay_by_day: what of the sum above ``initial`` is kept when a day of training begins; 1 keeps all.
        epsilon: added to the sum under the root.
    """

    initial: float = Field(default=0.1, gt=0)
    decay_by_day: float = Field(default=1.0, gt=0, le=1)
    epsilon: float = Field(default=1e-7, gt=0)


class AdagradOfTableSettings(AdagradSettings, OfTable):
    """Adagrad of a table: a row that is absent would not move."""


class SgdSettings(Settings):
    """Gradient descent, with momentum if it is above 0."""

    momentum: float = Field(default=0.0, ge=0, lt=1)


class SgdOfTableSettings(SgdSettings, OfTable):
    """Gradient descent of the rows of the batch only; of absent rows weight and momentum stand still."""


class FtrlSettings(Settings):
    """FTRL-proximal, for what starts at zero, as of a linear part: where a weight starts from it forgets.

    Attributes:
        l1: holds a weight at exactly zero until its gradients outweigh it.
        l2: pulls it towards zero; both are part of how a weight follows from its gradients, and so of the batch's rows
            only.
        initial: that the sum of squared gradients starts from.
    """

    l1: float = Field(default=0.0, ge=0)
    l2: float = Field(default=0.0, ge=0)
    initial: float = Field(default=0.1, gt=0)


OF_TABLES: Mapping[str, type[Settings]] = {
    "catch_up_adam": CatchUpAdamSettings,
    "lazy_adam": LazyAdamSettings,
    "dense_adam": DenseAdamSettings,
    "adagrad": AdagradOfTableSettings,
    "sgd": SgdOfTableSettings,
    "ftrl": FtrlSettings,
}
OF_DENSE: Mapping[str, type[Settings]] = {
    "adam": AdamSettings,
    "adagrad": AdagradSettings,
    "sgd": SgdSettings,
    "ftrl": FtrlSettings,
}
_PLACES = ("tables", "named", "dense")


@dataclass(frozen=True)
class Optimizers:
    """What moves each table and the dense weights.

    Attributes:
        tables: of the tables that ``named`` does not name.
        dense: of all weights that are in no table.
        named: of tables by a name or a pattern (``linear.*``), of which the first that fits counts.
    """

    tables: Settings = field(default_factory=CatchUpAdamSettings)
    dense: Settings = field(default_factory=AdamSettings)
    named: Mapping[str, Settings] = field(default_factory=dict)

    def of_table(self, name: str) -> Settings:
        """The settings of the table of that name."""
        return next((each for pattern, each in self.named.items() if fnmatchcase(name, pattern)), self.tables)

    def check_names(self, tables: Iterable[str]) -> None:
        """Whether every pattern names a table.

        Raises:
            ValueError: one does not; lists the tables.
        """
        names = list(tables)
        for pattern in self.named:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise ValueError(f"optimizer: `named`: no table is named '{pattern}'; the model's: {', '.join(names)}")
        moved = {next((each for each in self.named if fnmatchcase(name, each)), None) for name in names}
        for pattern in self.named:
            if pattern not in moved:
                raise ValueError(
                    f"optimizer: `named.{pattern}` would have no effect: an earlier pattern fits each of its tables; "
                    "write it before that one, or leave it out"
                )
        if self.named and None not in moved and self.tables != CatchUpAdamSettings():
            raise ValueError("optimizer: `tables` would have no effect: `named` fits every table; leave it out")


def read_optimizers(given: object) -> Optimizers:
    """Settings as a job's YAML has them: the name of an optimiser of tables, or a mapping of who moves what.

    >>> read_optimizers({"tables": {"type": "adagrad", "rate": 0.05}}).of_table("ad").rate
    0.05

    Raises:
        ValueError: no such optimiser or setting, or a value that is not allowed; says what is.
    """
    if isinstance(given, str):
        return Optimizers(_read(given, OF_TABLES, "optimizer"))
    if not isinstance(given, Mapping):
        raise ValueError(
            f"optimizer: {given!r} is neither the name of an optimiser of the tables nor a mapping of "
            f"{', '.join(_PLACES)}; names are {', '.join(OF_TABLES)}"
        )
    if "type" in given:
        raise ValueError("optimizer: `type` is of the optimiser of one place; write `tables: {type: …}`, or `dense: …`")
    for name in given:
        if name not in _PLACES:
            told = meant(str(name), _PLACES)
            raise ValueError(f"optimizer has no '{name}'{told}; it has {', '.join(_PLACES)}")
    named = given.get("named", {})
    if not isinstance(named, Mapping):
        raise ValueError("optimizer: `named` is a mapping of tables' names, each to an optimiser")
    return Optimizers(
        _read(given.get("tables", "catch_up_adam"), OF_TABLES, "optimizer: `tables`"),
        _read(given.get("dense", "adam"), OF_DENSE, "optimizer: `dense`"),
        {str(name): _read(each, OF_TABLES, f"optimizer: `named.{name}`") for name, each in named.items()},
    )


def _read(given: Any, known: Mapping[str, type[Settings]], where: str) -> Settings:
    settings = dict(given) if isinstance(given, Mapping) else {"type": given}
    name = settings.pop("type", None)
    if not isinstance(name, str) or name not in known:
        said = f"'{name}'" if name is not None else "without a `type`"
        raise ValueError(f"{where} {said}; expected one of {', '.join(known)}")
    return read_options(known[name], f"{where}: {name}", settings)
