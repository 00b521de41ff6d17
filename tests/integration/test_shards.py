"""Days made in several shards are trained to what days made as a whole are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.features.rows.joined import parts_of
from pipeline.storage.artifacts.kinds import ROWS
from tests.tiny import FIRST, LAST, Place, copy_of


@pytest.mark.slow
@pytest.mark.parametrize(("shards", "processes"), [(3, 1), (16, 2)])
def test_any_number_of_shards_comes_to_the_same_tensors_maps_state_and_measures(
    school: Place, trained: Place, tmp_path: Path, shards: int, processes: int
) -> None:
    place = copy_of(school, tmp_path / "shards")
    place.configure("ads", place.settings("ads") | {"shards": shards, "processes": processes})
    one = ["--experiment", "pooled"]
    place.good("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none", *one)
    assert parts_of(place.artifact(ROWS, LAST)) == shards
    compared = place.run("compare-chains", trained.root, place.root, "--job", "ads", *one)
    assert compared.out.startswith("equal: 3 trained days of 1 experiments"), compared.out
    measures = [each.good("measures", "--job", "ads", *one).out for each in (trained, place)]
    assert measures[0] == measures[1]
