"""The leak test carried through to the models: weights and scores of a day do not move when the future is planted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config.job import JobConfig
from pipeline.features.build_features import build_day
from pipeline.features.update_id_maps import grow
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.stages.experiment import run as run_experiment
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import lessons, shows
from tests.unit.pipeline.features.lessons import DAY, DAYS_OWN, FUTURE

pytestmark = pytest.mark.slow

STATE = f"state {DAY}"
"""What the day adds to the feature state: of its own outcomes too."""


def trained(job: JobContext, days: int) -> dict[str, Any]:
    """Digests of what is known, and what each model is and says, on ``DAY``; ``days`` after it are read before."""
    try:
        for day in DAY.plus(-2).through(DAY.plus(days)):
            extract(job, day)
            validate(job, day)
            grow(job, day)
        names = list(job.config.experiments)
        for day in DAY.plus(-2).through(DAY):
            build_day(job, day)
            for name in names:
                run_experiment(job, day, name)
        refs = {"features": Ref("features", job.job, DAY), STATE: Ref("state", job.job, DAY)}
        refs["state before"] = Ref("state", job.job, DAY.previous())
        refs |= {f"{kind} {name}": Ref(kind, job.job, DAY, name) for name in names for kind in ("test", "checkpoint")}
        if any(feature.collaborative is not None for feature in job.config.features.values()):
            refs["factors"] = Ref("factors", job.job, DAY.previous())
        found = {}
        for name, ref in refs.items():
            artifact = job.store.current(ref)
            assert artifact is not None, name
            found[name] = artifact.manifest.digest
            found[f"{name}: tensors"] = artifact.manifest.tensors
        return found
    finally:
        job.close()


@pytest.mark.parametrize("config", [shows.with_moments(), shows.with_everything()], ids=["moments", "everything"])
def test_of_impressions_nothing_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: JobConfig) -> None:
    plain, planted, moved, known = (tmp_path / name for name in ("plain", "planted", "moved", "known"))
    future = shows.log(*[(user, ad, 1, 7, 1e9, ["/z/z/z"]) for user in (1, 2, 3) for ad in (10, 11, 12)])
    answers = pa.array([1e9 * click for click in shows.LOG["click"].to_pylist()])
    for folder in (plain, planted, moved, known):
        shows.write_undated(folder)
        for day in DAY.plus(-2).through(DAY.plus(2)):
            # Of days before it is what histories and counters are made of, where they are.
            planted_too = folder == known and (day == DAY or not config.values)
            rows = shows.LOG.append_column("answered", answers) if planted_too else shows.LOG
            shows.write_day(folder, day, shows.at(rows, day, "08:00", "08:10", "09:00", "09:10", "12:00"))
    for ahead in (1, 2):
        shows.write_day(planted, DAY.plus(ahead), shows.at(future, DAY.plus(ahead), *["00:01"] * 9))
    shows.write_day(moved, DAY.previous(), shows.at(future, DAY.previous(), *["08:05"] * 9))

    before = trained(shows.context(plain, monkeypatch, config), 0)
    # The days after are read, mapped and in the feature state before the day is built, tested and trained.
    assert trained(shows.context(planted, monkeypatch, config), 2) == before
    # Nor does what came of the day's own rows, in a column declared as an outcome: later days alone know of it.
    of_its_own = trained(shows.context(known, monkeypatch, config), 0)
    assert (of_its_own[STATE] != before[STATE]) == bool(config.values)
    assert of_its_own == before | {name: value for name, value in of_its_own.items() if name.startswith(STATE)}
    # The same rows on an earlier day are no future, and do move it.
    earlier = trained(shows.context(moved, monkeypatch, config), 0)
    assert all(earlier[name] != value for name, value in before.items() if name.startswith("test") and value)


def test_of_homework_nothing_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = lessons.with_everything().model_copy(update={"state_from": DAY.plus(-2)})
    found, after = [], []
    for name in ("plain", "planted"):
        folder = tmp_path / name
        lessons.write_undated(folder)
        for day in DAY.plus(-2).through(DAY.next()):
            lessons.write_day(folder, day, DAYS_OWN)
        if name == "planted":
            lessons.write_day(folder, DAY.next(), FUTURE)
        job = lessons.context(folder, monkeypatch, config)
        found.append(trained(job, 1))
        state = job.store.current(Ref("state", job.job, DAY.next()))
        assert state is not None
        after.append(state.manifest.digest)
    assert found[0] == found[1]
    assert after[0] != after[1]
