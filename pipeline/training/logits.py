"""The logits of a test's rows, kept beside its measures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.schema import ONLY
from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.artifact import Artifact

LOGITS = "logits.npy"


def stored(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[pairs, tasks]`` as they are kept: ``[pairs]`` where there is one task."""
    return logits[:, 0] if logits.shape[1] == 1 else logits


def write(folder: Path, logits: NDArray[np.float32]) -> None:
    np.save(folder / LOGITS, stored(logits))


def read(test: Artifact) -> dict[str, NDArray[np.float32]]:
    """``[pairs]`` by task; raises ``CorruptArtifact``."""
    path = test.file(LOGITS)
    try:
        kept = np.asarray(np.load(path), np.float32)
    except (ValueError, EOFError) as error:
        raise CorruptArtifact(f"{path}: damaged ({error}); delete the test and run the day again") from error
    return by_task(kept, test.manifest.extra.get("tasks", (ONLY,)))


def by_task(logits: NDArray[np.float32], tasks: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """``[pairs]`` by task of the logits ``[pairs, tasks]`` of a model, or of how they are kept."""
    columns = logits[:, None] if logits.ndim == 1 else logits
    return {name: columns[:, number] for number, name in enumerate(tasks)}
