"""Labels of several tasks on a log of seven rows."""

from __future__ import annotations

import pyarrow as pa

from pipeline.config.tasks import TaskSettings
from pipeline.features.rows.task_labels import labelled

LOG = pa.table({
    "row": [0, 1, 2, 3, 4, 5, 6],
    "click": [1, 1, 0, 0, 1, 0, 1],
    "view": [1, 0, 0, 1, 1, 0, 0],
    "buy": [0, 0, 0, 1, 1, 1, 0],
})  # fmt: skip
CLICK, VIEW = TaskSettings(label="click"), TaskSettings(label="view", given="click")


def test_one_task_has_its_label_and_every_row() -> None:
    found = labelled(LOG, "click", {})
    assert (found.table, found.label.tolist(), found.further, found.left_out) == (
        LOG, [1, 1, 0, 0, 1, 0, 1], {}, {}
    )  # fmt: skip
    assert labelled(LOG, "click", {"click": CLICK}).label.tolist() == [1, 1, 0, 0, 1, 0, 1]


def test_a_task_without_a_condition_is_judged_in_every_row() -> None:
    found = labelled(LOG, "click", {"click": CLICK, "view": TaskSettings(label="view")})
    assert found.further["view"].tolist() == [1, 0, 0, 1, 1, 0, 0]
    assert (found.table.num_rows, found.left_out) == (7, {})


def test_a_row_with_a_label_but_not_the_one_it_is_given_is_left_out_and_counted() -> None:
    """Row 3 was viewed and bought without a click; row 5 was bought without a view."""
    tasks = {"click": CLICK, "view": VIEW, "buy": TaskSettings(label="buy", given="view")}
    found = labelled(LOG, "click", tasks)
    assert found.left_out == {"view_without_click": 1, "buy_without_view": 1}
    assert found.table["row"].to_pylist() == [0, 1, 2, 4, 6]
    assert found.label.tolist() == [1, 1, 0, 1, 1]
    assert found.further["view"].tolist() == [1, 0, -1, 1, 0]
    assert found.further["buy"].tolist() == [0, -1, -1, 1, -1]
