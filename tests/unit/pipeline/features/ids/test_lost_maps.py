from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import CorruptArtifact
from pipeline.features.ids.idmap import IdMap
from pipeline.features.ids.store import IdMapStore
from pipeline.features.update_id_maps import grow
from tests.unit.pipeline.features.four_days import run, since, state_digests, teachers, write_four_days
from tests.unit.pipeline.features.lessons import DAY, context


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_four_days(tmp_path)


def test_an_older_copy_of_an_id_map_is_refused_and_grows_back_by_the_command_it_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY.plus(-3), DAY.plus(-2))
    before, digests = teachers(job), state_digests(job)
    path = IdMapStore.of(job).folder / "teacher.json"
    path.write_bytes((IdMapStore.of(job).folder / "teacher.json.previous").read_bytes())
    assert len(teachers(job)) < len(before)

    fresh = context(folder, monkeypatch, since(DAY.plus(-3)))
    named = f"teacher.json: holds .* --day {DAY.plus(-2)} --reprocess"
    with pytest.raises(CorruptArtifact, match=named):
        run(fresh, DAY.plus(-1), DAY)
    assert fresh.store.days("maps", fresh.job) == [DAY.plus(-3), DAY.plus(-2)]
    grow(fresh, DAY.plus(-2), reprocess=True)
    assert teachers(fresh) == before
    assert state_digests(fresh) == digests
    run(fresh, DAY.plus(-1), DAY)


def test_an_id_map_that_is_gone_altogether_is_not_begun_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY.plus(-3), DAY.plus(-2))
    for path in IdMapStore.of(job).folder.glob("teacher.json*"):
        path.unlink()
    fresh = context(folder, monkeypatch, since(DAY.plus(-3)))
    with pytest.raises(CorruptArtifact, match=rf"holds 0 ids .* --day {DAY.plus(-3)} --reprocess"):
        run(fresh, DAY)


def test_an_id_map_of_the_same_size_with_other_ids_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY.plus(-3), DAY.plus(-2))
    found = IdMapStore.of(job).read("teacher", "int")
    other = IdMap("teacher", "int", found.ids[::-1].copy(), found.marks)
    (IdMapStore.of(job).folder / "teacher.json").write_bytes(other.to_json())
    fresh = context(folder, monkeypatch, since(DAY.plus(-3)))
    with pytest.raises(CorruptArtifact, match="has other ids in its first"):
        run(fresh, DAY)
