"""The logits of a test's rows, kept beside its measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.job import JobConfig
from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.artifact import Artifact

LOGITS = "logits.npy"


def stored(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[pairs, tasks]`` as they are kept: ``[pairs]`` where there is one task."""
    return logits[:, 0] if logits.shape[1] == 1 else logits


def write(folder: Path, logits: NDArray[np.float32]) -> None:
    np.save(folder / LOGITS, stored(logits))


def read(test: Artifact, config: JobConfig) -> dict[str, NDArray[np.float32]]:
    """``[pairs]`` by task; raises ``CorruptArtifact``."""
    path = test.file(LOGITS)
    try:
        kept = np.asarray(np.load(path), np.float32)
    except (ValueError, EOFError) as error:
        raise CorruptArtifact(f"{path}: damaged ({error}); delete the test and run the day again") from error
    return by_task(kept, config, str(test.ref.experiment))


def by_task(logits: NDArray[np.float32], config: JobConfig, experiment: str) -> dict[str, NDArray[np.float32]]:
    """``[pairs]`` by task of the logits ``[pairs, tasks]`` of an experiment's model, or of how they are kept."""
    columns = logits.reshape(len(logits), -1)
    names = [task.name for task in config.tasks_of(experiment)]
    return {name: columns[:, number] for number, name in enumerate(names)}
