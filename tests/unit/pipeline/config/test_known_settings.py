from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from pipeline.config.job import JobConfig
from pipeline.config.known_settings import settings_at


class Leaf(BaseModel):
    colour: int = 0
    since: int = Field(default=0, alias="from")


class Tree(BaseModel):
    leaf: Annotated[Leaf | None, "a note"] = None
    leaves: tuple[Leaf, ...] = ()
    named: Mapping[str, Leaf | int] = {}


@pytest.mark.parametrize(
    "place", [("leaf", "x"), ("leaves", 3, "x"), ("named", "any", "x"), ("named", "any", "Leaf", "x")]
)
def test_settings_stand_below_others_in_lists_and_under_names(place: tuple[str | int, ...]) -> None:
    assert settings_at(Tree, place) == ["colour", "from"]


def test_at_the_top_and_where_nothing_stands() -> None:
    assert settings_at(Tree, ("x",)) == ["leaf", "leaves", "named"]
    assert settings_at(Leaf, ("colour", "x")) == []


def test_of_a_job() -> None:
    assert "loss" in settings_at(JobConfig, ("experiments", "din", "lost"))
    assert "separator" in settings_at(JobConfig, ("tables", "rows", "columns", "a", "seperator"))
