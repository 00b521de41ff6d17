"""Batch prediction: the rows of a file scored with a release, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.errors import DataError, UsageError
from pipeline.job import JobContext
from pipeline.serving.batch.checked_rows import RowChecks
from pipeline.serving.batch.learnt_days import LearntDays
from pipeline.serving.batch.measured_rows import MeasuredRows
from pipeline.serving.batch.open_release import OpenRelease
from pipeline.serving.batch.rows_in import RowsIn
from pipeline.serving.batch.rows_out import RowsOut
from pipeline.serving.batch.scorer import Scorer, guard_kind
from pipeline.storage.redis.connection import connect


@dataclass(frozen=True)
class Predicted:
    """What was written.

    Attributes:
        scored, quarantined: rows; ``quarantine`` is where the latter are.
        reasons: of these by ``column: reason``.
        absent: columns that features are made of and no row had.
        undeclared: columns that the job does not declare.
        measures: by name, of rows that came with labels.
        learnt: rows that are not measured, as they are of days that the release has learnt from; ``learnt_until``: the
            last of these days.
    """

    release_id: str
    scored: int
    quarantined: int
    quarantine: Path
    reasons: Mapping[str, int]
    absent: Sequence[str]
    undeclared: Sequence[str]
    measures: Mapping[str, float | int | None] = field(default_factory=dict)
    learnt: int = 0
    learnt_until: str = ""


def predict(
    context: JobContext, given: str, output: Path, *, columns: Sequence[str] = (), day: Day | None = None,
    release: str | None = None, vectors: bool = False,
) -> Predicted:  # fmt: skip
    """Score the rows of ``given`` (see ``RowsIn``) into ``output``, in their order, and what cannot be beside it.

    Args:
        columns: of the input, to be carried over.
        day: the day that the rows are of; by default the day after the release's.
        release: by default what is served.
        vectors: also write each row's vector of the user, of a model with two towers.

    Raises:
        UsageError: the job's rows cannot be scored one by one, or the release tells of that day or of later ones.
        DataError: the input cannot be read, lacks what a row has to have, or none of its rows can be used.
        DayspringError: nothing is published, or what the release was made from is no longer kept.
    """
    guard_kind(context.config)
    with ExitStack() as stack:
        if release is not None:
            opened = OpenRelease.named(context, release)
        else:
            client = connect(context.root)
            stack.callback(client.close)
            opened = OpenRelease.served(context, client)
        return score_file(opened, given, output, columns, day, vectors=vectors)


def score_file(
    release: OpenRelease, given: str, output: Path, columns: Sequence[str] = (), day: Day | None = None, *,
    vectors: bool = False,
) -> Predicted:
    """As :func:`predict`, with a release that is open."""
    scorer = Scorer(release, day, vectors=vectors)
    config = scorer.meta.config
    _guard_columns(columns, scorer)
    rows_in = RowsIn(given, config.tables[config.request.rows], columns, day)
    beside = output.with_name(f"{output.stem}.quarantine{output.suffix}")
    if {output.resolve(), beside.resolve()} & {path.resolve() for path in rows_in.files}:
        raise UsageError(f"--output {output}: is read as input; name another file")
    with RowsOut(output) as out, RowsOut(beside) as bad:
        checks = RowChecks(config, scorer.needed)
        learnt = LearntDays(config.tables[config.request.rows], scorer.meta.day, config.timezone)
        measured = MeasuredRows(config, checks.labels, scorer.tasks)
        for piece in rows_in.pieces():
            checked = checks.check(piece)
            carried = _carried(piece, columns, checked.kept)
            scores = scorer.scores(checked.rows)
            unseen = ~learnt.among(checked.rows, rows_in.day)
            measured.add(
                checked.rows.filter(pa.array(unseen)), {name: each[unseen] for name, each in scores.logits.items()}
            )
            out.write(pa.table({**carried, **scores.columns}))
            bad.write(checked.quarantine)
            _take_misshapen(rows_in, checks, bad)
        _take_misshapen(rows_in, checks, bad)
        if not checks.read:
            raise UsageError(f"--input {given}: has no rows{'' if rows_in.files else f' of --day {day}'}")
        quarantined = bad.rows
        if quarantined:
            bad.commit()
        else:
            beside.unlink(missing_ok=True)
        if not quarantined or out.rows:
            out.commit()
        else:
            raise DataError(f"--input {given}: none of its {checks.read} rows can be scored; they are in {beside}")
    return Predicted(
        release.found.pointer.release_id, out.rows, quarantined, beside, dict(checks.reasons.most_common()),
        [*checks.absent], [*checks.undeclared], measured.measures(), learnt.rows, str(learnt.last),
    )  # fmt: skip


def _guard_columns(columns: Sequence[str], scorer: Scorer) -> None:
    both = [name for name in columns if name in scorer.written]
    twice = [name for name in dict.fromkeys(columns) if columns.count(name) > 1]
    if both or twice:
        name = (both or twice)[0]
        why = "is what a score is written to" if both else "is named twice"
        raise UsageError(f"--columns {name}: {why}")


def _carried(piece: pa.RecordBatch, columns: Sequence[str], kept: NDArray[np.int64]) -> dict[str, pa.Array]:
    lacking = [name for name in columns if name not in piece.schema.names]
    if lacking:
        raise UsageError(f"--columns {', '.join(lacking)}: the input has {', '.join(piece.schema.names)}")
    held = {name: piece.column(name) for name in columns}
    return held if len(kept) == piece.num_rows else {name: each.take(pa.array(kept)) for name, each in held.items()}


def _take_misshapen(rows_in: RowsIn, checks: RowChecks, bad: RowsOut) -> None:
    lines, rows_in.misshapen = rows_in.misshapen, []
    if lines:
        bad.write(checks.misshapen(lines))
