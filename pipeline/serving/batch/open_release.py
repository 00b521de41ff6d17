"""A release that files are scored with: what is served, or one that was."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import redis

from pipeline.job import JobContext
from pipeline.release.publish.models import Models
from pipeline.release.publish.redis_generations import Keys
from pipeline.serving.batch.kept_release import KeptRelease
from pipeline.serving.fields import Release
from pipeline.serving.loaded_model import LoadedModel
from pipeline.serving.meta import FIELDS, Meta
from pipeline.serving.release_reader import ReleaseReader
from pipeline.storage.objects.open import open_objects


class OpenRelease:
    """Its settings, and its model once it is asked for.

    Args:
        found: where its fields are read from.
        folder: says where its model is.
    """

    def __init__(self, found: Release, folder: Callable[[], Path]) -> None:
        self.found = found
        self.meta = Meta(found.fetch({"meta": FIELDS})["meta"])
        self._folder = folder

    @classmethod
    def served(cls, context: JobContext, client: redis.Redis) -> OpenRelease:
        """What the pointer in Redis names now; raises ``DayspringError`` where nothing is published."""
        reader = ReleaseReader(client, Keys(context.config.release.namespace, context.job))
        return cls(reader, lambda: Models(open_objects(context.root), context.job).local(reader.pointer))

    @classmethod
    def named(cls, context: JobContext, release_id: str) -> OpenRelease:
        """One that was published; see ``KeptRelease``."""
        kept = KeptRelease(context, release_id)
        return cls(kept, lambda: kept.model)

    @cached_property
    def model(self) -> LoadedModel:
        """In memory from now on."""
        return LoadedModel(self._folder())
