"""A release made ready for answering: its settings, what its requests share, and its model in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.tasks import IN_BATCH, LossName
from pipeline.config.impressions import RecalledFrom
from pipeline.features.arrays.candidates import Candidates
from pipeline.features.arrays.raw_inputs import model_inputs
from pipeline.release.publish.models import Models
from pipeline.serving.fields import Fields
from pipeline.serving.homework import HomeworkRequest
from pipeline.serving.impressions import ImpressionRequest
from pipeline.serving.known_items import KnownItems
from pipeline.serving.known_packages import KnownPackages
from pipeline.serving.known_release import KnownRelease
from pipeline.serving.labelled import KnownByTheModel
from pipeline.serving.loaded_model import ModelCache
from pipeline.serving.meta import FIELDS, Meta
from pipeline.serving.recaller import Recaller
from pipeline.serving.release_reader import ReleaseReader
from pipeline.serving.request import Request
from pipeline.serving.situation import Situation

SITUATIONS: Mapping[str, type[Situation]] = {"ranking": HomeworkRequest, "impressions": ImpressionRequest}
KNOWN: Mapping[str, type[KnownRelease]] = {
    "ranking": KnownPackages, "impressions": KnownItems, "rows": KnownByTheModel,
}  # fmt: skip
"""How a request is answered, and what its release tells all requests, by the kind of job."""


Told = Literal["probability", "share", "number"]


@dataclass(frozen=True)
class Scored:
    """Every candidate of a request, best first: ties of score stand in the order of their keys.

    Attributes:
        keys: raw ids of the candidates; ``logits`` and ``probabilities``: float32 ``[candidates]``.
        note: what was assumed or missing.
        unknown: who asks, where the release knows nothing of it.
        told: what the probabilities are: such, each by itself; a share of all candidates'; or a number that orders them
            and is neither, as of a job's `score` and of vectors that were compared within batches.
    """

    release_id: str
    keys: list[Any]
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    note: str = ""
    unknown: str = ""
    told: Told = "share"


class ReadyRelease:
    """One release, all that is kept of it, and how it answers.

    Attributes:
        text: the pointer that names it.

    Raises:
        DayspringError: the release, or its model, is not there or cannot be read.
    """

    def __init__(self, reader: ReleaseReader, models: Models, loaded: ModelCache) -> None:
        self.text = reader.text
        self._release_id = reader.pointer.release_id
        self._meta = Meta(reader.fetch({"meta": FIELDS})["meta"])
        self._known = KNOWN[self._meta.config.kind](self._meta)
        self._model = loaded.get(reader.pointer, models.local)
        config, experiment = self._meta.config, reader.pointer.experiment
        self._told = _told(config.tasks_of(experiment)[0].loss, ranks=bool(config.powers_of(experiment)))
        self._features = [each for each in self._meta.plan.schema.features if each.name in self._model.inputs]
        self._recaller: Recaller | None = None
        self._model_folder = lambda: models.local(reader.pointer)

    @property
    def candidates(self) -> RecalledFrom | None:
        """Which job recalls the candidates of a request that names none, where one does."""
        impressions = self._meta.config.impressions
        return impressions.candidates if impressions is not None else None

    def recall(self, reader: ReleaseReader, request: Request, many: int) -> Scored:
        """The ``many`` items of all that there are whose vectors are nearest to the request's.

        Raises:
            ReleaseGone: the release is there no longer.
            UsageError: it has no vectors of items, or an id or a value is not of its type.
        """
        if self._recaller is None:
            self._recaller = Recaller(self._model_folder(), self._release_id, reader.upserts)
        # What is asked of a request is the same whatever its candidates are.
        asked = replace(request, items=(self._recaller.some_item,))
        situation = SITUATIONS[self._meta.config.kind](self._known, Fields(reader), asked)
        found = situation.assembled()
        assert found is not None
        features = [each for each in self._meta.plan.schema.features if each.name in self._recaller.inputs]
        keys, scores = self._recaller.recall(model_inputs(features, found, situation.look), many)
        probabilities = 1 / (1 + np.exp(-scores.astype(np.float64)))
        return Scored(
            self._release_id, keys, scores, probabilities.astype(np.float32), situation.note, situation.unknown,
            "number" if self._told == "share" else self._told,
        )  # fmt: skip

    def score(self, reader: ReleaseReader, request: Request) -> Scored:
        """Every candidate of a request.

        Args:
            reader: of this release.

        Raises:
            ReleaseGone: it is there no longer.
            UsageError: an id or a value is not of its type.
        """
        situation = SITUATIONS[self._meta.config.kind](self._known, Fields(reader), request)
        found = situation.assembled()
        if found is None or not len(found.items.pair_item):
            none = np.zeros(0, np.float32)
            return Scored(self._release_id, [], none, none, situation.note or "no candidates")
        logits, probabilities = self._model.score(model_inputs(self._features, found, situation.look))
        items = found.items
        inside = np.arange(logits.shape[1]) < np.diff(items.offsets)[:, None]
        flat, probability = logits[inside], probabilities[inside]
        order = best_first(found.candidates, flat)
        keys = np.asarray(items.raw)[items.pair_item[order]].tolist()
        return Scored(
            self._release_id, keys, flat[order], probability[order], situation.note, situation.unknown, self._told,
        )  # fmt: skip


def _told(loss: LossName, *, ranks: bool) -> Told:
    """What an exported model's probabilities are, by its first task and whether a score ranks."""
    if ranks or loss in IN_BATCH:
        return "number"
    return "probability" if loss == "binary" else "share"


def best_first(candidates: Candidates, logits: NDArray[np.float32]) -> NDArray[np.int64]:
    """The pairs by score, best first, ties in the order of their keys; a candidate counts once, with its best one."""
    items = candidates.items
    order = np.lexsort((candidates.rank[items.pair_item], -logits))
    if len(items.offsets) > 2:  # one candidate may stand in several lists of a request
        order = order[np.sort(np.unique(items.key[items.pair_item[order]], return_index=True)[1])]
    return order
