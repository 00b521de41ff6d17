"""Rows to score, checked as training checks a day's: what cannot be used, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.job import JobConfig
from pipeline.config.tables import Column
from pipeline.errors import DataError
from pipeline.ingest.check_rows import check_piece
from pipeline.ingest.quarantine import QUARANTINE, Faults, quarantined


@dataclass(frozen=True)
class CheckedPiece:
    """A piece of the input.

    Attributes:
        rows: those that can be scored, the declared columns; in the input's order.
        kept: which rows of the piece they are.
        quarantine: the others, as ``QUARANTINE``.
    """

    rows: pa.Table
    kept: NDArray[np.int64]
    quarantine: pa.Table


@dataclass
class RowChecks:
    """The checks of a job's rows, less those of what is known only later: a label may be missing, or its column.

    Args:
        needed: columns that features are made of.

    Attributes:
        reasons: rows in quarantine by ``column: reason``.
        absent: columns that are needed and were not there, so that they read as missing.
        undeclared: columns that were there and are not read.
        read: rows that came.
    """

    config: JobConfig
    needed: Sequence[str]
    reasons: Counter[str] = field(default_factory=Counter)
    absent: dict[str, None] = field(default_factory=dict)
    undeclared: dict[str, None] = field(default_factory=dict)
    read: int = 0

    @property
    def labels(self) -> Mapping[str, str]:
        """The column of each task's label."""
        if self.config.tasks:
            return {name: task.label for name, task in self.config.tasks.items()}
        (label,) = self.config.request.label_columns.values()
        return {self.config.task_names[0]: label}

    def check(self, piece: pa.RecordBatch) -> CheckedPiece:
        """The piece's rows, checked.

        Raises:
            DataError: a column that a feature needs and no row may lack is not there, or one cannot hold what is
                declared.
        """
        name = self.config.request.rows
        columns = self._columns(name, piece.schema.names)
        faults = Faults.none(piece.num_rows)
        parsed = check_piece(name, self.config.tables[name], columns, piece, faults, None, self.config.timezone)
        numbers, kept = np.arange(piece.num_rows), np.flatnonzero(~faults.bad)
        bad = quarantined(name, columns, pa.Table.from_batches([piece]), faults, numbers)
        self._count(bad)
        self.read += piece.num_rows
        typed = pa.table({each: found.values for each, found in parsed.items()})
        return CheckedPiece(typed if len(kept) == len(typed) else typed.take(pa.array(kept)), kept, bad)

    def misshapen(self, lines: Sequence[tuple[str, str]]) -> pa.Table:
        """Lines that are no rows, as ``QUARANTINE``."""
        name = self.config.request.rows
        self.read += len(lines)
        told = [{"table": name, "reason": why, "column": "", "value": "", "row": line} for why, line in lines]
        bad = pa.Table.from_pylist(told, QUARANTINE)
        self._count(bad)
        return bad

    def _count(self, bad: pa.Table) -> None:
        for column, reason in zip(bad["column"].to_pylist(), bad["reason"].to_pylist(), strict=True):
            self.reasons[f"{column}: {reason}" if column else reason] += 1

    def _columns(self, name: str, there: Sequence[str]) -> dict[str, Column]:
        """The declared columns that are there or needed."""
        declared, later, found = self.config.tables[name], {*self.labels.values()}, {}
        later |= {each for each, column in declared.columns.items() if column.change == "outcome"}
        named = [declared.columns[each].source or each for each in self.needed]
        if named and not set(named) & set(there):
            raise DataError(
                f"the input has none of the columns that features are made of ({', '.join(named)}); it has "
                f"{', '.join(there)} (capitals are told from small letters; cells of .csv stand between commas, of "
                ".tsv and .txt between tabs)"
            )
        for each, column in declared.columns.items():
            source = column.source or each
            if source not in there and each not in self.needed:
                continue
            if source not in there and column.required:
                raise DataError(
                    f"the input has no column '{source}', which tables.{name}.columns declares as required and a "
                    f"feature is made of; it has {', '.join(there)}"
                )
            if source not in there:
                self.absent[each] = None
            found[each] = column.model_copy(update={"required": False}) if each in later else column
        known = {column.source or each for each, column in declared.columns.items()}
        self.undeclared |= dict.fromkeys(each for each in there if each not in known)
        return found
