from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.errors import ChainError, CorruptArtifact, DataError, UsageError
from pipeline.features import update_id_maps as growth
from pipeline.features.arrays import files as arrays
from pipeline.features.build_features import build_day
from pipeline.features.ids.store import IdMapStore
from pipeline.features.rows import joined
from pipeline.features.state.store import StateStore
from pipeline.features.update_id_maps import grow
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.stages import features as stages
from pipeline.stages.features import update_id_maps
from pipeline.stages.stage import stage
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.four_days import DATED, run, since, state_digests, teachers, write_four_days
from tests.unit.pipeline.features.lessons import DAY, config, context, write_day, write_undated


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_four_days(tmp_path)


def test_days_before_the_first_are_mapped_in_one_pass(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY)
    assert job.store.days("maps", job.job) == [DAY.plus(-3), DAY.plus(-2), DAY]
    assert job.skipped(DAY.plus(-1)) is not None
    assert job.store.days("features", job.job) == [DAY]
    assert teachers(job) == [501, 505, 502, 504, 506]
    maps = job.store.current(Ref("maps", job.job, DAY))
    assert maps is not None
    assert (maps.manifest.extra["sizes"]["teacher"], maps.manifest.extra["sizes_before"]["teacher"]) == (7, 6)
    first = job.store.current(Ref("maps", job.job, DAY.plus(-3)))
    assert first is not None
    assert (first.manifest.extra["sizes"]["teacher"], first.manifest.extra["sizes_before"]["teacher"]) == (5, 2)


def test_one_pass_and_day_by_day_give_equal_bits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(at_once, DAY)
    by_day = JobContext(since(DAY.plus(-3)), folder / "other")
    run(by_day, *DAY.plus(-3).through(DAY))
    mine, theirs = state_digests(at_once), state_digests(by_day)
    assert mine == {name: theirs[name] for name in mine}
    assert len(mine) == 7
    for space in ("teacher", "package", "section"):
        files = [root / "idmaps" / "lessons" / f"{space}.json" for root in (folder / "root", folder / "other")]
        assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("dies_at", "call"),
    [("extract", 1), ("extract", 2), ("validate", 1), ("rows", 0), ("maps artefact", 0), ("map", 0), ("state", 0),
     *((at, call) for at in ("map", "state", "maps artefact") for call in (1, 2))],
)  # fmt: skip
def test_a_pass_that_dies_anywhere_ends_with_the_same_bits(
    folder: Path, monkeypatch: pytest.MonkeyPatch, dies_at: str, call: int
) -> None:
    whole = JobContext(since(DAY.plus(-3)), folder / "whole")
    context(folder, monkeypatch)
    run(whole, DAY)

    job = JobContext(since(DAY.plus(-3)), folder / "root")
    target: Any = {
        "map": (type(IdMapStore.of(job)), "add_days"), "state": (StateStore, "commit"),
        "maps artefact": (growth, "_commit_maps"), "extract": (stages, "extract"), "validate": (stages, "validate"),
        "rows": (joined, "join"),
    }[dies_at]  # fmt: skip
    real = getattr(*target)
    calls = 0

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > call:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(*target, dying)
        with pytest.raises(KeyboardInterrupt):
            run(job, DAY)
    again = JobContext(config(), folder / "root")  # what was asked for once need not be said again
    run(again, DAY)
    assert state_digests(again) == state_digests(whole)
    assert teachers(again) == teachers(whole)


def generations(job: JobContext, day: Day) -> dict[str, int]:
    refs = {kind: Ref(kind, job.job, day) for kind in ("rows", "state", "maps", "features")}
    return {kind: len(job.store.generations(ref)) for kind, ref in refs.items()}


def test_rows_of_a_root_that_has_none_are_joined_and_nothing_else_is_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY)
    digests, rows = state_digests(job), job.store.current(Ref("rows", job.job, DAY))
    assert rows is not None
    shutil.rmtree(folder / "root" / "rows")
    fresh = context(folder, monkeypatch, since(DAY.plus(-3)))
    with pytest.raises(ChainError, match=f"no rows of this day yet; .* stage update_id_maps --job lessons --day {DAY}"):
        build_day(fresh, DAY, reprocess=True)
    run(fresh, DAY)
    assert generations(fresh, DAY) == {"rows": 1, "state": 1, "maps": 1, "features": 1}
    again = fresh.store.current(Ref("rows", job.job, DAY))
    assert again is not None
    assert again.manifest.digest == rows.manifest.digest
    build_day(fresh, DAY, reprocess=True)
    assert state_digests(fresh) == digests


