"""The homework tables of the generated school, and the damage done to them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest

from examples.school.dirt import ADS, HOMEWORK, damage
from examples.school.homework import Cohort
from examples.school.homework_tables import OFFERED, TABLES, VALUES, homework_day
from examples.school.impressions import COLUMNS
from examples.school.options import Options
from examples.school.textbook import print_textbooks
from examples.school.world import make_world
from examples.tally import Tally
from examples.targets import SCHEMA, statements
from pipeline.days import Day

TUESDAY = Day.of(2024, 2, 27)
PACKAGE = ("teacher_id", "class_id", "chapter_id", "section_id", "style")


@pytest.fixture(scope="module")
def tables() -> Mapping[str, pa.Table]:
    made = Options(TUESDAY, teachers=60)
    world = make_world(made)
    homework = Cohort(made, "this year", *world.this_year).set_homework(TUESDAY)
    return homework_day(made, "this year", print_textbooks(made), world.teachers, world.this_year[0], homework)


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


def test_every_kind_of_dirt_does_what_it_is_called() -> None:
    columns = ("teacher_id", "class_id", "chapter_id", "section_id")
    clean = pa.table(
        {name: [f"{place + 1}{number:04d}" for number in range(4000)] for place, name in enumerate(columns)}
    )
    tally = Tally()
    kinds = HOMEWORK["daily_homework_info"]
    dirty = damage("t", clean, kinds, 0.1, np.random.default_rng(1), tally, orphans=["777"])
    counts = {kind: tally["t", f"dirty: {kind}"] for kind in kinds}
    assert min(counts.values()) > 20
    assert dirty.num_rows == clean.num_rows + counts["exact duplicate"]
    values = {name: dirty[name].to_pylist() for name in columns}
    struck = {
        "id as text": values["teacher_id"].count("abc"),
        "id as float": sum(value.endswith(".0") for value in values["class_id"]),
        "id negative": sum(value.startswith("-") for value in values["teacher_id"]),
        "id empty": values["class_id"].count(""),
        "list [1, x]": values["section_id"].count("[1, x]"),
        "list 12,,13": values["chapter_id"].count("12,,13"),
        "section without base": values["section_id"].count("777"),
        "exact duplicate": dirty.num_rows - clean.num_rows,
    }
    same = [c for c, s in zip(values["chapter_id"], values["section_id"], strict=True) if c == s]
    assert len(same) == counts["section equals its chapter, from 9 on"]
    assert all(value.startswith("9") for value in same)
    assert struck == {kind: counts[kind] for kind in struck}
    touched = sum(counts.values()) - counts["exact duplicate"]
    untouched = sum(row == old for row, old in zip(dirty.to_pylist(), clean.to_pylist(), strict=False))
    assert untouched == clean.num_rows - touched


def test_no_dirt_leaves_rows_as_they_are() -> None:
    clean = pa.table({"teacher_id": ["1", "2"], "class_id": ["1", "2"]})
    tally = Tally()
    assert damage("t", clean, HOMEWORK["daily_homework_info"], 0.0, np.random.default_rng(1), tally).equals(clean)
    assert {count for _, _, count in tally.rows()} == {0}


def test_dirt_strikes_columns_that_are_there() -> None:
    for table, kinds in HOMEWORK.items():
        create = statements((SCHEMA / f"{table}.sql").read_text())[0]
        names = [line.split()[0] for line in create.splitlines()[1:-1]]
        assert {column for column in kinds.values() if column} <= set(names)
    assert {column for column in ADS["midas_online_context"].values() if column} <= set(COLUMNS)
