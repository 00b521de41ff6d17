"""What the table of style counts says of a day: rows of one owner and style add up."""

from __future__ import annotations

from typing import Any

from pipeline.features.plan.plan import Plan
from pipeline.features.rows.style_counts import style_count_rows
from tests.unit.pipeline.features import lessons


def counted(*rows: tuple[int, int, int, int]) -> list[tuple[Any, ...]]:
    plan = Plan(lessons.config()).request
    found = style_count_rows(plan, lessons.tables(style_counts=lessons.table("style_counts", *rows)))  # type: ignore[arg-type]
    assert found is not None
    teacher, owner = (column.tolist() for column in found.owner)
    return list(zip(teacher, owner, found.style.tolist(), found.count.tolist(), strict=True))


def test_rows_add_up_in_the_order_of_their_first() -> None:
    # 501 has style 3 twice; a style of which none was set is not there.
    found = counted((502, 9002, 1, 4), (501, 9001, 3, 2), (501, 9001, 1, 1), (501, 9001, 3, 5), (501, 9001, 2, 0))
    assert found == [(502, 9002, 1, 4), (501, 9001, 3, 7), (501, 9001, 1, 1)]


def test_a_wild_count_is_the_largest_that_is_kept() -> None:
    assert counted((501, 9001, 1, 2**40), (501, 9001, 2, 2**31 - 2), (501, 9001, 2, 5)) == [
        (501, 9001, 1, 2**31 - 1), (501, 9001, 2, 2**31 - 1),
    ]  # fmt: skip


def test_a_day_on_which_none_was_set() -> None:
    assert counted((501, 9001, 1, 0)) == []


def test_a_job_that_makes_nothing_of_the_table_does_not_read_it() -> None:
    settings = lessons.config()
    features = {
        name: feature for name, feature in settings.model_dump(mode="json")["features"].items()
        if not str(feature["source"]).startswith("style_counts.") and feature["source"] != "history.style_counts"
    }  # fmt: skip
    plan = Plan(lessons.config(features=features)).request
    assert style_count_rows(plan, lessons.tables(style_counts=None)) is None  # type: ignore[arg-type]
