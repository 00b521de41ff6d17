"""Fitted vectors: of which day they are, when they are made again, and that it changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.bags import Collaborative
from pipeline.days import Day
from pipeline.features.build_features import build_day
from pipeline.features.plan.plan import Plan
from pipeline.features.state import factor_store
from pipeline.features.state.factor_store import Fitted, FittedFactors, commit_factors, factors_for, fitted_on
from pipeline.features.state.factors import Factors
from pipeline.features.state.in_memory import states_of
from pipeline.features.state.store import FILE, StateStore
from pipeline.job import JobContext
from pipeline.storage import array_file
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import FACTORS, FEATURES
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.serving.released import lived

SVD = Collaborative(bag="sections", context="chapters", owner="teacher", every=7)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """Eight days before ``DAY``, vectors every second day."""
    return lived(tmp_path, monkeypatch, lessons.bagged(), [{}] * 9)


def test_a_day_reads_what_was_fitted_before_it() -> None:
    fits = [fitted_on(SVD, DAY.plus(ahead)) for ahead in range(8)]
    assert all(fit < DAY.plus(ahead) for ahead, fit in enumerate(fits))
    assert len(set(fits)) == 2
    assert {fit.ordinal % 7 for fit in fits} == {0}
    assert fitted_on(SVD.model_copy(update={"every": 1}), DAY) == DAY.previous()


def test_features_name_the_vectors_that_they_were_built_with(job: JobContext) -> None:
    days = job.store.days(FACTORS, job.job)
    assert {day.ordinal % 2 for day in days} == {0}
    built = job.store.current(Ref(FEATURES, job.job, DAY.previous()))
    assert built is not None
    read = [each.id for each in built.manifest.inputs if each.id.startswith(FACTORS)]
    (wanted,) = {fitted_on(each, DAY.previous()) for each in Plan.of(job).collaborative_settings}
    assert read == [f"{Ref(FACTORS, job.job, wanted)}/gen=0001"]


def _bits(job: JobContext, day: Day) -> dict[str, bytes]:
    job.kept(FittedFactors, FittedFactors).of.clear()
    found = factors_for(job, states_of(job), Plan.of(job).collaborative_settings, day)
    arrays = {name: each.arrays() for name, each in found.items()}
    return {f"{name}/{array}": values.tobytes() for name, each in arrays.items() for array, values in each.items()}


def test_pruned_vectors_are_fitted_again_and_are_the_same(job: JobContext) -> None:
    days = job.store.days(FACTORS, job.job)
    newest = job.store.current(Ref(FACTORS, job.job, days[-1]))
    assert newest is not None
    assert not newest.manifest.pruned
    stored = _bits(job, DAY.previous())
    job.store.prune(newest)
    assert _bits(job, DAY.previous()) == stored
    before = job.store.current(Ref(FEATURES, job.job, DAY.previous()))
    again = build_day(JobContext(job.config, job.root), DAY.previous(), reprocess=True)
    assert before is not None
    assert again.manifest.digest == before.manifest.digest
    # Nothing is committed anew of what stands, pruned or not.
    assert [each.ref.day for each in commit_factors(job, DAY.previous())] == [days[-1]]
    assert job.store.current(newest.ref).generation == newest.generation  # type: ignore[union-attr]


def test_what_is_declared_later_leaves_the_days_before_as_they_are(job: JobContext) -> None:
    svd = lessons.BAGS["svd"]
    wider = {**svd, "collaborative": {**svd["collaborative"], "factors": 3}}
    later = JobContext(lessons.bagged(wider=wider), job.root)
    stands = commit_factors(job, DAY.previous())
    assert [each.id for each in commit_factors(later, DAY.previous())] == [each.id for each in stands]
    assert len(Plan.of(later).collaborative_settings) == len(Plan.of(job).collaborative_settings) + 1 == 4
    added = Plan.of(later).collaborative["wider"]
    # The tables of the added one are those of the others, so the state is there and is fitted.
    found = factors_for(later, states_of(later), [added], DAY.previous())[added.name]
    assert isinstance(found, Factors)
    assert found.vectors(np.array([11])).shape == (1, 3)
    assert found.vectors(np.array([11])).any()


def test_before_the_state_there_is_nothing(job: JobContext) -> None:
    start = DAY.plus(-8)
    assert commit_factors(job, start) == []
    found = factors_for(job, states_of(job), Plan.of(job).collaborative_settings, start)
    assert {len(each.table) for each in found.values()} == {0}


def test_few_days_keep_their_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: JobContext) -> None:
    for ahead in range(1, 14, 2):
        commit_factors(job, DAY.previous().plus(-ahead + 1))
    kept = [each for day in job.store.days(FACTORS, job.job) if (each := job.store.current(Ref(FACTORS, job.job, day)))]
    assert sum(not each.manifest.pruned for each in kept) <= 2


def test_what_the_eve_s_release_has_fitted_is_not_fitted_again(
    job: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(job.root / FACTORS)
    job.kept(FittedFactors, FittedFactors).of.clear()
    fits: list[str] = []
    really = factor_store._fit

    def fit(states: StateStore, wanted: Iterable[Collaborative], day: Day) -> Mapping[str, Fitted]:
        chosen = list(wanted)
        fits.extend(each.name for each in chosen)
        return really(states, chosen, day)

    monkeypatch.setattr(factor_store, "_fit", fit)
    settings = Plan.of(job).collaborative_settings
    held = factors_for(job, states_of(job), settings, DAY)
    (made,) = commit_factors(job, DAY)
    assert sorted(fits) == sorted(each.name for each in settings)
    stored, _ = array_file.read(made.file(FILE))
    expected = {f"{name}/{part}": values for name, each in held.items() for part, values in each.arrays().items()}
    assert {name: values.tobytes() for name, values in stored.items()} == {n: v.tobytes() for n, v in expected.items()}
