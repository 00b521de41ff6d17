from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from pipeline.serving.fields import Fields


class Release:
    """A release of two parts that notes what it is asked."""

    def __init__(self) -> None:
        self.pointer = SimpleNamespace(parts={"users": 1, "items": 1})
        self.asked: list[Any] = []

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, bytes]]:
        self.asked.append({part: list(names) for part, names in wanted.items()})
        there = {"users": {"1": b"[1,2]"}, "items": {"a": b'"A"'}}
        return {p: {n: there[p][n] for n in names if n in there[p]} for p, names in wanted.items()}


def test_every_field_is_read_once_whether_it_is_there_or_not() -> None:
    release = Release()
    fields = Fields(release)  # type: ignore[arg-type]
    assert fields.fetch({"users": ["1", "2"], "items": ["a"]}) == {"users": {"1": [1, 2]}, "items": {"a": "A"}}
    assert fields.fetch({"users": ["2", "1"]}) == {"users": {"1": [1, 2]}}
    assert fields.fetch({"users": ["1", "3"], "elsewhere": ["x"]}) == {"users": {"1": [1, 2]}, "elsewhere": {}}
    assert release.asked == [{"users": ["1", "2"], "items": ["a"]}, {"users": ["3"]}]
