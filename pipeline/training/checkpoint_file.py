"""The tensors of a checkpoint on disk: one uncompressed archive, a digest per tensor in the manifest."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.digests import content_digest, tensor_digest

FILE = "tensors.npz"


def write(folder: Path, tensors: Mapping[str, NDArray[Any]]) -> tuple[dict[str, str], str]:
    """Write the tensors; returns a digest per tensor, and one of them all."""
    np.savez(folder / FILE, **{name.replace("/", "|"): value for name, value in tensors.items()})  # type: ignore[arg-type]
    digests = {name: tensor_digest(value) for name, value in sorted(tensors.items())}
    return digests, content_digest(digests)


def read(artifact: Artifact) -> dict[str, NDArray[Any]]:
    """The tensors of a checkpoint; raises ``CorruptArtifact`` where a byte of them has changed."""
    path = artifact.file(FILE)
    try:
        with np.load(path, allow_pickle=False) as archive:
            tensors = {name.replace("|", "/"): archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise CorruptArtifact(f"{path}: not a whole checkpoint ({error}); {_remedy(artifact)}") from None
    recorded = artifact.manifest.tensors
    if set(tensors) != set(recorded):
        missing = sorted(set(recorded) ^ set(tensors))
        raise CorruptArtifact(f"{path}: tensor '{missing[0]}' is not where the manifest says; {_remedy(artifact)}")
    for name, value in tensors.items():
        if tensor_digest(value) != recorded[name]:
            raise CorruptArtifact(f"{path}: tensor '{name}' differs from its digest; {_remedy(artifact)}")
    return tensors


def _remedy(artifact: Artifact) -> str:
    ref = artifact.ref
    return (
        f"train the day again: python -m pipeline taint --job {ref.job} --experiment {ref.experiment} --day {ref.day} "
        f"--reason damaged, then python -m pipeline backfill --job {ref.job} --experiment {ref.experiment} "
        f"--from {ref.day} --to {ref.day}"
    )
