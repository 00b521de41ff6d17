"""Which rows are of days that a release has learnt from: measures of them would tell what it has seen."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.tables import Table
from pipeline.days import Day


class LearntDays:
    """The days up to one, and the rows that are of them.

    A row's day is what its own cells say (the table's ``day``, else its ``time``), else the folder that its file lies
    in. Where nothing says it, a row is of a day that nobody has seen.

    Args:
        table: what the job declares of the rows.
        last: the last day that was learnt from.
        zone: of the business days.

    Attributes:
        rows: how many were found.
    """

    def __init__(self, table: Table, last: Day, zone: str) -> None:
        self.last, self.rows = last, 0
        self._begin = {table.day: pa.scalar(last.next().date), table.time: pa.scalar(last.end(zone))}

    def among(self, rows: pa.Table, day: Day | None) -> NDArray[np.bool_]:
        """Which of checked rows they are, ``[rows]``; they are counted.

        Args:
            day: of all of these rows, where their folder or their source says it.
        """
        told = [pc.less(rows[name], begin) for name, begin in self._begin.items() if name in rows.column_names]
        by_folder = pa.scalar(day is not None and day <= self.last)
        learnt: NDArray[np.bool_] = pc.coalesce(*told, by_folder).to_numpy() if told else np.full(
            rows.num_rows, by_folder.as_py()
        )  # fmt: skip
        self.rows += int(learnt.sum())
        return learnt
