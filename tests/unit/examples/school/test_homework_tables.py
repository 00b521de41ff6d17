"""The homework tables of the generated school."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from examples.school.homework_tables import OFFERED, TABLES, VALUES
from examples.targets import SCHEMA, statements

PACKAGE = ("teacher_id", "class_id", "chapter_id", "section_id", "style")


def keys(rows: pa.Table) -> list[tuple[str, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in PACKAGE), strict=True))


def test_columns_are_those_of_the_schema(tables: Mapping[str, pa.Table]) -> None:
    for table in TABLES:
        create = statements((SCHEMA / f"{table}.sql").read_text())[0]
        assert tables[table].column_names == [line.split()[0] for line in create.splitlines()[1:-1]]
        assert tables[table].num_rows > 20


def test_what_is_set_is_offered_seen_and_clicked(tables: Mapping[str, pa.Table]) -> None:
    offered = tables["homework_offered"]
    count = dict(zip(keys(offered), map(int, offered["cnt"].to_pylist()), strict=True))
    assert len(count) == offered.num_rows, "an offer stands once"
    homework = set(keys(tables["daily_homework_info"]))
    assert homework == {key for key, times in count.items() if times > 0}
    log = tables["homework_click_log"]
    tags = log["tag"].to_pylist()
    seen = {key for key, tag in zip(keys(log), tags, strict=True) if tag == "view"}
    clicked = {key for key, tag in zip(keys(log), tags, strict=True) if tag == "click"}
    assert homework < clicked < seen < set(count)


def test_a_class_is_offered_what_it_sets_and_ten_others(tables: Mapping[str, pa.Table]) -> None:
    offered = tables["homework_offered"].group_by("class_id").aggregate([("style", "count")])
    chosen = tables["daily_homework_info"].group_by("class_id").aggregate([("style", "count")])
    more = dict(zip(*(chosen[name].to_pylist() for name in chosen.column_names), strict=True))
    for name, count in zip(*(offered[name].to_pylist() for name in offered.column_names), strict=True):
        assert count == OFFERED + more[name]


def test_clicks_come_after_their_view_and_on_the_day(tables: Mapping[str, pa.Table]) -> None:
    log = tables["homework_click_log"]
    times = log["log_time"].to_numpy()
    assert (np.diff(times) >= 0).all()
    start = 1_708_963_200_000  # 2024-02-27 00:00 in Shanghai
    assert start <= times.min() <= times.max() < start + 24 * 3_600_000
    first: dict[tuple[str, ...], str] = {}
    for key, tag in zip(keys(log), log["tag"].to_pylist(), strict=True):
        assert first.setdefault(key, tag) == "view"


def test_study_values_have_very_different_scales(tables: Mapping[str, pa.Table]) -> None:
    study = tables["class_study"]
    sizes = [np.nanmedian(np.abs(study[f"v{n}"].to_numpy())) for n in range(1, VALUES + 1)]
    assert max(sizes) / min(sizes) > 1e6
    assert sum(study[f"v{n}"].null_count for n in range(1, VALUES + 1)) > 0
    pairs = study.select(["class_id", "section_id"])
    assert pairs.group_by(pairs.column_names).aggregate([]).num_rows == pairs.num_rows


def test_style_counts_add_up(tables: Mapping[str, pa.Table]) -> None:
    assert sum(tables["style_counts"]["cnt"].to_pylist()) == tables["daily_homework_info"].num_rows
