"""The online side of a job: one request answered from Redis and the exported model alone.

The pointer is taken once a request; everything else is read from the release that it names, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import redis
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.errors import DayspringError
from pipeline.features.arrays.raw_inputs import model_inputs
from pipeline.features.frames.from_arrow import ranks
from pipeline.job import JobContext
from pipeline.release.contents.parts import decoded
from pipeline.release.publish.models import Models
from pipeline.release.publish.redis_generations import Keys
from pipeline.release.publish.release_files import Pointer
from pipeline.serving.homework import HomeworkRequest
from pipeline.serving.impressions import ImpressionRequest
from pipeline.serving.loaded_model import ModelCache
from pipeline.serving.meta import Meta
from pipeline.serving.release_reader import ReleaseGone, ReleaseReader
from pipeline.serving.request import Request
from pipeline.serving.situation import Situation
from pipeline.storage.objects.open import open_objects
from pipeline.storage.redis.connection import connect

SITUATIONS: Mapping[str, type[Situation]] = {"ranking": HomeworkRequest, "impressions": ImpressionRequest}
"""How a request is answered, by the kind of job."""
_ATTEMPTS = 3


@dataclass(frozen=True)
class Scored:
    """Every candidate of a request, best first: ties of score stand in the order of their keys.

    Attributes:
        keys: raw ids of the candidates; ``logits`` and ``probabilities``: float32 ``[candidates]``.
        note: what was assumed or missing.
    """

    release_id: str
    keys: list[Any]
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    note: str = ""


@dataclass(frozen=True)
class Answer:
    """The best candidates: ``top`` holds (raw id, logit)."""

    release_id: str
    candidates: int
    top: list[tuple[Any, float]]
    note: str = ""
    probabilities: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON can hold it."""
        top = [
            {"key": key, "score": score, "probability": probability}
            for (key, score), probability in zip(self.top, self.probabilities, strict=True)
        ]
        return {"release_id": self.release_id, "candidates": self.candidates, "top": top, "note": self.note}


class OnlineReader:
    """Answers requests of one job with what is published.

    Args:
        client: the Redis that releases are pushed to.
        keys: the job's keys in it.
        models: the job's exported models.
    """

    def __init__(self, client: redis.Redis, keys: Keys, models: Models) -> None:
        self._client, self._keys, self._models = client, keys, models
        self._loaded = ModelCache()
        self._meta: tuple[str, Meta] | None = None
        self._shared: dict[tuple[str, str], Any] = {}

    @classmethod
    def open(cls, context: JobContext) -> OnlineReader:
        """The reader of a job's Redis and object store."""
        return cls.at(context.root, context.job, namespace=context.config.release.namespace)

    @classmethod
    def at(cls, root: Path, job: str, *, namespace: str = "dayspring") -> OnlineReader:
        """The reader of a job by its root, without its settings: they come with the release."""
        return cls(connect(root), Keys(namespace, job), Models(open_objects(root), job))

    def __enter__(self) -> OnlineReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def recommend(
        self,
        owner: Sequence[Any],
        chapters: Sequence[Any] | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        day: Day | None = None,
        top: int = 5,
    ) -> Answer:
        """The ``top`` candidates for an owner; see ``score``."""
        scored = self.score(Request(tuple(owner), tuple(chapters) if chapters else None, dict(context or {}), day=day))
        best = list(zip(scored.keys[:top], scored.logits[:top].tolist(), strict=True))
        return Answer(scored.release_id, len(scored.keys), best, scored.note, scored.probabilities[:top].tolist())

    def score(self, request: Request) -> Scored:
        """Every candidate of a request.

        Raises:
            DayspringError: nothing is published, or a release is gone while it is read, again and again.
            UsageError: an id or a value is not of its type.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._score(request)
            except ReleaseGone as error:  # a switch and the end of the grace period came between: take the new one
                if attempt == _ATTEMPTS:
                    raise DayspringError(f"{error}; publish the newest day again") from None
        raise AssertionError("unreachable")

    def _score(self, request: Request) -> Scored:
        release = ReleaseReader(self._client, self._keys)
        meta = self._settings(release)
        situation = SITUATIONS[meta.config.kind](meta, _Shared(release, self._shared), request)
        release_id = release.pointer.release_id
        found = situation.assembled()
        if found is None or not len(found.items.pair_item):
            none = np.zeros(0, np.float32)
            return Scored(release_id, [], none, none, situation.note or "no candidates")
        model = self._loaded.get(release.pointer, self._models.local)
        features = [feature for feature in meta.plan.schema.features if feature.name in model.inputs]
        logits, probabilities = model.score(model_inputs(features, found, situation.look))
        items = found.items
        inside = np.arange(logits.shape[1]) < np.diff(items.offsets)[:, None]
        flat, probability = logits[inside], probabilities[inside]
        order = np.lexsort((ranks(items.raw)[items.pair_item], -flat))
        keys = np.asarray(items.raw)[items.pair_item[order]].tolist()
        # A package that answers several of the request's chapters counts once, with its best score.
        first = list({key: at for at, key in reversed(list(enumerate(keys)))}.values())[::-1]
        chosen = order[first]
        return Scored(release_id, [keys[at] for at in first], flat[chosen], probability[chosen], situation.note)

    def _settings(self, release: ReleaseReader) -> Meta:
        if self._meta is None or self._meta[0] != release.pointer.release_id:
            fields = ("encoding", "config", "day", "frames", "overall", "counters", "styles", "counted_styles")
            self._meta = release.pointer.release_id, Meta(release.fetch({"meta": fields})["meta"])
            self._shared.clear()  # it was of the release before
        return self._meta[1]

    @property
    def pointer(self) -> Pointer:
        """What is served now."""
        return ReleaseReader(self._client, self._keys).pointer


class _Shared:
    """Fields of a release, those that all requests share kept in memory as long as the release is served."""

    def __init__(self, release: ReleaseReader, kept: dict[tuple[str, str], Any]) -> None:
        self._release, self._kept = release, kept

    def fetch(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        """Decoded values of one request's own fields; parts that the release lacks give nothing."""
        there = {part: names for part, names in wanted.items() if part in self._release.pointer.parts}
        found = self._release.fetch(there)
        values = {part: {name: decoded(text) for name, text in fields.items()} for part, fields in found.items()}
        return {part: values.get(part, {}) for part in wanted}

    def shared(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        """As ``fetch``, for fields that other requests will want too."""
        missing = {part: [n for n in names if (part, n) not in self._kept] for part, names in wanted.items()}
        if any(missing.values()):
            for part, fields in self.fetch(missing).items():
                for name in missing[part]:
                    self._kept[part, name] = fields.get(name)
        return {
            part: {name: value for name in names if (value := self._kept[part, name]) is not None}
            for part, names in wanted.items()
        }
