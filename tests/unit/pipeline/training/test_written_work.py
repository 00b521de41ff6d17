"""A day's work that another process takes up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training.day_training import Work
from pipeline.training.overrides import Overrides
from pipeline.training.written_work import read, written
from tests.unit.pipeline.release.days import FIRST, commit, context


def test_it_is_the_same_on_the_other_side_and_of_the_same_root(tmp_path: Path) -> None:
    here = context(tmp_path / "root")
    earlier, features = (commit(here, "features", FIRST.plus(after)) for after in (0, 1))
    maps, parent = commit(here, "maps", FIRST.plus(1)), commit(here, "checkpoint", FIRST, "a")
    work = Work(
        FIRST.plus(1), "a", features, maps, parent, {FIRST.plus(-365): "replay-x"}, [earlier], Overrides(epochs=3), True
    )
    told = json.loads(json.dumps(written(work)))
    again = read(here.store, told)
    assert (again.day, again.experiment, again.replays) == (work.day, "a", work.replays)
    assert (again.overrides, again.at_base_rate) == (work.overrides, True)
    ids = [features.id, maps.id, parent.id, earlier.id]
    assert again.parent is not None
    assert [again.features.id, again.maps.id, again.parent.id, *(each.id for each in again.earlier)] == ids
    first = read(here.store, json.loads(json.dumps(written(Work(FIRST, "a", earlier, maps)))))
    assert first.parent is None
    assert not first.overrides
    with pytest.raises(CorruptArtifact, match=f"holds no {features.id}; all trainers need the same root"):
        read(ArtifactStore(tmp_path / "elsewhere"), told)
