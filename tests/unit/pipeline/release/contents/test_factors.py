"""Vectors as a release holds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.features.plan.plan import Plan
from pipeline.features.state.factor_store import factors_for
from pipeline.features.state.factors import Factors
from pipeline.features.state.in_memory import states_of
from pipeline.features.state.neighbours import NEAR, WEIGHT, Neighbours, last_taken
from pipeline.release.contents.factors import factors_part, own_factors_part, texts, vectors_of
from pipeline.release.contents.parts import decoded
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.serving.released import lived, released


def test_vectors_come_back_bit_for_bit() -> None:
    vectors = np.float32([[1e-30, -0.1, 3], [0, 2**-20, 7]])
    assert vectors_of(texts(vectors), 3).tobytes() == vectors.tobytes()
    assert vectors_of([], 3).shape == (0, 3)


def test_values_by_context_and_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = lived(tmp_path, monkeypatch, lessons.bagged(), [{}] * 4)
    parts, settings = released(job), Plan.of(job).collaborative_settings[0]
    fitted = factors_for(job, states_of(job), [settings], DAY)[settings.name]
    assert isinstance(fitted, Factors)
    one = decoded(parts.of(factors_part(settings))["1"])
    assert one["values"] == [11, 12, 21]
    assert vectors_of(one["vectors"], 2).tobytes() == fitted.vectors(np.array([11, 12, 21])).tobytes()
    own = parts.of(own_factors_part(settings))
    assert set(own) == {"501", "502"}  # what 503 set has no base section
    table = states_of(job).as_of(DAY.previous()).bags["chapters", "sections"].own["teacher"]
    expected = fitted.owners(settings, table, np.array([502]))
    assert vectors_of([decoded(own["502"])], 2).tobytes() == expected.tobytes()


def test_neighbours_by_context_and_what_owners_took_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = lived(tmp_path, monkeypatch, lessons.bagged(), [{}] * 4)
    parts, settings = released(job), Plan.of(job).collaborative["cosine"]
    fitted = factors_for(job, states_of(job), [settings], DAY)[settings.name]
    assert isinstance(fitted, Neighbours)
    one = decoded(parts.of(factors_part(settings))["1"])
    rows = fitted.table.find(np.array(one["values"]))
    assert one[NEAR] == fitted.column(NEAR)[rows].tolist()
    assert vectors_of(one[WEIGHT], 2).tobytes() == fitted.column(WEIGHT)[rows].tobytes()
    table = states_of(job).as_of(DAY.previous()).bags["asked", "sections"].own["teacher"]
    own = parts.of(own_factors_part(settings))
    assert decoded(own["502"]) == last_taken(settings, table, np.array([502])).values.tolist()
