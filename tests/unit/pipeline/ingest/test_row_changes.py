from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.ingest.row_changes import RowChanges, row_changes

LOG: dict[str, Any] = {
    "time": [1, 2, 3, 3],
    "user": [7, 8, 7, 7],
    "ads": [[1, 2], [], None, None],
    "label": [0, 1, 0, 0],
}
IDENTITY = ("time", "user")


def log(**columns: Any) -> pa.Table:
    return pa.table({**LOG, **columns})


def test_the_same_rows_in_another_order_are_no_change() -> None:
    found = row_changes(log(), log().take(pa.array([3, 1, 0, 2])), IDENTITY, "label")
    assert found == RowChanges(4, 4)
    assert found.none


def test_labels_are_counted_by_direction() -> None:
    found = row_changes(log(), log(label=[1, 0, 1, 0]), IDENTITY, "label")
    assert found.labels == {"0→1": 2, "1→0": 1}
    assert (found.added, found.removed, found.corrected) == (0, 0, 0)


def test_rows_that_came_went_and_were_corrected() -> None:
    after = pa.concat_tables([log(ads=[[1, 2], [5], None, None]).slice(0, 3), log(time=[9, 9, 9, 9])])
    found = row_changes(log(), after, IDENTITY, "label")
    assert (found.before, found.after) == (4, 7)
    assert (found.added, found.removed, found.corrected, found.labels) == (4, 1, 1, {})


def test_a_label_that_changes_with_another_column_is_a_change_of_the_label() -> None:
    found = row_changes(log(), log(label=[1, 1, 0, 0], ads=[[3], [], None, None]), IDENTITY, "label")
    assert (found.labels, found.corrected) == ({"0→1": 1}, 0)


def test_of_equal_rows_each_counts() -> None:
    assert row_changes(log(), log().slice(0, 3), IDENTITY, "label").removed == 1
    twice = pa.concat_tables([log(), log()])
    assert row_changes(log(), twice, IDENTITY, "label").added == 4


def test_a_column_read_as_numbers_and_then_as_text_is_the_same() -> None:
    after = log().set_column(1, "user", pa.array(["7", "8", "7", "7"]))
    assert row_changes(log(), after, IDENTITY, "label").none


def test_a_missing_label_and_a_missing_column() -> None:
    found = row_changes(log(label=[None, 1, 0, 0]), log(), IDENTITY, "label")
    assert found.labels == {"empty→0": 1}
    assert row_changes(log().drop_columns(["ads"]), log(), IDENTITY, "label").corrected == 2


def test_without_an_identity_rows_are_told_by_all_but_the_label() -> None:
    found = row_changes(log(), log(label=[1, 1, 0, 0]), (), "label")
    assert (found.labels, found.added, found.removed) == ({"0→1": 1}, 0, 0)


def test_empty_tables() -> None:
    assert row_changes(log().slice(0, 0), log().slice(0, 0), IDENTITY, "label").none
    assert row_changes(log().slice(0, 0), log(), IDENTITY, None).added == 4
    assert row_changes(log(), log().slice(0, 0), IDENTITY, None).removed == 4


@pytest.mark.parametrize("seed", range(5))
def test_against_a_count_by_hand(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = 300
    before = pa.table(
        {"key": np.arange(rows), "label": random.integers(0, 2, rows), "other": random.integers(0, 3, rows)}
    )
    label, other = random.integers(0, 2, rows), random.integers(0, 3, rows)
    kept = random.random(rows) < 0.8
    after = pa.table({"key": np.arange(rows), "label": label, "other": other}).filter(pa.array(kept))
    after = after.take(pa.array(random.permutation(after.num_rows)))
    found = row_changes(before, after, ("key",), "label")
    old_label, old_other = before["label"].to_numpy(), before["other"].to_numpy()
    wanted = {
        f"{was}→{1 - was}": count
        for was in (0, 1)
        if (count := int((kept & (old_label == was) & (label == 1 - was)).sum()))
    }
    assert found.labels == wanted
    assert found.removed == int((~kept).sum())
    assert found.corrected == int((kept & (old_label == label) & (old_other != other)).sum())