def test_rows_that_were_pruned_are_joined_where_the_day_is_mapped_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY)
    digests, rows = state_digests(job), job.store.current(Ref("rows", job.job, DAY))
    assert rows is not None
    job.store.prune(rows)
    run(job, DAY)
    assert generations(job, DAY) == {"rows": 1, "state": 1, "maps": 1, "features": 1}
    job.store.taint(Ref("maps", job.job, DAY), "by hand")
    update_id_maps(job, DAY)
    assert generations(job, DAY) == {"rows": 2, "state": 1, "maps": 2, "features": 1}
    assert state_digests(job) == digests


def test_a_day_of_the_one_pass_gets_rows_only_once_it_is_built_from(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY)
    assert job.store.days("rows", job.job) == [DAY]
    digests = state_digests(job)
    grow(job, DAY.plus(-2), reprocess=True)
    assert job.store.days("rows", job.job) == [DAY]
    run(job, DAY.plus(-2))
    assert job.store.days("rows", job.job) == [DAY.plus(-2), DAY]
    assert job.store.days("features", job.job) == [DAY.plus(-2), DAY]
    found = state_digests(job)
    assert {name: found[name] for name in digests} == digests


def test_growth_reads_committed_tables_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    extract(job, DAY)
    validate(job, DAY)
    command = f"stage update_id_maps --job lessons --day {DAY}`, which reads such days first"
    with pytest.raises(DataError, match=rf"{DAY.plus(-3)}: nothing is validated .* {command}"):
        grow(job, DAY)
    assert job.store.days("extract", job.job) == [DAY]
    assert job.store.days("maps", job.job) == []


def test_features_are_built_of_committed_rows_maps_and_state_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY)
    digests = state_digests(job)
    for kind in ("extract", "validated"):
        shutil.rmtree(folder / "root" / kind)
    shutil.rmtree(folder / "tables")
    assert build_day(JobContext(job.config, job.root), DAY, reprocess=True) is not None
    assert state_digests(job) == digests


def test_rows_of_another_reading_than_the_maps_build_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY)
    write_day(folder, DAY, {"homework": lessons.table("homework", (507, 9507, 5, [10], [101], 1, 7))})
    extract(job, DAY, reprocess=True)
    validate(job, DAY, reprocess=True)
    with monkeypatch.context() as patch:
        patch.setattr(growth, "_grow_batch", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            grow(job, DAY)
    assert generations(job, DAY)["rows"] == 2
    with pytest.raises(ChainError, match="stage update_id_maps --job lessons"):
        build_day(job, DAY)
    run(job, DAY)
    assert teachers(job)[-1] == 507


def test_a_repeat_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY)
    before = {path: path.stat().st_mtime_ns for path in (folder / "root").rglob("*.json")}
    run(JobContext(since(DAY.plus(-3)), folder / "root"), DAY)
    assert {path: path.stat().st_mtime_ns for path in (folder / "root").rglob("*.json")} == before


def test_a_hole_is_told_with_the_command_that_fills_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch)
    run(job, DAY.plus(-3))
    extract(job, DAY)
    validate(job, DAY)
    hole = rf"day {DAY.plus(-2)} is neither mapped nor skipped.*backfill --job lessons --from {DAY.plus(-2)} --to {DAY}"
    with pytest.raises(ChainError, match=hole):
        grow(job, DAY)
    assert teachers(job) == [501, 505, 502]


def test_a_hole_after_the_first_trained_day_is_not_filled_silently(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(job, DAY.plus(-3))
    extract(job, DAY)
    validate(job, DAY)
    with pytest.raises(ChainError, match="neither mapped nor skipped"):
        grow(job, DAY)


def test_days_before_the_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch)
    run(job, DAY.plus(-2))
    extract(job, DAY.plus(-3))
    validate(job, DAY.plus(-3))
    with pytest.raises(ChainError, match=f"before the feature state's start {DAY.plus(-2)}"):
        grow(job, DAY.plus(-3))
    late = JobContext(since(DAY.plus(-3)), folder / "root")
    with pytest.raises(ChainError, match="comes too late"):
        grow(late, DAY)
    with pytest.raises(UsageError, match=f"before state_from {DAY}"):
        grow(JobContext(since(DAY), folder / "third"), DAY.plus(-2))


