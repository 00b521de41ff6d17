from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.config.base import Later, Strict


class Inner(Strict):
    old: int = 1
    new: Annotated[int | None, Later()] = None
    renamed: Annotated[str, Later(), Field(alias="re-named")] = "as ever"


class Outer(Strict):
    one: Inner = Inner()
    many: dict[str, Inner]


def test_a_later_setting_is_serialised_only_where_it_is_not_at_its_default() -> None:
    given = Outer.model_validate({"one": {"new": None}, "many": {"a": {"new": 2, "re-named": "otherwise"}}})
    assert given.model_dump(mode="json", by_alias=True) == {
        "one": {"old": 1},
        "many": {"a": {"old": 1, "new": 2, "re-named": "otherwise"}},
    }
    assert given.many["a"].model_dump() == {"old": 1, "new": 2, "renamed": "otherwise"}
