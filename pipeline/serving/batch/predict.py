"""Batch prediction: the rows of a file scored with a release, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.schema import Feature
from pipeline.config.job import JobConfig
from pipeline.config.requests import Kind
from pipeline.days import Day
from pipeline.errors import DataError, UsageError
from pipeline.features.arrays.assemble import assemble
from pipeline.features.arrays.raw_inputs import model_inputs
from pipeline.job import JobContext
from pipeline.release.publish.models import Models
from pipeline.release.publish.redis_generations import Keys
from pipeline.serving.batch.checked_rows import RowChecks
from pipeline.serving.batch.kept_release import KeptRelease
from pipeline.serving.batch.measured_rows import MeasuredRows
from pipeline.serving.batch.posed_rows import PosedImpressions, PosedLabelled, PosedRows
from pipeline.serving.batch.rows_in import RowsIn
from pipeline.serving.batch.rows_out import RowsOut
from pipeline.serving.fields import Fields, Release
from pipeline.serving.loaded_model import LoadedModel
from pipeline.serving.meta import FIELDS, Meta
from pipeline.serving.release_reader import ReleaseReader
from pipeline.storage.objects.open import open_objects
from pipeline.storage.redis.connection import connect

POSED: Mapping[Kind, type[PosedRows]] = {"rows": PosedLabelled, "impressions": PosedImpressions}
"""How rows are made a question, by the kinds of job whose rows can be scored one by one."""
_RENEWED = 64
"""Pieces after which what earlier rows asked the release for is forgotten, so that memory stays flat."""


@dataclass(frozen=True)
class Predicted:
    """What was written.

    Attributes:
        scored, quarantined: rows; ``quarantine`` is where the latter are.
        reasons: of these by ``column: reason``.
        absent: columns that features are made of and no row had.
        undeclared: columns that the job does not declare.
        measures: by name, where rows came with labels.
    """

    release_id: str
    scored: int
    quarantined: int
    quarantine: Path
    reasons: Mapping[str, int]
    absent: Sequence[str]
    undeclared: Sequence[str]
    measures: Mapping[str, float | int | None] = field(default_factory=dict)


def predict(
    context: JobContext, given: str, output: Path, *, columns: Sequence[str] = (), day: Day | None = None,
    release: str | None = None,
) -> Predicted:  # fmt: skip
    """Score the rows of ``given`` (see ``RowsIn``) into ``output``, in their order, and what cannot be beside it.

    Args:
        columns: of the input, to be carried over.
        day: the day that the rows are of; by default the day after the release's.
        release: by default what is served.

    Raises:
        UsageError: the job's rows cannot be scored one by one, or the release tells of that day or of later ones.
        DataError: the input cannot be read, lacks what a row has to have, or none of its rows can be used.
        DayspringError: nothing is published, or what the release was made from is no longer kept.
    """
    _guard_kind(context.config)
    with ExitStack() as stack:
        found, model = _release(context, stack, release)
        scorer = Scorer(Meta(found.fetch({"meta": FIELDS})["meta"]), found, day)
        scorer.load(model())
        config = scorer.meta.config
        _guard_columns(columns, scorer)
        rows_in = RowsIn(given, config.tables[config.request.rows], columns, day)
        beside = output.with_name(f"{output.stem}.quarantine{output.suffix}")
        if {output.resolve(), beside.resolve()} & {path.resolve() for path in rows_in.files}:
            raise UsageError(f"--output {output}: is read as input; name another file")
        out, bad = stack.enter_context(RowsOut(output)), stack.enter_context(RowsOut(beside))
        checks = RowChecks(config, scorer.needed)
        measured = MeasuredRows(config, checks.labels, scorer.tasks)
        for piece in rows_in.pieces():
            checked = checks.check(piece)
            carried = _carried(piece, columns, checked.kept)
            scores = scorer.scores(checked.rows)
            measured.add(checked.rows, scores.logits)
            out.write(pa.table({**carried, **scores.columns}))
            bad.write(checked.quarantine)
            _take_misshapen(rows_in, checks, bad)
        _take_misshapen(rows_in, checks, bad)
        if not checks.read:
            raise UsageError(f"--input {given}: has no rows")
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
        found.pointer.release_id, out.rows, quarantined, beside, dict(checks.reasons.most_common()),
        [*checks.absent], [*checks.undeclared], measured.measures(),
    )  # fmt: skip


@dataclass(frozen=True)
class Scores:
    """Of some rows, ``[rows]`` each.

    Attributes:
        logits: by task.
        columns: as they are written: ``logit`` and ``probability``, of several tasks ``<task>/logit`` and so on.
    """

    logits: Mapping[str, NDArray[np.float32]]
    columns: Mapping[str, NDArray[np.float32]]


class Scorer:
    """A release that scores rows.

    Attributes:
        needed: columns that the rows have to say something in.
        tasks: what the model answers.

    Raises:
        UsageError: the job's rows cannot be scored, or the release is not of before their day.
    """

    def __init__(self, meta: Meta, release: Release, day: Day | None) -> None:
        self.meta, self._release = meta, release
        self._posed = _kind(meta)
        self.needed = self._posed.needed(meta.plan)
        self.tasks = [task.name for task in meta.config.tasks_of(release.pointer.experiment)]
        self._day = day or meta.day.next()
        if self._day <= meta.day and _reads_state(meta):
            raise UsageError(
                f"--day {self._day}: the release stands at the end of {meta.day}, so its counters and histories know "
                "what came of these rows; name a later day, or an earlier release with --release"
            )
        self._pieces = 0
        self._asked = self._posed(meta)

    def load(self, folder: Path) -> None:
        """Take the release's model into memory."""
        self._model = LoadedModel(folder)
        features = self.meta.plan.schema.features
        self._features: list[Feature] = [each for each in features if each.name in self._model.inputs]

    @property
    def written(self) -> list[str]:
        """Names of the columns that scores are written to."""
        names = [f"{task}/" for task in self.tasks] if len(self.tasks) > 1 else [""]
        return [f"{name}{what}" for name in names for what in ("logit", "probability")]

    def scores(self, table: pa.Table) -> Scores:
        """The scores of checked rows."""
        answer: Mapping[str, Any]
        if not table.num_rows:
            none = np.zeros(0, np.float32)
            return Scores(dict.fromkeys(self.tasks, none), dict.fromkeys(self.written, none))
        answer = self._model.answer(self.inputs(table))
        columns = {name: answer[name].numpy()[:, 0] for name in self.written}
        logits = [columns[name] for name in self.written if name.endswith("logit")]
        return Scores(dict(zip(self.tasks, logits, strict=True)), columns)

    def inputs(self, table: pa.Table) -> dict[str, NDArray[Any]]:
        """What the model is asked of checked rows."""
        if self._pieces == _RENEWED:
            self._asked, self._pieces = self._posed(self.meta), 0
        self._pieces += 1
        source, look = Fields(self._release), self._asked.known.look.own()
        rows = self._asked.rows(source, table, self._day)
        state = self._asked.state(source, rows, look)
        return model_inputs(self._features, assemble(self.meta.plan, rows, look, state), look)


