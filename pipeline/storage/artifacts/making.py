"""The frame of a stage: what is committed stands, so that there is nothing to do, or another is made and committed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Unpack

from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore, Draft, Said


class Recipe(NamedTuple):
    """What a stage makes of what: equal inputs and equal settings make the same artefact."""

    ref: Ref
    inputs: list[Input]
    settings: str


class Making:
    """The artefact of a stage: one that stands, or one in the making.

    Attributes:
        stands: the committed artefact that makes the work unnecessary, if there is one.
        inputs: what the artefact is made from; a stage that learns more of it while it works says it here.
    """

    def __init__(
        self, store: ArtifactStore, ref: Ref, inputs: list[Input], settings: str, by: str, stands: Artifact | None
    ) -> None:
        self.stands = stands
        self.inputs = inputs
        self._store, self._ref, self._settings, self._decided_by = store, ref, settings, by
        self._began = time.perf_counter()
        self._open = ExitStack()

    @property
    def seconds(self) -> float:
        """How long the work has taken until now."""
        return time.perf_counter() - self._began

    @property
    def path(self) -> Path:
        """The folder to write files into."""
        return self._draft.path

    def commit(self, digest: str, **said: Unpack[Said]) -> Artifact:
        """Make what was written the current artefact; see ``Draft.commit``."""
        key = key_of(self.inputs, self._decided_by)
        return self._draft.commit(key=key, digest=digest, inputs=self.inputs, settings=self._settings, **said)

    @cached_property
    def _draft(self) -> Draft:
        # Only now: a stage that dies while it computes leaves nothing half-written.
        return self._open.enter_context(self._store.draft(self._ref))


@contextmanager
def making(
    store: ArtifactStore,
    experiments: Collection[str],
    ref: Ref,
    inputs: list[Input],
    settings: str,
    *,
    by: str = "",
    reprocess: bool = False,
) -> Iterator[Making]:
    """What stands of a stage, or a draft of it that is committed; left without a commit, it leaves nothing.

    Args:
        experiments: names of those whose checkpoints keep a day as it is (see ``standing``).
        by: what the artefact follows from beside its inputs and settings.
    """
    decided_by = " ".join(filter(None, (settings, by)))
    stands = standing(store, experiments, ref, inputs, decided_by, reprocess=reprocess)
    made = Making(store, ref, inputs, settings, decided_by, stands)
    with made._open:
        yield made


def key_of(inputs: Iterable[Input], settings: str) -> str:
    """Key of an artefact: equal content of the inputs and equal settings give equal keys."""
    text = "\n".join([settings, *sorted(f"{part.id.split('/gen=')[0]} {part.digest}" for part in inputs)])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def standing(
    store: ArtifactStore,
    experiments: Collection[str],
    ref: Ref,
    inputs: list[Input],
    settings: str,
    *,
    reprocess: bool = False,
) -> Artifact | None:
    """The committed artefact that makes running the stage unnecessary, or ``None``.

    Equal inputs and settings: nothing to do. Only the settings changed: they apply from the next untrained day, so a
    day that some experiment has trained keeps what it was trained on. Changed inputs, a taint set by hand or
    ``reprocess``: a new generation.

    Args:
        experiments: names of those whose checkpoints keep a day as it is; without any, changed settings apply at once.
    """
    current = store.current(ref)
    if current is None or reprocess or store.taint_reason(ref) is not None:
        return None
    if current.manifest.key == key_of(inputs, settings):
        return current
    before = {(part.id.split("/gen=")[0], part.digest) for part in current.manifest.inputs}
    now = {(part.id.split("/gen=")[0], part.digest) for part in inputs}
    if before == now and is_trained(store, experiments, ref):
        return current
    return None


def is_trained(store: ArtifactStore, experiments: Collection[str], ref: Ref) -> bool:
    """Whether the day (of the experiment, or of any) has a checkpoint."""
    named = (name for name in experiments if ref.experiment in (None, name))
    return any(store.current(Ref(CHECKPOINT, ref.job, ref.day, name)) is not None for name in named)
