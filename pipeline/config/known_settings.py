"""Which settings there are at a place of a job's YAML."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def settings_at(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The settings beside the last part of a place, as they are written; none where there are only values.

    Args:
        place: names and numbers from the outermost setting on, as pydantic tells them.
    """
    found: list[Any] = [model]
    for part in place[:-1]:
        below = [each for kind in found for each in _below(kind, part)]
        found = below or found  # which of several kinds a value may be of is told as a part too
    models = [kind for kind in found if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return list(dict.fromkeys(each.alias or name for kind in models for name, each in kind.model_fields.items()))


def _below(kind: Any, part: str | int) -> Iterator[Any]:
    origin = get_origin(kind) or kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part in (name, field.alias):
                yield from _kinds(field.annotation)
    elif isinstance(origin, type) and issubclass(origin, Mapping) and len(get_args(kind)) == 2:
        yield from _kinds(get_args(kind)[1])
    elif origin in (tuple, list) and isinstance(part, int):
        yield from _kinds(get_args(kind)[0])


def _kinds(annotation: Any) -> Iterator[Any]:
    """What a value may be, unions taken apart."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _kinds(each)
    else:
        yield annotation
