"""Words that YAML takes for something else than what was written: `NO` is false to it, `12:30` is 750, `010` is 8.

A scalar whose value is not what its text says is kept with both (``Plain``) until it is known what is declared where it
stands: then it is what everybody takes it for there, or an error. No value changes in silence.
"""

from __future__ import annotations

import re
import types
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pipeline.days import Day

IN_QUOTES = "write it in quotes"
_WORDS = {"y": True, "n": False}
"""Booleans of YAML 1.1 that PyYAML takes for text; other readers do not."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|0o[0-7]+")
"""Numbers to YAML 1.2 and JSON, of which PyYAML takes some for text."""
_UNCLEAR = re.compile(r"[-+]?0[\d_]+|0o[0-7]+|.*:.*")
"""Octal, or not, and base 60: no two readers agree on these numbers."""


class Plain(str):
    """Text that stood without quotes, and the value that YAML takes it for."""

    __slots__ = ("meaning",)
    meaning: Any

    @classmethod
    def of(cls, text: str, meaning: Any) -> Plain:
        made = cls(text)
        made.meaning = meaning
        return made

    @property
    def read_as(self) -> str:
        """What YAML takes it for, in words."""
        if self.meaning is None:
            return "nothing"
        if isinstance(self.meaning, bool):
            return str(self.meaning).lower()
        return f"the date {self.meaning}" if isinstance(self.meaning, date) else str(self.meaning)


def kept(text: str, meaning: Any) -> Any:
    """The value of a scalar without quotes: plain where it says what it is, else with its text.

    >>> kept("12", 12), kept("NO", False).read_as, kept("1e3", "1e3").meaning
    (12, 'false', 1000.0)
    """
    if isinstance(meaning, str):
        if text.lower() in _WORDS:
            return Plain.of(text, _WORDS[text.lower()])
        if _NUMBER.fullmatch(text):
            return Plain.of(text, int(text, 8) if text.startswith("0o") else float(text))
        return text
    if isinstance(meaning, int | float) and not isinstance(meaning, bool) and str(meaning) == text:
        return meaning
    return None if text == "" else Plain.of(text, meaning)


def declared(value: Any, annotation: Any) -> Any:
    """A setting's value with each ``Plain`` in it as what ``annotation`` declares where it stands.

    Raises:
        ValueError: it is not what the text says; names the text and what to do.
    """
    if isinstance(value, Plain):
        return _scalar(value, _leaves(annotation))
    if isinstance(value, Mapping):
        return _mapping(value, annotation)
    if isinstance(value, list | tuple):
        inner = [_item(annotation, place) for place in range(len(value))]
        return [declared(each, of) for each, of in zip(value, inner, strict=True)]
    return value


def _mapping(value: Mapping[Any, Any], annotation: Any) -> Any:
    pair = next((get_args(each) for each in _members(annotation) if get_origin(each) is dict), None)
    if pair is None and Any not in _members(annotation):
        return value  # a section, which looks at its own settings
    keys, values = pair or (Any, Any)
    found = {}
    for name, each in value.items():
        if isinstance(name, Plain):
            name = _key(name, _leaves(keys))
        if _leaves(keys) == {int} and isinstance(name, str) and name.isdecimal():
            name = int(name)  # as JSON has it
        if name in found:
            raise ValueError(f"the key {name} stands twice, in two spellings")
        try:
            found[name] = declared(each, values)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


def _key(name: Plain, wanted: Collection[Any]) -> Any:
    if isinstance(name.meaning, bool) or name.meaning is None:
        raise ValueError(f"the key {name} is read as {name.read_as} by YAML; {IN_QUOTES}")
    try:
        return _scalar(name, wanted)
    except ValueError as error:
        raise ValueError(f"the key {error}") from None


def _item(annotation: Any, place: int) -> Any:
    """What is declared for an item of a list."""
    for each in _members(annotation):
        inner = get_args(each)
        if get_origin(each) in (list, set, frozenset) or (get_origin(each) is tuple and inner[1:] == (...,)):
            return inner[0]
        if get_origin(each) is tuple and place < len(inner):
            return inner[place]
    return Any


def _scalar(text: Plain, wanted: Collection[Any]) -> Any:
    meaning = text.meaning
    number, words = {int, float} & set(wanted), str in wanted
    if isinstance(meaning, bool):
        # Where anything may stand, only what is true or false to every reader is.
        if bool in wanted or (Any in wanted and text.lower() in ("true", "false")):
            return meaning
        if number and not words:
            raise ValueError("is a number, not true or false")
    elif meaning is None:
        if type(None) in wanted or Any in wanted or not words:
            return None  # where it cannot be, that is told with what it should be
    elif isinstance(meaning, date):
        if Day in wanted and not isinstance(meaning, datetime):
            return meaning
        if Day in wanted:
            raise ValueError(f"{text} is an instant; write the day alone, YYYY-MM-DD")
    elif _UNCLEAR.fullmatch(text):
        if number and not words:
            raise ValueError(f"{text} is read as {text.read_as} by YAML; write the number as 12 or 0.5")
    elif (number and not words) or Any in wanted:
        return meaning
    elif number:
        raise ValueError(f"{text} is read as {text.read_as} by YAML; write it so if it is a number, else {IN_QUOTES}")
    elif not words:
        return str(text)  # what it cannot be is told with what it should be
    raise ValueError(f"{text} is read as {text.read_as} by YAML; {IN_QUOTES}")


def _members(annotation: Any) -> Sequence[Any]:
    """The types that a value may have, metadata left out."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [each for part in get_args(annotation) for each in _members(part)]
    return [annotation]


def _leaves(annotation: Any) -> set[Any]:
    """The scalar types that are declared; names out of a list, such as those of an enumeration, are text."""
    found: set[Any] = set()
    for each in _members(annotation):
        if get_origin(each) is Literal:
            found |= {type(value) for value in get_args(each)}
        elif each in (bool, int, float, str, Day, Any, type(None)):
            found.add(each)
        elif isinstance(each, type) and issubclass(each, str):
            found.add(str)
    return found
