from __future__ import annotations

import pytest

from models.schema import MISSING_STR
from pipeline.errors import DataError
from pipeline.features.arrays.day_events import events_of
from pipeline.features.arrays.day_ids import raw_ids
from pipeline.features.arrays.labelled_growth import LabelledGrowth
from pipeline.features.ids.fingerprints import MISSING
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.labelled import labelled_rows
from tests.unit.pipeline.features import cells
from tests.unit.pipeline.features.cells import DAY

PLAN = Plan(cells.config())
ROWS = labelled_rows(PLAN.request, {"cells": cells.ROWS}.__getitem__, DAY)  # type: ignore[arg-type]


def test_ids_of_a_shared_space_come_column_by_column() -> None:
    found = raw_ids(PLAN, ROWS)
    # Of `site`, of `app`, of both; what is missing is no id of any map.
    assert [each for each in found["site"] if each != MISSING_STR] == ["a", "b", "b", "c", "a", "a", "b", "c"]
    assert found["campaign"].tolist() == [7, 8]


def test_an_event_is_counted_by_what_the_row_holds_and_hands_nothing_else_on() -> None:
    events = events_of(PLAN, ROWS)
    assert events.keys["campaign"].tolist() == [7, 7, 8, 8]
    assert [code == MISSING for code in events.keys["site"]] == [False, False, True, False]
    assert events.keys["site"][0] == events.keys["site"][3] != events.keys["site"][1]
    assert events.label.tolist() == [1, 0, 0, 1]
    assert (events.history.parts, len(events.history.owner[0]), len(events.catalogue_keys)) == ({}, 0, 0)


def test_no_row_has_an_item_or_a_history() -> None:
    growth, site = LabelledGrowth(PLAN, PLAN.request), PLAN.features["site"]  # type: ignore[arg-type]
    for asked in (growth.item_ids, growth.item_codes, growth.history_ids):
        with pytest.raises(DataError, match="feature 'site': labelled rows have neither items nor histories"):
            asked(site, ROWS)
