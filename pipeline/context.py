"""What every stage of a job is handed: its settings, its folder of artefacts, its sources."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts import ArtifactStore, Ref
from pipeline.config import JobConfig, load_job
from pipeline.days import Day
from pipeline.locks import held

if TYPE_CHECKING:
    from pipeline.chain import Chain
    from pipeline.features.state_store import StateStore
    from pipeline.idmap import IdMapStore
    from pipeline.sources import Source

DEFAULT_ROOT = ".dayspring"
_DAY_SECONDS = 3600.0
"""Longer than any stage of a day takes: who waits finds it done."""


def default_root() -> Path:
    """The folder of all artefacts: ``DAYSPRING_ROOT``, else ``.dayspring`` in the current folder."""
    return Path(os.environ.get("DAYSPRING_ROOT") or DEFAULT_ROOT)


class JobContext:
    """One job as a process works on it.

    Attributes:
        config: the job's settings.
        root: folder of the artefacts.
        store: the artefacts.
        memory: what a process keeps from day to day (engines, a checking process); lives as long as the context.
    """

    def __init__(self, config: JobConfig, root: Path, source_url: str | None = None) -> None:
        self.config = config
        self.root = root
        self.store = ArtifactStore(root)
        self.memory: dict[str, Any] = {}
        self._source_url = source_url
        self._source: Source | None = None
        self._closing: list[Callable[[], None]] = []

    @classmethod
    def open(
        cls,
        job: str,
        *,
        root: Path | None = None,
        conf: Path | None = None,
        state_from: Day | None = None,
        source_url: str | None = None,
    ) -> JobContext:
        """The context of the job named ``job``; raises ``ConfigError`` for settings that are wrong.

        Args:
            root: folder of the artefacts, instead of ``DAYSPRING_ROOT``.
            conf: folder of the YAML, instead of ``DAYSPRING_CONF``.
            state_from: instead of the setting of this name.
            source_url: where the tables are, instead of ``DAYSPRING_<JOB>_URL``.
        """
        config = load_job(job, conf)
        if state_from is not None:
            config = config.model_copy(update={"state_from": state_from})
        return cls(config, root or default_root(), source_url)

    @property
    def job(self) -> str:
        return self.config.job

    @cached_property
    def idmaps(self) -> IdMapStore:
        """The job's id maps, shared by all of its experiments."""
        from pipeline.idmap import IdMapStore

        return IdMapStore(self.root / "idmaps" / self.job)

    @cached_property
    def states(self) -> StateStore:
        """The feature state as of any past day."""
        from pipeline.features.state_store import StateStore

        return StateStore(self.store, self.config)

    @property
    def source_url(self) -> str:
        """Where the tables are: ``DAYSPRING_<JOB>_URL``, else embedded under the root. May hold a password."""
        given = self._source_url or os.environ.get(self.source_variable)
        if given:
            return given
        if self.config.kind == "ranking":
            return f"sqlite:///{self.root / 'sources' / 'homework.db'}"
        return f"parquet:{self.root / 'sources' / 'ads'}"

    @property
    def source_variable(self) -> str:
        """The environment variable that names the source."""
        return f"DAYSPRING_{self.job.upper()}_URL"

    def source(self) -> Source:
        """The job's source, opened once."""
        if self._source is None:
            from pipeline.sources import open_source

            self._source = open_source(self.source_url, self.source_variable, self.config.tables)
        return self._source

    def chain(self, experiment: str) -> Chain:
        """The checkpoints of one experiment, in day order."""
        from pipeline.chain import Chain

        # One that has left the YAML keeps its chain.
        settings = self.config.experiments.get(experiment)
        start = (settings.start if settings is not None else None) or self.config.start
        return Chain(self.store, self.job, experiment, start)

    def skipped(self, day: Day) -> str | None:
        """Why ``day`` is recorded as skipped; ``None`` if it is not."""
        marker = self.store.current(Ref("day", self.job, day))
        return marker.manifest.reason if marker is not None and marker.manifest.state == "skipped" else None

    @contextmanager
    def lock(self, name: str, *, timeout: float = 60.0) -> Iterator[None]:
        """Hold a lock of the job for the length of the block; ``LockTimeout`` names who holds it."""
        with held(self.store.lock_path(self.job, name), timeout=timeout, what=f"{name} of job '{self.job}'"):
            yield

    def day_lock(self, stage: str, day: Day) -> AbstractContextManager[None]:
        """One process at a time makes a day's artefact of a stage; other days rarely wait (16 locks a stage)."""
        return self.lock(f"{stage}.{day.date.toordinal() % 16:02d}", timeout=_DAY_SECONDS)

    def on_close(self, call: Callable[[], None]) -> None:
        """Have something of this process closed together with the context."""
        self._closing.append(call)

    def close(self) -> None:
        """Let go of connections and of what the process kept; the context can be used again."""
        while self._closing:
            self._closing.pop()()
        self.memory.clear()
        if self._source is not None:
            self._source.close()
            self._source = None
