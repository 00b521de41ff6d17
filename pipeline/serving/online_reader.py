"""The online side of a job: one request answered from Redis and the exported model alone.

A request reads everything from one release, or nothing. What is served is looked at in the same round trip as the
request's fields: when it is another release, that one is made ready in the background, and the one before answers
meanwhile. Threads may share a reader: it answers one of them at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

import redis

from pipeline.days import Day
from pipeline.errors import DayspringError, UsageError
from pipeline.job import JobContext
from pipeline.release.publish.models import Models
from pipeline.release.publish.redis_generations import Keys
from pipeline.release.publish.release_files import Pointer
from pipeline.serving.loaded_model import ModelCache
from pipeline.serving.ready_release import ReadyRelease, Scored, Told
from pipeline.serving.release_reader import ReleaseGone, ReleaseReader
from pipeline.serving.request import Request
from pipeline.serving.taken_up import TakenUp
from pipeline.storage.objects.open import open_objects
from pipeline.storage.redis.connection import connect

_ATTEMPTS = 3
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """The best candidates: ``top`` holds (raw id, logit).

    Attributes:
        probabilities: of each; ``told``: what they are (``Scored.told``).
    """

    release_id: str
    candidates: int
    top: list[tuple[Any, float]]
    note: str = ""
    probabilities: list[float] = field(default_factory=list)
    told: Told = "share"

    @property
    def numbers(self) -> str:
        """What the numbers beside the candidates are, in words."""
        if self.told == "probability":
            return (
                "logit: ranks, higher is better; probability: 1 / (1 + exp(-logit)), of a positive label as far as the "
                "model is calibrated"
            )
        if self.told == "number":
            return "logit: ranks, higher is better; number: from 0 to 1 in the same order, and no probability"
        return (
            f"logit: ranks the candidates of this request, and means nothing beside another's; share: softmax of it "
            f"over all {self.candidates}"
        )

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON can hold it."""
        top = [
            {"key": key, "score": score, "probability": probability}
            for (key, score), probability in zip(self.top, self.probabilities, strict=True)
        ]
        told = {"release_id": self.release_id, "candidates": self.candidates, "top": top, "note": self.note}
        return {**told, "numbers": self.numbers}


_Ask = Callable[[ReadyRelease, ReleaseReader], Scored]
_Asked = Callable[[ReadyRelease, ReleaseReader], tuple[Scored, dict[str, _Ask]]]
"""The answer, and by what was asked what the next release is tried with."""


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
        self._served = TakenUp(self._ready)
        self._like: dict[str, _Ask] = {}
        self._others: dict[str, OnlineReader] = {}
        # What requests share is read by the first of them, and put together from what was known and what is new.
        self._one_at_a_time = Lock()

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
        for each in (self, *self._others.values()):
            each._served.close()
        self._client.close()

    def recommend(
        self,
        owner: Sequence[Any],
        chapters: Sequence[Any] | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        day: Day | None = None,
        top: int = 5,
        recalled: int | None = None,
    ) -> Answer:
        """The ``top`` candidates for an owner, see ``score``; or the ``recalled`` nearest items, see ``recall``."""
        request = Request(tuple(owner), tuple(chapters) if chapters else None, dict(context or {}), day=day)
        scored = self.score(request) if recalled is None else self.recall(request, recalled)
        top = top if recalled is None else recalled
        best = list(zip(scored.keys[:top], scored.logits[:top].tolist(), strict=True))
        note = scored.note
        if scored.unknown and not note:
            note = f"nothing is known of {scored.unknown}: ranked as for one that is new"
        probabilities = scored.probabilities[:top].tolist()
        return Answer(scored.release_id, len(scored.keys), best, note, probabilities, scored.told)

    def score(self, request: Request) -> Scored:
        """Every candidate of a request.

        Raises:
            DayspringError: nothing is published, or a release is gone while it is read, again and again.
            UsageError: an id or a value is not of its type.
        """

        def ask(release: ReadyRelease, reader: ReleaseReader) -> tuple[Scored, dict[str, _Ask]]:
            posed = self._with_items(release, request)
            like = replace(posed, day=None)
            return release.score(reader, posed), {"score": lambda release, reader: release.score(reader, like)}

        return self._asked(ask)

    def recall(self, request: Request, many: int) -> Scored:
        """The ``many`` items of all that there are which two towers find nearest to the request.

        Raises:
            DayspringError, UsageError: as of ``score``; the latter where the release has no vectors of items, too.
        """
        like = replace(request, day=None)
        return self._asked(
            lambda release, reader: (
                release.recall(reader, request, many),
                {"recall": lambda release, reader: release.recall(reader, like, many)},
            )
        )

    def _with_items(self, release: ReadyRelease, request: Request) -> Request:
        """The request with the candidates that another job recalls for it, where that is how a release has them."""
        wanted = release.candidates
        if request.items is not None or wanted is None:
            return request
        if wanted.job not in self._others:
            keys = Keys(self._keys.namespace, wanted.job)
            self._others[wanted.job] = OnlineReader(self._client, keys, self._models.of(wanted.job))
        return replace(request, items=tuple(self._others[wanted.job].recall(request, wanted.top).keys))

    def _asked(self, ask: _Asked) -> Scored:
        with self._one_at_a_time:
            return self._answered(ask)

    def _answered(self, ask: _Asked) -> Scored:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                release = self._served.release()
                reader = ReleaseReader(self._client, self._keys, release.text)
                scored, like = ask(release, reader)
            except ReleaseGone as error:  # a switch and the end of the grace period came between: take the new one
                if attempt == _ATTEMPTS:
                    raise DayspringError(f"{error}; publish the newest day again") from None
                self._served.gone()
                continue
            self._like |= like
            if reader.newest != release.text:
                self._served.begin()
            return scored
        raise AssertionError("unreachable")

    def refresh(self) -> None:
        """Take up what is served now, and wait for it."""
        with self._one_at_a_time:
            self._served.renew()

    def _ready(self) -> ReadyRelease:
        """What is served now, ready to answer: what was asked before is answered already, and waited for no more.

        A model's first call is a slow one, and what requests share is read by the first of them.
        """
        reader = ReleaseReader(self._client, self._keys)
        release = ReadyRelease(reader, self._models, self._loaded)
        for asked in list(self._like.values()):
            try:
                asked(release, reader)
            except UsageError as error:  # other settings may refuse what the ones before took
                _LOG.info("not tried before it answers: %s", error)
        return release

    @property
    def pointer(self) -> Pointer:
        """What is served now."""
        return ReleaseReader(self._client, self._keys).pointer
