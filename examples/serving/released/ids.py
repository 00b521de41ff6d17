"""From values of columns to the ids and numbers that a model is asked with."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAD: Mapping[str, Any] = {"int": -(2**63), "str": ""}
MISSING: Mapping[str, Any] = {"int": -(2**63) + 1, "str": "\x01"}
_TYPES = {"int": np.int64, "str": object}
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Feature:
    """A feature of the release's settings.

    Attributes:
        settings: what the YAML declares, defaults included, and what it leaves to the job's history.
        ids: the type of its ids, ``int`` or ``str``; empty of numbers.
    """

    name: str
    settings: Mapping[str, Any]
    ids: str

    @classmethod
    def of(cls, config: Mapping[str, Any], name: str) -> Feature:
        settings, history = config["features"][name], config["history"]
        of_days = settings["kind"] == "bag_sequence" and str(settings["source"]).startswith("history.")
        read = {
            **settings, "steps": settings["steps"] or history["length"], "length": history["length"],
            "lead": history["lead"] if of_days else 0,
        }  # fmt: skip
        return cls(name, read, config["spaces"][settings["space"]] if settings["space"] else "")

    def __getattr__(self, name: str) -> Any:
        return self.settings.get(name)  # what is as by default may be left out

    @cached_property
    def frame(self) -> str:
        """Where its columns are: ``row``, ``user``, ``item``, ``history`` …; empty of a counter."""
        return self._sources[0][0] if self._sources else ""

    @cached_property
    def columns(self) -> list[str]:
        return [column for _, column in self._sources]

    @cached_property
    def plain(self) -> bool:
        """Whether its ids are those of its column as they are."""
        return all(self.settings.get(rule) is None for rule in ("buckets", "part", "digits", "compose", "bins"))

    @cached_property
    def _sources(self) -> list[tuple[str, str]]:
        source = self.settings["source"]
        named = [source] if isinstance(source, str) else source or []
        return [(each.partition(".")[0], each.partition(".")[2]) for each in named]


def canonical(value: Any, kind: str) -> Any:
    """An id as it is stored: a whole number, or text without blanks around it in Unicode's NFC."""
    if value is None or value == "":
        return MISSING[kind]
    return int(value) if kind == "int" else unicodedata.normalize("NFC", str(value).strip())


def made(feature: Feature, values: Sequence[Any]) -> list[Any]:
    """The ids that the feature makes of values of its column; missing where it makes none."""
    missing = MISSING[feature.ids]
    if feature.buckets is not None:
        return [missing if value is None else bisect_right(feature.buckets, value) for value in values]
    if feature.digits is not None:
        values = [None if value is None else _digits(feature.digits, value) for value in values]
    if feature.part is not None:
        values = [None if value is None else _part(value, feature.part) for value in values]
    return [canonical(value, feature.ids) for value in values]


def _digits(rule: Mapping[str, Any], value: int) -> int | None:
    """A part of a composed number: of 40111, of five digits, the first one is 4."""
    if 0 <= value < 10 ** (rule["of"] - 1):
        return None if rule["plain"] is None else int(rule["plain"])
    part = int(value // 10 ** (rule["of"] - (rule["at"] - 1 + rule["count"])) % 10 ** rule["count"])
    allowed = rule["allowed"] is None or part in rule["allowed"]
    return part if 10 ** (rule["of"] - 1) <= value < 10 ** rule["of"] and allowed else None


def _part(path: str, part: int) -> str | None:
    pieces = path.strip("/").split("/", 2)
    return pieces[part] if part < len(pieces) and pieces[part] else None


def single(feature: Feature, value: Any) -> Any:
    """The one id of a row, or of a list's first value."""
    if isinstance(value, list):
        value = value[0] if value else None
    return made(feature, [value])[0]


def several(feature: Feature, values: Sequence[Any], *, keep_missing: bool = False) -> list[Any]:
    """The ids of a bag or a sequence: of one column that holds a list, or of several that hold a value each."""
    if len(values) == 1 and (isinstance(values[0], list) or values[0] is None):
        found = made(feature, values[0] or [])
        return found if keep_missing else [each for each in found if each != MISSING[feature.ids]]
    singles = [made(feature, [value])[0] for value in values]
    if feature.compose == "column":
        singles = [_joined(column, each) for column, each in zip(feature.columns, singles, strict=True)]
    elif feature.compose == "pairs":
        singles = [_joined(_escaped(one), two) for one, two in zip(singles[::2], singles[1::2], strict=True)]
    return [each for each in singles if each != MISSING[feature.ids]]


def _joined(first: str, second: str) -> str:
    return MISSING["str"] if MISSING["str"] in (first, second) else f"{first}:{second}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def numbers(feature: Feature, values: Sequence[Any], day: int) -> NDArray[np.float32]:
    """``[size]``, NaN where missing: of several columns one each, or of one that holds a list; a date is days since."""
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    found = [_number(value, day) for value in values][: feature.size]
    found += [np.nan] * (feature.size - len(found))
    return np.clip(np.array(found, np.float64), -_LARGEST, _LARGEST).astype(np.float32)


def _number(value: Any, day: int) -> float:
    if value is None:
        return float("nan")
    return float(day - date.fromisoformat(value[:10]).toordinal() if isinstance(value, str) else value)


def padded(kind: str, rows: Sequence[Sequence[Any]], width: int) -> NDArray[Any]:
    """``[rows, width]``: the first values of each row, then padding."""
    out = np.full((len(rows), width), PAD[kind], _TYPES[kind])
    for at, row in enumerate(rows):
        out[at, : len(row)] = row[:width]
    return out


def array(kind: str, ids: Sequence[Any]) -> NDArray[Any]:
    """``[ids]``."""
    out = np.empty(len(ids), _TYPES[kind])
    out[:] = ids
    return out


def width_of(longest: int, most: int) -> int:
    """Cells of a bag: a power of two that has room for the longest one, at most for ``most``.

    >>> width_of(5, 16), width_of(40, 10), width_of(0, 8)
    (8, 16, 1)
    """
    return 1 << (max(min(longest, most), 1) - 1).bit_length()
