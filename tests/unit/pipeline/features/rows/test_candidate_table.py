"""The table of candidates: by rank, then key, each key once."""

from __future__ import annotations

from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed, listed
from pipeline.features.rows.homework import base_ids
from tests.unit.pipeline.features import lessons


def test_the_candidate_table_by_rank_then_key_each_key_once_with_base_ids() -> None:
    plan = Plan(lessons.config())
    table = lessons.table(
        "candidates",
        ([10], [102], 1, None, 5), ([10], [101], 1, None, 2), ([20], [202], 1, None, 1), ([10], [101], 2, None, 2),
        ([10], [102], 1, 4, 1), ([20], [201], 1, None, None),
    )  # fmt: skip
    ranked = listed(plan.request.settings, table, base_ids(plan.request.settings, lessons.tables()))
    # 12|1 is listed twice, its better rank counts; 202 has no base section; 21|1 has no rank and comes last.
    assert ranked.packages.key.tolist() == ["12|1", "11|1", "11|2", "21|1"]
    assert ranked.packages.reflect.values.tolist() == [4]
    assert ranked.no_base == 1


def test_a_candidate_table_comes_back_from_its_columns_and_numbers() -> None:
    plan = Plan(lessons.config())
    table = lessons.table("candidates", ([10], [101], 1, None, 2), ([20], [202], 1, None, 1))
    ranked = listed(plan.request.settings, table, base_ids(plan.request.settings, lessons.tables()))
    columns, told = ranked.stored()
    assert list(columns) == ["rows", "key", "chapters", "sections", "style", "reflect"]
    assert told == {"no_base": 1, "packages_no_base": 1}
    again = Listed.of(columns.__getitem__, told)
    assert again.packages.key.tolist() == ["11|1"]
    assert again.packages.sections.values.tolist() == [11]
    assert again.stored()[1] == told
