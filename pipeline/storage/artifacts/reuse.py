"""When a stage has nothing to do: the one rule that decides whether a committed artefact still stands."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore


def key_of(inputs: Iterable[Input], settings: str) -> str:
    """Key of an artefact: equal content of the inputs and equal settings give equal keys."""
    text = "\n".join([settings, *sorted(f"{part.id.split('/gen=')[0]} {part.digest}" for part in inputs)])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def as_input(artifact: Artifact) -> Input:
    return Input(artifact.id, artifact.manifest.digest)


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
        experiments: names of those whose checkpoints keep a day as it is.
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
    named = [ref.experiment] if ref.experiment is not None else experiments
    return any(store.current(Ref(CHECKPOINT, ref.job, ref.day, name)) is not None for name in named)
