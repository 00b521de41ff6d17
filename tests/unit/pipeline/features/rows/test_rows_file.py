from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import CorruptArtifact
from pipeline.features.frames.frame import Frame
from pipeline.features.frames.texts import Texts
from pipeline.features.plan.plan import Plan
from pipeline.features.rows import rows_file
from pipeline.features.rows.candidate_table import listed
from pipeline.features.rows.homework import base_ids, homework_rows
from pipeline.features.rows.impressions import impression_rows
from pipeline.features.rows.replay import replay_rows
from pipeline.features.rows.whole_day import Replayed, WholeDay
from pipeline.storage import array_file
from tests.unit.pipeline.features import lessons, shows
from tests.unit.pipeline.features.lessons import DAY

PAST = DAY.year_before()


def assert_same(found: Any, expected: Any) -> None:
    """Equal in every field down to the bits of the arrays."""
    expected = np.asarray(expected) if isinstance(expected, Texts) else expected
    assert type(found) is type(expected) or isinstance(expected, np.ndarray | dict)
    if is_dataclass(expected):
        for each in fields(expected):
            assert_same(getattr(found, each.name), getattr(expected, each.name))
    elif isinstance(expected, np.ndarray):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        objects = expected.dtype == object
        assert found.tolist() == expected.tolist() if objects else found.tobytes() == expected.tobytes()
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert_same(found[name], value)
    elif isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found == expected


def lesson(**changed: pa.Table) -> WholeDay:
    """A day of homework with one replayed day, whose candidate table is the same."""
    plan = Plan(lessons.config())
    tables = lessons.tables(**changed)
    rows = homework_rows(plan.request, tables, DAY)
    offered = listed(plan.request.settings, tables("candidates"), base_ids(plan.request.settings, tables))
    then = lessons.tables(clicks=lessons.table("clicks"))
    past = replay_rows(plan.request, plan.config.replay, rows, tables, then, PAST)
    missing = {str(PAST.next()): "not validated"}
    return WholeDay(rows, offered, (Replayed(past, offered),), missing)


def stored(folder: Path, whole: WholeDay) -> WholeDay:
    rows_file.write(folder, whole)
    return rows_file.read(folder / rows_file.FILE)


def test_a_day_of_homework_comes_back_as_it_was(tmp_path: Path) -> None:
    whole = lesson()
    assert whole.replayed[0].rows.requests.rows == 2
    assert whole.rows.study is not None
    assert whole.rows.style_counts is not None
    found = stored(tmp_path, whole)
    assert_same(found, whole)
    assert found.replayed[0].listed is found.listed


def test_a_day_of_impressions_comes_back_as_it_was_with_its_rows_kept_once(tmp_path: Path) -> None:
    tables = {"log": shows.LOG, "ads": shows.ADS, "users": shows.USERS}
    whole = WholeDay(impression_rows(Plan(shows.config()).request, tables.__getitem__, DAY), None)
    assert_same(stored(tmp_path, whole), whole)
    kept = array_file.read(tmp_path / rows_file.FILE)[0]
    assert [name for name in kept if name.startswith("rows/requests/")] == []


def test_a_day_without_rows_comes_back(tmp_path: Path) -> None:
    names = ("homework", "clicks", "offered", "study", "style_counts")
    whole = lesson(**{name: lessons.table(name) for name in names})
    assert (whole.rows.events.rows, whole.rows.requests.rows, whole.replayed[0].rows.requests.rows) == (0, 0, 0)
    assert_same(stored(tmp_path, whole), whole)


def test_a_day_without_columns_keeps_its_length(tmp_path: Path) -> None:
    whole = lesson()
    bare = WholeDay(type(whole.rows)(**{**whole.rows.__dict__, "events": Frame(7, {})}), None)
    assert stored(tmp_path, bare).rows.events.rows == 7


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    other = lesson(homework=lessons.HOMEWORK.slice(1))
    assert rows_file.write(tmp_path, lesson()) == rows_file.write(tmp_path, lesson())
    assert rows_file.write(tmp_path, lesson()) != rows_file.write(tmp_path, other)
    assert rows_file.digest(*array_file.read(tmp_path / rows_file.FILE)) == rows_file.write(tmp_path, other)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    rows_file.write(tmp_path, lesson())
    path = tmp_path / rows_file.FILE
    data = bytearray(path.read_bytes())
    data[-65] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptArtifact, match="checksum"):
        rows_file.read(path)
