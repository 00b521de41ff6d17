from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.days import Day
from pipeline.features.ids.day_sizes import DaySizes
from pipeline.features.ids.idmap import IdMap

D1, D2, D3 = (Day.of(2024, 3, number) for number in (1, 2, 3))


def grown(*marks: tuple[Day, int], ids: tuple[int, ...] = (7, 5, 9, 4)) -> dict[str, IdMap]:
    return {"user": IdMap("user", "int", np.array(ids, np.int64), marks)}


def said(found: DaySizes) -> tuple[Any, ...]:
    return tuple(each["user"] for each in (found.said.sizes_before, found.said.sizes, found.said.new_ids))


def test_a_day_has_the_ids_between_the_mark_before_it_and_its_own() -> None:
    maps = grown((D1, 4), (D2, 6))
    assert said(DaySizes.of(maps, D1)) == (2, 4, 2)
    assert said(DaySizes.of(maps, D2)) == (4, 6, 2)
    assert said(DaySizes.of(maps, D3)) == (6, 6, 0)


def test_a_day_read_again_has_its_new_ids_at_the_end_and_later_days_have_them_too() -> None:
    maps = grown((D1, 3), (D2, 5), (D1, 6))
    assert said(DaySizes.of(maps, D1)) == (2, 6, 4)
    assert said(DaySizes.of(maps, D2)) == (3, 6, 2)


def test_what_a_day_added_does_not_change_as_the_map_grows() -> None:
    early, late = grown((D1, 4), ids=(7, 5)), grown((D1, 4), (D2, 6))
    assert DaySizes.of(early, D1) == DaySizes.of(late, D1)


def test_other_ids_or_other_places_are_another_digest() -> None:
    digests = {
        DaySizes.of(grown((D1, 4), ids=ids), D1).digest for ids in ((7, 5), (5, 7), (7, 6))
    }  # fmt: skip
    digests |= {DaySizes.of(grown((D1, 3), (D2, 4), ids=(7, 5)), D2).digest}
    assert len(digests) == 4
