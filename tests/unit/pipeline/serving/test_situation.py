"""A request in a release's world: what it asks for of the counters, and which requests are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.release.contents.parts import encoded
from pipeline.serving.impressions import ImpressionRequest
from pipeline.serving.known_items import KnownItems
from pipeline.serving.meta import Meta
from pipeline.serving.request import Request
from pipeline.serving.situation import repeated
from tests.unit.pipeline.features import shows

DAY = Day.of(2024, 3, 4)


class Asked:
    """A release without any field, which notes what is looked for."""

    def __init__(self) -> None:
        self.trips: list[dict[str, list[str]]] = []

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
        self.trips.append({part: list(names) for part, names in wanted.items()})
        return {part: {} for part in wanted}


def meta() -> Meta:
    keys = {"counters." + "+".join(key): key for key in (["user"], ["ad"], ["user", "tags"])}
    zero: dict[str, Any] = dict.fromkeys(("count", "positive", "last_day", "last_positive"), 0)
    columns = ["kind", "tag_1", "tag_2", "clicks", "ad"]
    kinds = ["str", "int", "int", "float", "int"]
    items = [[f"item.{name}", kind] for name, kind in zip(columns, kinds, strict=True)]
    users = [["user.county", "int"], ["user.skill", "str"], ["user.spent", "float"]]
    values = {
        "config": shows.config().model_dump(mode="json", by_alias=True), "day": str(DAY), "encoding": 2,
        "frames": {"items": items, "profiles": users},
        "overall": {**zero, "decayed": [], "decayed_positive": []},
        "counters": {name: {"key": key, "half_lives": [], "counts_only": False} for name, key in keys.items()},
    }  # fmt: skip
    return Meta({name: encoded(value) for name, value in values.items()})


def test_counters_are_asked_for_by_the_first_id_of_their_key_each_once() -> None:
    source, known = Asked(), KnownItems(meta())
    found = ImpressionRequest(known, source, Request((1,), items=(10, 12, 10))).assembled()
    assert found is not None
    own = {"counters.user": ["1"], "counters.user+tags": ["1"], "profiles": ["1"], "histories": ["1"]}
    assert source.trips[0] == own, "what the owner alone tells to be wanted is read at once"
    assert [sorted(each["counters.ad"]) for each in source.trips if "counters.ad" in each] == [["10", "12"]]
    source.trips.clear()
    assert ImpressionRequest(known, source, Request((2,), items=(12,))).assembled() is not None
    asked = {part for each in source.trips for part in each}
    assert not asked & {"counters.ad", "items"}, "what items are is shared by requests"


@pytest.mark.parametrize("day", [DAY, DAY.previous()])
def test_a_day_that_the_release_has_seen_is_refused(day: Day) -> None:
    with pytest.raises(UsageError, match="the release stands at the end of 2024-03-04; ask for a later day"):
        ImpressionRequest(KnownItems(meta()), Asked(), Request((1,), day=day))


def test_the_day_after_is_asked_about_unless_another_is_named() -> None:
    assert ImpressionRequest(KnownItems(meta()), Asked(), Request((1,))).day == DAY.next()
    later = ImpressionRequest(KnownItems(meta()), Asked(), Request((1,), items=(10,), day=DAY.plus(4)))
    posed = later.posed()
    assert posed is not None
    weekday: Any = posed.rows.requests["calendar.weekday"]
    assert (later.day, weekday.tolist()) == (DAY.plus(4), [4])  # 8 March 2024 was a Friday


def test_an_owner_of_another_number_of_ids_is_refused() -> None:
    with pytest.raises(UsageError, match="the owner of a history is user; 2 ids were given"):
        ImpressionRequest(KnownItems(meta()), Asked(), Request((1, 2)))


def test_a_row_is_repeated_with_its_lists() -> None:
    request = ImpressionRequest(KnownItems(meta()), Asked(), Request((1,), context={"recent": "/a/b,/c/d"}))
    frame = request.frame({"row.user": np.array([1]), "row.recent": request.given("recent")}, "user")
    columns: Any = repeated(frame, 2)
    assert columns["row.user"].tolist() == [1, 1]
    assert columns["row.recent"].lengths.tolist() == [2, 2]