def _guard_kind(config: JobConfig) -> None:
    if config.kind not in POSED:
        raise UsageError(
            f"job '{config.job}' is of `kind: {config.kind}`, whose requests are answered with a ranked list; rows can "
            f"be scored one by one for {', '.join(POSED)}. Ask `python -m pipeline recommend --job {config.job}`"
        )


def _kind(meta: Meta) -> type[PosedRows]:
    config = meta.config
    if any(True for _ in meta.plan.over_bags):
        named = [*meta.plan.bag_counters, *meta.plan.collaborative]
        raise UsageError(
            f"job '{config.job}': features.{named[0]} is made of whole bags of an owner's past, which are read for one "
            f"request at a time; score its rows with OnlineReader.score or `recommend`"
        )
    return POSED[config.kind]


def _reads_state(meta: Meta) -> bool:
    """Whether any feature is made of earlier rows."""
    return bool(meta.plan.counters()) or any(True for _ in meta.plan.of_frame("history", "last_year"))


def _release(
    context: JobContext, stack: ExitStack, named: str | None
) -> tuple[Release, Callable[[], Path]]:  # fmt: skip
    """What is served, or a release that was, and where its model is."""
    if named is not None:
        kept = KeptRelease(context, named)
        return kept, lambda: kept.model
    client = connect(context.root)
    stack.callback(client.close)
    reader = ReleaseReader(client, Keys(context.config.release.namespace, context.job))
    return reader, lambda: Models(open_objects(context.root), context.job).local(reader.pointer)


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
