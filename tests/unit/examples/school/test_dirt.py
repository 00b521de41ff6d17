"""The damage that is done to the tables of the generated school."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from examples.school.dirt import ADS, HOMEWORK, damage
from examples.school.impressions import COLUMNS
from examples.tally import Tally
from examples.targets import SCHEMA, statements


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
