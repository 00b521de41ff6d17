"""Rows scored with a release: what they ask it for, what its model answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.schema import Feature
from pipeline.config.job import JobConfig
from pipeline.config.requests import Kind
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.features.arrays.assemble import assemble
from pipeline.features.arrays.raw_inputs import model_inputs
from pipeline.serving.batch.open_release import OpenRelease
from pipeline.serving.batch.posed_rows import PosedImpressions, PosedLabelled, PosedRows
from pipeline.serving.fields import Fields
from pipeline.serving.meta import Meta

POSED: Mapping[Kind, type[PosedRows]] = {"rows": PosedLabelled, "impressions": PosedImpressions}
"""How rows are made a question, by the kinds of job whose rows can be scored one by one."""
_VECTOR = "vector/user"
_RENEWED = 64
"""Pieces after which what earlier rows asked the release for is forgotten, so that memory stays flat."""


def guard_kind(config: JobConfig) -> None:
    """Raises ``UsageError`` where rows of such a job cannot be scored one by one."""
    if config.kind not in POSED:
        raise UsageError(
            f"job '{config.job}' is of `kind: {config.kind}`, whose requests are answered with a ranked list; rows can "
            f"be scored one by one for {', '.join(POSED)}. Ask `python -m pipeline recommend --job {config.job}`"
        )


@dataclass(frozen=True)
class Scores:
    """Of some rows, ``[rows]`` each.

    Attributes:
        logits: by task, and of all that is measured beside them.
        columns: as they are written: ``logit`` and ``probability``, of several tasks ``<task>/logit`` and so on; where
            they are asked for, the users' vectors as lists.
    """

    logits: Mapping[str, NDArray[np.float32]]
    columns: Mapping[str, Any]


class Scorer:
    """A release that scores rows.

    Args:
        vectors: also give each row's vector of the user, of a model with two towers.

    Attributes:
        needed: columns that the rows have to say something in.
        tasks: what the model answers, what several tasks come to together and the score too.

    Raises:
        UsageError: the job's rows cannot be scored, or the release is not of before their day, or it has no vectors.
    """

    def __init__(self, release: OpenRelease, day: Day | None, *, vectors: bool = False) -> None:
        meta = self.meta = release.meta
        self._release = release
        self._posed = _kind(meta)
        self.needed = self._posed.needed(meta.plan)
        self.tasks = list(meta.config.judged_of(release.found.pointer.experiment))
        self._day = day or meta.day.next()
        if self._day <= meta.day:
            raise UsageError(
                f"--day {self._day}: the release stands at the end of {meta.day}, so its counters, histories, means "
                "and bins know what came of these rows; name a later day, or an earlier release with --release"
            )
        self._vectors = [_VECTOR] if vectors else []
        if vectors and _VECTOR not in release.model.outputs:
            raise UsageError(
                f"--vectors: the model of release {release.found.pointer.release_id} has no two towers (`dropoutnet`)"
            )
        self._pieces = 0
        self._asked = self._posed(meta)

    @property
    def written(self) -> list[str]:
        """Names of the columns that scores are written to."""
        return [*self._scores, *self._vectors]

    @property
    def _scores(self) -> list[str]:
        names = [f"{task}/" for task in self.tasks] if len(self.tasks) > 1 else [""]
        return [f"{name}{what}" for name in names for what in ("logit", "probability")]

    def scores(self, table: pa.Table) -> Scores:
        """The scores of checked rows."""
        answer: Mapping[str, Any]
        if not table.num_rows:
            none = np.zeros(0, np.float32)
            lists = dict.fromkeys(self._vectors, pa.array([], pa.list_(pa.float32())))
            return Scores(dict.fromkeys(self.tasks, none), {**dict.fromkeys(self._scores, none), **lists})
        answer = self._release.model.answer(self.inputs(table))
        columns = {name: answer[name].numpy()[:, 0] for name in self._scores}
        logits = [columns[name] for name in self._scores if name.endswith("logit")]
        vectors = {name: _lists(answer[name].numpy()) for name in self._vectors}
        return Scores(dict(zip(self.tasks, logits, strict=True)), {**columns, **vectors})

    def inputs(self, table: pa.Table) -> dict[str, NDArray[Any]]:
        """What the model is asked of checked rows."""
        if self._pieces == _RENEWED:
            self._asked, self._pieces = self._posed(self.meta), 0
        self._pieces += 1
        source, look = Fields(self._release.found), self._asked.known.look.own()
        rows = self._asked.rows(source, table, self._day)
        state = self._asked.state(source, rows, look)
        read = self._release.model.inputs
        features: list[Feature] = [each for each in self.meta.plan.schema.features if each.name in read]
        return model_inputs(features, assemble(self.meta.plan, rows, look, state), look)


def _lists(vectors: NDArray[np.float32]) -> pa.Array:
    offsets = np.arange(len(vectors) + 1, dtype=np.int32) * vectors.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.ravel()))


def _kind(meta: Meta) -> type[PosedRows]:
    config = meta.config
    if any(True for _ in meta.plan.over_bags):
        named = [*meta.plan.bag_counters, *meta.plan.collaborative]
        raise UsageError(
            f"job '{config.job}': features.{named[0]} is made of whole bags of an owner's past, which are read for one "
            f"request at a time; score its rows with OnlineReader.score or `recommend`"
        )
    return POSED[config.kind]
