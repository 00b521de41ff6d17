"""The lessons with a log of who looked: 501 … 504, of whom 503 and 504 set nothing; 505 sets without looking."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tests.unit.pipeline.features import lessons

HOMEWORK = lessons.table(
    "homework", (501, 9001, 5, [10], [101], 1, 7), (502, 9002, 5, [10], [102], 1, 0), (505, 9005, 6, [10], [101], 1, 7)
)
SEEN = [
    (501, 9001, "view", [10], [101], 1, 5), (501, 9001, "click", [10], [101], 1, 5),
    (501, 9001, "view", [10], [102], 1, 5), (501, 9001, "view", [20], [201], 1, 5),
    (502, 9002, "view", [10], [101], 1, 5),
    (503, 9003, "view", [10], [102], 1, 6), (503, 9003, "view", [10], [101], 1, 6),
    (504, 9004, "click", [20], [201], 1, 6),
    (505, 9099, "view", [30], [301], 1, 6),
]  # fmt: skip
"""With the grade, which the log has here."""

OFFERED = lessons.table(
    "offered", (501, 9001, [10], [101], 1, 2), (502, 9002, [10], [102], 1, 1), (504, 9004, [20], [201], 1, 0)
)


def clicks() -> pa.Table:
    plain = lessons.table("clicks", *(row[:-1] for row in SEEN))
    return plain.append_column("grade", pa.array([row[-1] for row in SEEN], pa.int64()))


def config(**ranking: Any) -> Any:
    """The lessons, whose log has the grade, with requests of the log."""
    columns = {**lessons.TABLES["clicks"]["columns"], "grade": {"type": "int"}}
    tables = {**lessons.TABLES, "clicks": {**lessons.TABLES["clicks"], "columns": columns}}
    plain = lessons.config().model_dump(by_alias=True)["ranking"]
    return lessons.config(tables=tables, ranking={**plain, "requests": "log", **ranking})