def test_a_damaged_record_of_the_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch)
    run(job, DAY.plus(-3))
    (folder / "root" / "maps" / "lessons" / "start.json").write_text("{")
    with pytest.raises(CorruptArtifact, match=r"start\.json: damaged"):
        grow(job, DAY.plus(-2))


def test_a_skipped_day_grows_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch)
    run(job, DAY.plus(-2))
    extract(job, DAY.plus(-1))
    assert grow(job, DAY.plus(-1)) is None
    assert stage("build_features").run(job, DAY.plus(-1)) is None


def test_stages_out_of_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(folder, monkeypatch)
    with pytest.raises(DataError, match="nothing is validated"):
        grow(job, DAY)
    extract(job, DAY)
    validate(job, DAY)
    with pytest.raises(ChainError, match="stage update_id_maps --job lessons"):
        build_day(job, DAY)


def test_last_year_is_replayed_and_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    past = DAY.year_before()
    write_undated(tmp_path)
    for day in (past.previous(), past, DAY):
        write_day(tmp_path, day, DATED)
    job = context(tmp_path, monkeypatch, since(past.previous()))
    run(job, DAY)
    features = job.store.current(Ref("features", job.job, DAY))
    assert features is not None
    assert arrays.replays(features) == [(f"replay-{past}", past)]
    replayed, own = arrays.read(features, f"replay-{past}"), arrays.read(features)
    assert (replayed.requests, own.requests) == (2, 2)
    # Of the three packages set on `past`, one is among the candidates.
    assert np.add.reduceat(replayed.label[:, 0] == 1, replayed.offsets[:-1], dtype=int).tolist() == [1, 0]
    # Packages set on the day before `past`, and on it too by the time of DAY.
    place = own.layout.pair_dense["teacher_taken"].start
    assert replayed.pair_dense[:, place].tolist() == [2, 2, 2, 1, 1, 1]
    assert own.pair_dense[:, place].tolist() == [4, 4, 4, 2, 2, 2]

    # Of county 70 and grade 5, section 12 was set by two classes, 11 by two, 21 by one: ties by key, two are kept.
    windows = last_sections(own)
    sections = IdMapStore.of(job).read("section", "int")
    for request in range(2):
        assert sections.raw(windows[request, 2][windows[request, 2] > 0]).tolist() == [11, 12]
        assert not windows[request, :2].any()
    # Nothing is known of the year before last, which is what would stand in for the replayed rows.
    assert not last_sections(replayed).any()


def last_sections(found: Any) -> Any:
    place = found.layout.request_ids["last_sections"]
    return found.request_ids[:, place.start : place.stop].reshape(found.requests, *place.shape)


def test_what_was_counted_is_never_read_as_of_other_ids(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = context(folder, monkeypatch, since(DAY.plus(-3)))
    run(first, DAY.plus(-3), DAY.plus(-2), DAY.plus(-1))
    dump = first.config.model_dump(mode="json", by_alias=True)
    teacher = dump["features"]["teacher"]
    changes: list[dict[str, Any]] = [
        {"features": {**dump["features"], "package": {**dump["features"]["package"], "space": "bundle"}}},
        {"features": {**dump["features"], "teacher": {**teacher, "digits": {"of": 3, "at": 1}},
                      "user": {**teacher, "input": False}}},
    ]  # fmt: skip
    for change, told in zip(changes, ("features.package is of space bundle", "features.teacher is of"), strict=True):
        spaces = {**dump["spaces"], "bundle": "str"}
        other = JobContext(type(first.config).model_validate({**dump, "spaces": spaces, **change}), first.root)
        extract(other, DAY)
        validate(other, DAY)
        with pytest.raises(ChainError, match=rf"{told}.*Give the changed feature another name"):
            grow(other, DAY)
        assert other.store.current(Ref("state", other.job, DAY)) is None
    run(JobContext(first.config, first.root), DAY)
