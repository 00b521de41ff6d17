"""Series over days: measures, volumes, sizes of the id maps."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from benchmarks.school_year import JOB
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore
from tests.unit.pipeline.monitoring.overview.drawn import FIRST, LAST, ONE, SKIPPED, drawn, settings


def test_measures_by_experiment_and_group(written: Path) -> None:
    measures = drawn(written)["measures"]
    test = ArtifactStore(written).current(Ref("test", JOB, FIRST.plus(7), ONE))
    assert test is not None
    extra = test.manifest.extra
    assert measures["primary"] == "composite"
    assert measures["names"][:3] == ["requests", "covered", "hit_1"]
    assert (measures["lower_is_better"], measures["best_near_1"]) == (["log_loss"], [])
    assert measures["values"][ONE]["composite"][7] == pytest.approx(extra["values"]["composite"], rel=1e-4)
    assert measures["values"][ONE]["composite"][0] is None, "the first day has no checkpoint before it"
    assert measures["values"][ONE]["composite"][SKIPPED] is None
    assert [each["name"] for each in measures["groups"]] == ["new teachers", "new classes", "all others"]
    found = measures["groups"][1]["values"][ONE]["hit_3"][7]
    assert found == pytest.approx(extra["groups"]["new_owner"]["hit_3"], rel=1e-4)


def test_volumes_stand_beside_the_median_of_the_same_weekday(written: Path) -> None:
    store, picture = ArtifactStore(written), drawn(written)
    (clicks,) = (each for each in picture["volumes"] if each["table"] == "clicks")

    def rows(number: int) -> int:
        artifact = store.current(Ref("validated", JOB, FIRST.plus(number)))
        assert artifact is not None
        return int(artifact.manifest.extra["counts"]["clicks"]["read"])

    assert clicks["rows"][30] == rows(30)
    assert clicks["rows"][SKIPPED] is None
    assert clicks["usual"][30] == statistics.median(rows(each) for each in (23, 16, 9, 2))
    assert clicks["usual"][3] is None
    assert {each["table"] for each in picture["volumes"]} <= {
        name for name, table in settings()["tables"].items() if "day" in table
    }


def test_growth_of_the_id_maps(written: Path) -> None:
    (teacher,) = (each for each in drawn(written)["growth"] if each["space"] == "teacher")
    newest = ArtifactStore(written).current(Ref("maps", JOB, FIRST.plus(LAST)))
    assert newest is not None
    extra = newest.manifest.extra
    assert teacher["sizes"][LAST] == extra["sizes"]["teacher"]
    assert teacher["sizes"][SKIPPED] is None
    assert teacher["new"] == extra["sizes"]["teacher"] - extra["sizes_before"]["teacher"]
