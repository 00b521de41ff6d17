"""Models by name, each with typed options, so that settings can be checked before anything is trained.

A new model is one file in ``models/zoo/``, or in the folder that ``DAYSPRING_MODELS`` names, where it is found: a
subclass of :class:`models.zoo.ranking.RankingModel` (or any Keras layer with the same call, ``schema`` of what it
reads, ``tables``, ``normalisers``, ``output_bias`` and ``idle_options``) under ``@register("name")``, with an
``Options`` of :class:`models.options.ModelOptions`. One that is not trained by gradients says so in ``trainer``. A
layer whose weights are as long as the features are many says of what they are in ``weight_axes``
(:mod:`models.architecture`), or its chains take on no features. Its ``family``, ``needs`` (of the features) and
``paper`` are told by :func:`card`.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final, TypeVar, get_args

import keras

from models.options import ModelOptions, Option, meant, read_options, told_options
from models.randomness import check_no_hidden_state
from models.schema import ONLY, FeatureSchema
from models.tasks import IN_BATCH, LossName

_ZOO = "models.zoo"
OWN = "DAYSPRING_MODELS"
"""Names a folder of one's own models, a file each."""
KERAS: Final = "keras"
"""Trained by gradients; the model is a Keras layer."""
COUNTS: Final = "counts"
"""Trained by counting."""
TREES: Final = "trees"
"""Trained by fitting trees."""
BLEND: Final = "blend"
"""Made of other experiments' models."""

M = TypeVar("M", bound=type)

_MODELS: dict[str, Any] = {}


def register(name: str) -> Callable[[M], M]:
    """Make a model known under ``name``."""

    def add(cls: M) -> M:
        if name in _MODELS and _MODELS[name].__qualname__ != cls.__qualname__:
            raise ValueError(f"two models are called '{name}': {_MODELS[name].__qualname__} and {cls.__qualname__}")
        _MODELS[name] = cls
        return cls

    return add


def names() -> list[str]:
    """All models, sorted."""
    _load()
    return sorted(_MODELS)


def check_options(name: str, options: Mapping[str, object]) -> ModelOptions:
    """The options of a model, of its own type.

    Raises:
        ValueError: no such model or option, or a value that is not allowed; names what is.
    """
    return read_options(_class(name).Options, f"model '{name}'", options)


def build(name: str, schema: FeatureSchema, options: Mapping[str, object], tasks: tuple[str, ...] = (ONLY,)) -> Any:
    """A model of a schema; ``model(ModelInputs, training=…)`` gives ``Outputs`` with the logits of every task.

    Raises:
        ValueError: as of :func:`check_options`, or the schema lacks what the model or an option that is given needs,
            or a layer keeps a state that no checkpoint holds.
    """
    checked = check_options(name, options)
    model = _class(name)(schema, checked, tasks)
    if isinstance(model, keras.layers.Layer):
        check_no_hidden_state(model)
    for option, lacking in model.idle_options().items():
        default = type(checked).model_fields[option].default
        if option in options and getattr(checked, option) != default:
            raise ValueError(f"model '{name}', option '{option}' would have no effect: {lacking}; leave it out")
    return model


@dataclass(frozen=True)
class Card:
    """What a model is, for who chooses one.

    Attributes:
        summary: in one sentence.
        trainer: how it is trained.
        losses: of the tasks that it may be asked.
        needs: of the features.
        paper: that it is of, if it is of one.
    """

    name: str
    family: str
    summary: str
    trainer: str
    losses: tuple[str, ...]
    needs: str
    paper: str | None
    options: list[Option]


def card(name: str) -> Card:
    """What a model is, as its class says it.

    Raises:
        ValueError: no such model.
    """
    cls = _class(name)
    summary = inspect.cleandoc(cls.__doc__ or name).split("\n\n")[0].replace("\n", " ")
    return Card(
        name, getattr(cls, "family", "other"), summary, trained_by(name), _losses(cls),
        getattr(cls, "needs", "at least one feature"), getattr(cls, "paper", None), told_options(cls.Options),
    )  # fmt: skip


def trained_by(name: str) -> str:
    """How a model is trained: ``keras``, or as its class says.

    Raises:
        ValueError: no such model.
    """
    return str(getattr(_class(name), "trainer", KERAS))


def check_losses(name: str, losses: Iterable[str]) -> None:
    """Whether a model can be trained by some losses.

    Raises:
        ValueError: names the one that it cannot be, and those that it can.
    """
    allowed = _losses(_class(name))
    for loss in losses:
        if loss not in allowed:
            raise ValueError(f"loss: '{name}' has none that is {loss}, only {', '.join(allowed)}")


def has_towers(name: str) -> bool:
    """Whether a model's logits are inner products of a vector of the request and one of the item.

    Raises:
        ValueError: no such model.
    """
    return bool(getattr(_class(name), "two_towers", False))


def _losses(cls: Any) -> tuple[str, ...]:
    # What compares vectors needs a model that has them.
    return tuple(getattr(cls, "task_losses", [each for each in get_args(LossName) if each not in IN_BATCH]))


def _load() -> list[str]:
    """Import every file; the names of the files."""
    places = import_module(_ZOO).__path__
    own = os.environ.get(OWN)
    if own and own not in places:
        if not Path(own).is_dir():
            raise ValueError(f"{OWN}: '{own}' is no folder")
        places.append(own)
    found = [module.name for module in iter_modules(places, f"{_ZOO}.")]
    for name in found:
        import_module(name)
    return [name.removeprefix(f"{_ZOO}.") for name in found]


def _class(name: str) -> Any:
    files = [] if name in _MODELS else _load()
    if name not in _MODELS:
        silent = f'; {name}.py registers none: put `@register("{name}")` above its class' if name in files else ""
        known = ", ".join(sorted(_MODELS))
        raise ValueError(f"there is no model '{name}'{meant(name, _MODELS)}{silent}; models: {known}")
    return _MODELS[name]
