"""The options of a model or of an optimiser as a pydantic model, and what is wrong with given ones in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError
from pydantic_core import ErrorDetails


class ModelOptions(BaseModel):
    """What a model or an optimiser can be told; each option has a type, a default and a description, or is such options
    again."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Width = Annotated[int, Field(ge=1, le=65_536)]
Widths = Annotated[tuple[Width, ...], Field(strict=False)]  # YAML knows lists
"""Of layers one after another."""
Names = Annotated[tuple[str, ...], Field(strict=False)]
Activation = Literal["relu", "sigmoid", "tanh", "gelu", "silu"]
Bending = Literal["relu", "sigmoid", "tanh", "gelu", "silu", "dice"]
"""An activation, or one that follows the values of a batch (``models.layers.dice``)."""
Days = NonNegativeInt | Literal["all"]
"""A number of days."""

Options = TypeVar("Options", bound=ModelOptions)


def read_options(cls: type[Options], whose: str, given: Mapping[str, object]) -> Options:
    """Options as given, with the defaults of the others.

    Args:
        whose: they are, in words: ``model 'din'``.

    Raises:
        ValueError: no such option, or a value that is not allowed; names all of them and what is allowed.
    """
    try:
        return cls.model_validate(dict(given))
    except ValidationError as error:
        told = dict.fromkeys(_told(cls, whose, given, each) for each in error.errors())
        raise ValueError("; ".join(told)) from None


def meant(name: str, known: Iterable[str]) -> str:
    """Words to put behind a name that is none: which one it is nearly."""
    close = get_close_matches(name, list(known), 5)
    close.sort(key=lambda each: sorted(each) != sorted(name))  # letters that have changed places come first
    return f" (is '{close[0]}' meant?)" if close else ""


@dataclass(frozen=True)
class Option:
    """One option in words.

    Attributes:
        name: as it is written; of options within an option ``outer.inner``.
        allowed: values.
        default: as JSON.
        what: it does.
    """

    name: str
    allowed: str
    default: str
    what: str


def told_options(cls: type[ModelOptions]) -> list[Option]:
    """Every option, in the order in which they are declared."""
    whole = cls.model_json_schema()
    return _options(whole, whole, "")


def _options(schema: Mapping[str, Any], whole: Mapping[str, Any], outer: str) -> list[Option]:
    found = []
    for name, own in schema.get("properties", {}).items():
        inner = _resolved(own, whole)
        if "properties" in inner:
            found += _options(inner, whole, f"{outer}{name}.")
        else:
            # Without a default it makes an empty one.
            default = json.dumps(own.get("default", {}))
            found.append(Option(outer + name, _allowed(inner, whole), default, own.get("description", "")))
    return found


def _told(cls: type[ModelOptions], whose: str, given: Any, error: ErrorDetails) -> str:
    """One error in words; what is wrong inside of an option's value (an item of a list, say) is told of the whole."""
    path: list[str] = []
    schema = whole = cls.model_json_schema()
    for key in error["loc"]:
        inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
        if not isinstance(inner, Mapping) or not isinstance(given, Mapping):
            break
        path.append(str(key))
        given = given.get(key)
        schema = _resolved(inner, whole)
    if error["type"] == "extra_forbidden":
        at, options, name = f", option '{'.'.join(path)}'" if path else "", schema["properties"], str(error["loc"][-1])
        return f"{whose}{at} has no option '{name}'{meant(name, options)}; its options: {', '.join(options)}"
    if not path:
        return f"{whose} {error['msg'].removeprefix('Value error, ')}"
    return f"{whose}, option '{'.'.join(path)}': {_shown(given)} is not {_allowed(schema, whole)}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_shown(each) for each in value)}]"
    return "null" if value is None else repr(value)


def _resolved(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return dict(whole["$defs"][reference.rpartition("/")[2]] if reference else schema)


def _allowed(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """What a JSON schema allows, in words."""
    schema = _resolved(schema, whole)
    if "anyOf" in schema:
        return ", or ".join(_allowed(each, whole) for each in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if "const" in schema:
        return repr(schema["const"])
    if schema["type"] == "array":
        items = _allowed(schema["items"], whole).removeprefix("a ").replace("number", "numbers", 1)
        return f"a list of {'one or more ' if schema.get('minItems') else ''}{items}"
    if schema["type"] == "object":
        if "properties" not in schema:
            return "a mapping"
        return "a mapping of the options " + ", ".join(schema["properties"])
    return _KINDS[schema["type"]] + _range(schema)


_KINDS = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "null": "null",
}
_BOUNDS = {"minimum": "of at least", "exclusiveMinimum": "above", "maximum": "of at most", "exclusiveMaximum": "below"}


def _range(schema: Mapping[str, Any]) -> str:
    bounds = dict(schema)
    if schema["type"] == "integer" and "exclusiveMinimum" in bounds:
        bounds["minimum"] = bounds.pop("exclusiveMinimum") + 1
    found = [f"{words} {bounds[name]:g}" for name, words in _BOUNDS.items() if name in bounds]
    return " " + " and ".join(found) if found else ""
