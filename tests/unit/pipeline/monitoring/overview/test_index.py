from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from pathlib import Path

import pytest

from benchmarks.school_year import JOB
from pipeline.days import Day
from pipeline.monitoring.overview.index import Index
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.manifest import Manifest
from pipeline.storage.artifacts.store import ArtifactStore
from tests.unit.pipeline.said import said

FIRST = Day.of(2024, 1, 1)
TENTH = FIRST.plus(9)


def refreshed(root: Path) -> Index:
    index = Index(root, JOB)
    index.refresh()
    return index


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Paths of the manifests that are read."""
    found: list[Path] = []
    read = Manifest.read.__func__  # type: ignore[attr-defined]

    def noted(cls: type[Manifest], path: Path) -> Manifest:
        found.append(path)
        manifest: Manifest = read(cls, path)
        return manifest

    monkeypatch.setattr(Manifest, "read", classmethod(noted))
    return found


def test_it_answers_as_the_store_does(root: Path) -> None:
    index, store = refreshed(root), ArtifactStore(root)
    for kind in ("checkpoint", "test", "gate", "check"):
        assert index.experiments(kind, JOB) == store.experiments(kind, JOB) == ["experiment_1", "experiment_2"]
        assert index.days(kind, JOB, "experiment_2") == store.days(kind, JOB, "experiment_2")
    for ref in (Ref("maps", JOB, TENTH), Ref("checkpoint", JOB, TENTH, "experiment_1")):
        ours, theirs = index.current(ref), store.current(ref)
        assert ours is not None
        assert theirs is not None
        assert (ours.id, ours.path, ours.manifest.digest) == (theirs.id, theirs.path, theirs.manifest.digest)
        assert ours.manifest.inputs == theirs.manifest.inputs
    assert index.current(Ref("maps", JOB, FIRST.plus(-1))) is None
    assert index.days("maps", "another") == []
    assert index.damaged() == []


def test_a_second_look_reads_nothing(root: Path, reads: list[Path]) -> None:
    index = refreshed(root)
    assert len(reads) > 500
    reads.clear()
    assert index.refresh() is False
    assert index.version == 1
    assert reads == []


def test_a_new_process_starts_from_what_an_earlier_one_left(root: Path, reads: list[Path]) -> None:
    before = refreshed(root)
    reads.clear()
    after = refreshed(root)
    assert reads == []
    ref = Ref("test", JOB, TENTH, "experiment_1")
    assert after.current(ref) == before.current(ref)
    assert after.bytes_by_kind() == before.bytes_by_kind()


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"format": 0}', b'{"format": 1, "series": [{"kind": 3}]}'])
def test_a_file_that_cannot_be_understood_is_made_anew(root: Path, left: bytes) -> None:
    whole = refreshed(root)
    whole.path.write_bytes(left)
    again = refreshed(root)
    assert again.bytes_by_kind() == whole.bytes_by_kind()
    assert json.loads(again.path.read_bytes())["series"]


def test_a_root_that_cannot_be_written_to_is_read_all_the_same(root: Path) -> None:
    (root / "overview").write_text("no folder", encoding="utf-8")
    assert refreshed(root).days("maps", JOB)


def test_only_what_changed_is_read_again(root: Path, reads: list[Path]) -> None:
    index = refreshed(root)
    store = ArtifactStore(root)
    ref = Ref("checkpoint", JOB, TENTH, "experiment_1")
    with store.draft(ref) as draft:
        draft.commit(key="another", digest="another", inputs=[], extra=said("checkpoint"))
    reads.clear()
    assert index.refresh() is True
    assert {path.parent.parent for path in reads} == {root / str(ref)}
    now = index.current(ref)
    assert now is not None
    assert now.generation == 2


def test_marks_prunes_and_removals_are_seen(root: Path) -> None:
    index, store = refreshed(root), ArtifactStore(root)
    ref = Ref("checkpoint", JOB, TENTH, "experiment_1")
    store.taint(ref, "half of the log was missing")
    assert index.refresh() is True
    assert index.taint_reason(ref) == "half of the log was missing"
    artifact = store.current(ref)
    assert artifact is not None
    store.prune(artifact)
    assert index.refresh() is True
    pruned = index.current(ref)
    assert pruned is not None
    assert pruned.manifest.pruned
    shutil.rmtree(root / str(ref))
    assert index.refresh() is True
    assert index.current(ref) is None


def test_damage_is_left_out_and_named(root: Path) -> None:
    index = refreshed(root)
    manifest = root / f"test/{JOB}/experiment_1/day={TENTH}/gen=0001/manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8")[:200], encoding="utf-8")
    (root / f"gate/{JOB}/experiment_1/day={TENTH}/current").write_text("gen=x\n", encoding="ascii")
    (root / f"maps/{JOB}/day={TENTH}/gen=0001/manifest.json").unlink()
    shutil.rmtree(root / f"state/{JOB}/day={TENTH}/gen=0001")
    wrong = root / f"validated/{JOB}/day={TENTH}/gen=0001/manifest.json"
    record = json.loads(wrong.read_text(encoding="utf-8"))
    record["extra"] = {"counts": {"homework": "many"}}
    wrong.write_text(json.dumps(record), encoding="utf-8")
    (root / f"export/{JOB}/experiment_1/day=2024-02-31").mkdir()
    staging = root / f"features/{JOB}/.staging.day={TENTH}.999999999.1.abcdef01.{socket.gethostname()}"
    staging.mkdir()
    assert index.refresh() is True
    damaged = {each["path"]: each["problem"] for each in index.damaged()}
    assert set(damaged) == {
        f"test/{JOB}/experiment_1/day={TENTH}", f"gate/{JOB}/experiment_1/day={TENTH}", f"maps/{JOB}/day={TENTH}",
        f"state/{JOB}/day={TENTH}", f"validated/{JOB}/day={TENTH}", f"export/{JOB}/experiment_1/day=2024-02-31",
        str(staging.relative_to(root)),
    }  # fmt: skip
    assert str(manifest) in damaged[f"test/{JOB}/experiment_1/day={TENTH}"]
    assert "extra.counts.homework is damaged" in damaged[f"validated/{JOB}/day={TENTH}"]
    assert "half-written" in damaged[str(staging.relative_to(root))]
    assert index.current(Ref("test", JOB, TENTH, "experiment_1")) is None
    assert index.current(Ref("test", JOB, TENTH.next(), "experiment_1")) is not None
    version = index.version
    assert index.refresh() is False, "damage that stays is no change"
    assert index.version == version
    assert refreshed(root).damaged() == index.damaged()


def test_what_was_mended_is_shown_again(root: Path) -> None:
    manifest = root / f"maps/{JOB}/day={TENTH}/gen=0001/manifest.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(b"{")
    index = refreshed(root)
    assert len(index.damaged()) == 1
    manifest.write_bytes(whole)
    assert index.refresh() is True
    assert index.damaged() == []
    assert index.current(Ref("maps", JOB, TENTH)) is not None


def test_what_changes_within_a_tick_of_the_clock_is_not_missed(root: Path) -> None:
    index = refreshed(root)
    ref = Ref("checkpoint", JOB, TENTH, "experiment_1")
    store, folder = ArtifactStore(root), root / str(ref)
    with store.draft(ref) as draft:
        draft.commit(key="second", digest="second", inputs=[], extra=said("checkpoint"))
    stamp = folder.stat().st_mtime_ns
    index.refresh()
    with store.draft(ref) as draft:
        draft.commit(key="third", digest="third", inputs=[], extra=said("checkpoint"))
    # As where both commits fall into one tick.
    os.utime(folder, ns=(stamp, stamp))
    index.refresh()
    now = index.current(ref)
    assert now is not None
    assert now.manifest.digest == "third"


def test_processes_that_look_at_once_leave_a_whole_file(root: Path) -> None:
    threads = [threading.Thread(target=lambda: refreshed(root)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = list((root / "overview").iterdir())
    assert [path.name for path in files] == [f"{JOB}.json"]
    assert json.loads(files[0].read_bytes())["series"]
