"""Models by name, each with typed options, so that settings can be checked before anything is trained.

A new model is one file: a subclass of :class:`models.zoo.base.RankingModel` (or any Keras layer with the same
call, ``normalisers``, ``output_bias`` and ``idle_options``) under ``@register("name")``, its options a frozen
dataclass whose fields are made by :func:`option`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, TypeVar

from models.randomness import check_no_hidden_state
from models.schema import FeatureSchema

_MODULES = ("models.zoo.pooled", "models.zoo.din")


class ModelClass(Protocol):
    """What is registered: a Keras layer of ``(schema, options)`` with an ``Options`` dataclass."""

    Options: type[Any]

    def __call__(self, schema: FeatureSchema, options: Any) -> Any: ...


M = TypeVar("M", bound=type)

_MODELS: dict[str, Any] = {}


@dataclass(frozen=True)
class Option:
    """One option of a model, for its user."""

    name: str
    default: object
    help: str
    allowed: str


def option(
    default: object,
    help: str,
    *,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    below: float | None = None,
) -> Any:
    """A field of an options dataclass: its default gives its type.

    Args:
        default: an int, float, bool, str or tuple of ints; or ``"all"`` for a number of days that may be all.
        help: one line for the user.
        choices: the values allowed, for a str.
        least: the smallest value allowed, for numbers.
        below: what a number must be smaller than.
    """
    return dataclasses.field(
        default=default, metadata={"help": help, "choices": choices, "least": least, "below": below}
    )


def days_option(default: int | str, help: str) -> Any:
    """A number of days: an int from 0, or ``all``."""
    return dataclasses.field(default=default, metadata={"help": help, "days": True})


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


def options_of(name: str) -> list[Option]:
    """The options of a model with their defaults, help and allowed values."""
    return [
        Option(f.name, f.default, str(f.metadata["help"]), _allowed(f))
        for f in dataclasses.fields(_class(name).Options)
    ]


def check_options(name: str, options: Mapping[str, object]) -> Any:
    """The options dataclass of a model.

    Raises:
        ValueError: no such model or option, or a value that is not allowed; names what is.
    """
    cls = _class(name).Options
    fields = {field.name: field for field in dataclasses.fields(cls)}
    values: dict[str, object] = {}
    for key, value in options.items():
        if key not in fields:
            raise ValueError(f"model '{name}' has no option '{key}'; its options: {', '.join(fields)}")
        values[key] = _checked(name, fields[key], value)
    return cls(**values)


def build(name: str, schema: FeatureSchema, options: Mapping[str, object]) -> Any:
    """A model of a schema; ``model(ModelInputs, training=…)`` gives logits ``[batch, candidates]``.

    Raises:
        ValueError: as of :func:`check_options`, or the schema lacks what the model or an option that is given needs,
            or a layer keeps a state that no checkpoint holds.
    """
    checked = check_options(name, options)
    model = _class(name)(schema, checked)
    check_no_hidden_state(model)
    for option_name, lacking in model.idle_options().items():
        default = type(checked).__dataclass_fields__[option_name].default
        if option_name in options and getattr(checked, option_name) != default:
            raise ValueError(f"model '{name}', option '{option_name}' would have no effect: {lacking}; leave it out")
    return model


def _load() -> None:
    for module in _MODULES:
        import_module(module)


def _class(name: str) -> Any:
    if name not in _MODELS:
        _load()
    if name not in _MODELS:
        raise ValueError(f"there is no model '{name}'; models: {', '.join(sorted(_MODELS))}")
    return _MODELS[name]


def _allowed(field: dataclasses.Field[Any]) -> str:
    meta = field.metadata
    if meta.get("days"):
        return "a whole number of days from 0, or 'all'"
    if meta["choices"]:
        return "one of " + ", ".join(meta["choices"])
    least = "" if meta["least"] is None else f" of at least {meta['least']}"
    least += "" if meta["below"] is None else f" and below {meta['below']}"
    return {
        bool: "true or false",
        int: f"a whole number{least}",
        float: f"a number{least}",
        str: "text",
        tuple: f"a list of whole numbers{least}",
    }[_type(field)]


def _checked(model: str, field: dataclasses.Field[Any], value: object) -> object:
    meta, kind = field.metadata, _type(field)
    good: object = None
    if meta.get("days"):
        if value == "all" or (_whole(value) and value >= 0):  # type: ignore[operator]
            good = value
    elif kind is tuple:
        if isinstance(value, (list, tuple)) and all(_whole(v) and v >= (meta["least"] or 0) for v in value):
            good = tuple(value)
    elif kind is bool:
        good = value if isinstance(value, bool) else None
    elif kind is int:
        good = value if _whole(value) and _enough(value, meta) else None
    elif kind is float:
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        good = float(value) if real and _enough(value, meta) else None  # type: ignore[arg-type]
    elif isinstance(value, str) and (not meta["choices"] or value in meta["choices"]):
        good = value
    if good is None:
        raise ValueError(f"model '{model}', option '{field.name}': {value!r} is not {_allowed(field)}")
    return good


def _type(field: dataclasses.Field[Any]) -> type:
    return type(field.default)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _enough(value: object, meta: Mapping[str, Any]) -> bool:
    least, below = meta["least"], meta["below"]
    return (least is None or value >= least) and (below is None or value < below)
