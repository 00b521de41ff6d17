"""What every stage of a job is handed: its settings, its folder of artefacts, its sources."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.config.job import JobConfig
from pipeline.config.load import load_job
from pipeline.days import Day
from pipeline.engines.engine import Engine
from pipeline.engines.open import engine_of
from pipeline.errors import ChainError, DaySkipped
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import DAY, MADE_BY
from pipeline.storage.artifacts.making import Making, Recipe, making, standing
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.skipped_days import skip_marker
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.locks import held

if TYPE_CHECKING:
    from pipeline.sources.base import Source

T = TypeVar("T")

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
    """

    def __init__(self, config: JobConfig, root: Path, source_url: str | None = None) -> None:
        self.config = config
        self.root = root
        self.store = ArtifactStore(root)
        self._kept: dict[type[Any], Any] = {}
        self._source_url = source_url
        self._source: Source | None = None
        self._engine: Engine | None = None
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

    def __reduce__(self) -> tuple[Callable[..., JobContext], tuple[JobConfig, Path]]:
        # A process that works on many parts keeps what it has read; the source's URL may hold a password.
        return _of_this_process, (self.config, self.root)

    @property
    def job(self) -> str:
        return self.config.job

    def kept(self, kind: type[T], make: Callable[[], T]) -> T:
        """What this process keeps from day to day, one of each class: made when it is first asked for.

        It lives until the context is closed.
        """
        if kind not in self._kept:
            self._kept[kind] = make()
        found: T = self._kept[kind]
        return found

    @property
    def source_url(self) -> str:
        """Where the tables are: ``DAYSPRING_<JOB>_URL``, else embedded under the root. May hold a password."""
        given = self._source_url or os.environ.get(self.source_variable)
        if given:
            return given
        return self.config.request.embedded.format(root=self.root, job=self.job)

    @property
    def source_variable(self) -> str:
        """The environment variable that names the source."""
        return f"DAYSPRING_{self.job.upper()}_URL"

    def source(self) -> Source:
        """The job's source, opened once."""
        if self._source is None:
            from pipeline.sources.open import open_source

            self._source = open_source(self.source_url, self.source_variable, self.config.tables)
        return self._source

    def engine(self) -> Engine:
        """What works on the shards of the job's days, opened once."""
        if self._engine is None:
            self._engine = engine_of(self.config)
        return self._engine

    def skip_marker(self, day: Day) -> Artifact | None:
        """What records that ``day`` is skipped; ``None`` if it is not."""
        return skip_marker(self.store, self.job, day)

    def skipped(self, day: Day) -> str | None:
        """Why ``day`` is recorded as skipped; ``None`` if it is not."""
        marker = self.skip_marker(day)
        return marker.manifest.reason if marker is not None else None

    def guard_begun(self, what: str) -> None:
        """Raises ``DaySkipped`` where the job has no day yet that ``what`` could be done with."""
        if not (self.root / DAY / self.job).is_dir():
            raise DaySkipped(f"job '{self.job}' has no days under {self.root} yet; nothing to {what}")

    def needed(self, kind: str, day: Day) -> Artifact:
        """The day's artefact of a kind that a stage cannot do without.

        Raises:
            ChainError: there is none; names the stage that makes it.
        """
        found = self.store.current(Ref(kind, self.job, day))
        if found is None:
            raise ChainError(
                f"{self.job} {day}: no {kind} of this day yet; run `python -m pipeline stage {MADE_BY[kind]} "
                f"--job {self.job} --day {day}`"
            )
        return found

    def standing(self, recipe: Recipe, *, reprocess: bool = False) -> Artifact | None:
        """The committed artefact of a recipe that leaves a stage nothing to do (see ``standing``)."""
        return standing(self.store, self.config.experiments, *recipe, reprocess=reprocess)

    def making(
        self, ref: Ref, inputs: list[Input], settings: str, *,
        by: str = "", reprocess: bool = False, at_once: bool = False,
    ) -> AbstractContextManager[Making]:  # fmt: skip
        """The frame of a stage (see ``making``); ``at_once``: changed settings apply to trained days too."""
        experiments = () if at_once else self.config.experiments
        return making(self.store, experiments, ref, inputs, settings, by=by, reprocess=reprocess)

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
        self._kept.clear()
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if self._source is not None:
            self._source.close()
            self._source = None


_here: list[JobContext] = []


def _of_this_process(config: JobConfig, root: Path) -> JobContext:
    """The context by which this process works on parts of another's days."""
    if not _here or (_here[0].config, _here[0].root) != (config, root):
        _here[:] = [JobContext(config, root)]
    return _here[0]
