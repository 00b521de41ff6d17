from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.errors import DataError
from pipeline.serving.batch.checked_rows import RowChecks
from tests.unit.pipeline.features import shows

NEEDED = ("user", "ad", "place", "seconds")


def piece(**columns: object) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(dict(columns))


def test_rows_are_checked_as_in_training_and_a_label_may_be_missing() -> None:
    checks = RowChecks(shows.config(), NEEDED)
    found = checks.check(
        piece(
            user=["1", "2", None, "4", "5"], ad=["10", "x", "12", "13", "14"], click=["1", "0", "1", "2", None],
            place=["7", "7", "7", "7", None], more=["a"] * 5,
        )
    )  # fmt: skip
    assert found.kept.tolist() == [0, 4]
    assert found.rows.to_pylist() == [
        {"user": 1, "ad": 10, "click": 1, "place": 7, "seconds": None},
        {"user": 5, "ad": 14, "click": None, "place": None, "seconds": None},
    ]
    assert dict(checks.reasons) == {"ad: not a whole number": 1, "user: missing": 1, "click: not an allowed value": 1}
    assert found.quarantine.num_rows == 3
    assert (checks.read, [*checks.absent], [*checks.undeclared]) == (5, ["seconds"], ["more"])
    assert checks.labels == {"label": "click"}


def test_what_a_row_must_have_has_to_be_there() -> None:
    checks = RowChecks(shows.config(), NEEDED)
    with pytest.raises(DataError, match=r"no column 'ad'.*it has user"):
        checks.check(piece(user=[1]))
    # Of what no feature is made of, nothing is missed.
    assert len(checks.check(piece(user=[1], ad=[10])).rows) == 1


def test_lines_that_are_no_rows_are_counted_with_the_others() -> None:
    checks = RowChecks(shows.config(), NEEDED)
    told = checks.misshapen([("1 cells, where the header has 2", "a")])
    assert told.to_pylist() == [
        {"table": "log", "reason": "1 cells, where the header has 2", "column": "", "value": "", "row": "a"}
    ]
    assert (checks.read, dict(checks.reasons)) == (1, {"1 cells, where the header has 2": 1})
