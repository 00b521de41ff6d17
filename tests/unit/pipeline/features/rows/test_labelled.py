from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.features.plan.plan import Plan
from pipeline.features.rows import rows_file
from pipeline.features.rows.labelled import labelled_rows
from pipeline.features.rows.whole_day import WholeDay
from tests.unit.pipeline.features import cells
from tests.unit.pipeline.features.cells import DAY


def test_each_row_is_a_request_of_the_one_item_without_columns(tmp_path: Path) -> None:
    rows = labelled_rows(Plan(cells.config()).request, {"cells": cells.ROWS}.__getitem__, DAY)  # type: ignore[arg-type]
    assert rows.label.tolist() == [1, 0, 0, 1]
    assert rows.requests is rows.events
    assert rows.events["row.site"].tolist() == ["a", "b", "\x01", "a"]  # type: ignore[union-attr]
    assert np.isnan(rows.events["row.price"][1])  # type: ignore[index]
    assert set(np.asarray(rows.events["calendar.weekday"])) == {DAY.weekday}
    assert (rows.items.rows, dict(rows.items.columns), rows.event_item.tolist()) == (1, {}, [0, 0, 0, 0])
    assert rows.counts == {"rows": 4, "positives": 2}
    rows_file.write(tmp_path, WholeDay(rows, None))
    again = rows_file.read(tmp_path / rows_file.FILE).rows
    assert again.events["row.site"].tolist() == rows.events["row.site"].tolist()  # type: ignore[union-attr]
    assert (again.label.tolist(), again.items.rows, again.counts) == (rows.label.tolist(), 1, rows.counts)
