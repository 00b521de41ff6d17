"""Training by gradients: an engine and its batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.engine.batching import DayBatches, score_day
from models.engine.engine import Engine, NonFiniteLoss
from models.engine.lowering import entire_space
from models.export import saved_model, towers
from models.export.serving_module import ServingModule
from models.randomness import HiddenState
from models.schema import DayArrays
from pipeline.training.progress import Progress
from pipeline.training.trainer import RowsFailed, TrainedRows


class KerasTrainer(Engine):
    """A Keras model in the engine."""

    sets_first_output = True

    @property
    def entire_space(self) -> bool:
        """Whether a task that is given another is learnt of all rows, by the probability that both come true."""
        return entire_space(self.model)

    def train(
        self, rows: Iterable[TrainedRows], learning_rate: float, sizes_before: Mapping[str, int]
    ) -> NDArray[np.float32]:
        self.begin_day()
        losses: list[NDArray[np.float32]] = []
        for part in rows:
            for epoch, settings in enumerate(part.epochs, 1):
                batches = DayBatches(self, part.arrays, settings, sizes_before)
                if not len(batches):
                    continue
                try:
                    progress = Progress(part.name, epoch, len(part.epochs), len(batches), settings.batch_size)
                    watch = progress if self.part.number == 0 else None
                    losses.append(self.train_epoch(batches, learning_rate, batches.unique_bucket, watch))
                except (HiddenState, NonFiniteLoss) as error:
                    raise RowsFailed(part.name) from error
        return np.concatenate(losses) if losses else np.zeros((0, 1), np.float32)

    def scores(self, arrays: DayArrays) -> NDArray[np.float32]:
        return score_day(self, arrays)

    def module(self, kinds: Mapping[str, str]) -> ServingModule:
        return saved_model.module_of(self, kinds)

    def tower_modules(self, kinds: Mapping[str, str]) -> Mapping[str, ServingModule]:
        return towers.towers_of(self, kinds)

    def vectors(
        self, tower: str, values: Mapping[str, NDArray[Any]], kinds: Mapping[str, str], *, content_alone: bool = False
    ) -> NDArray[np.float32]:
        """What one of the two towers makes of rows (``models.export.towers.vectors_of``)."""
        module = towers.towers_of(self, kinds)[tower]
        return towers.vectors_of(self, module, tower, values, content_alone=content_alone)
