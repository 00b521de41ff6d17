"""Days on which experiments were tested, made of scores alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.days import Day
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.training.logits import LOGITS
from tests.unit.pipeline.release.days import commit


class Days:
    """Rows by day in place of features on disk, and tests with the scores that are given."""

    def __init__(self, here: JobContext, patch: pytest.MonkeyPatch) -> None:
        self.here = here
        self.rows: dict[Day, DayArrays] = {}
        self.groups: dict[str, NDArray[np.bool_]] = {}
        patch.setattr(day_arrays, "read", lambda artifact: self.rows[artifact.ref.day])
        patch.setattr(day_arrays, "key_rank", lambda artifact: np.arange(self.rows[artifact.ref.day].pairs))
        patch.setattr(day_arrays, "groups", lambda artifact: self.groups)

    def put(self, day: Day, rows: DayArrays, scores: Mapping[str, Sequence[float] | NDArray[np.float64]]) -> Artifact:
        """A day's rows and the tests of experiments on them."""
        self.rows[day] = rows
        features = commit(self.here, "features", day)
        for experiment, logits in scores.items():
            self.test(features, experiment, logits)
        return features

    def test(self, features: Artifact, experiment: str, logits: Sequence[float] | NDArray[np.float64]) -> Artifact:
        scores = np.asarray(logits, np.float32)
        digest = f"{experiment} {scores.tobytes().hex()}"
        with self.here.store.draft(Ref("test", self.here.job, features.ref.day, experiment)) as draft:
            np.save(draft.path / LOGITS, scores)
            return draft.commit(key=digest, digest=digest, inputs=[features.as_input()])
