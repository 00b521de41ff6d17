from __future__ import annotations

import errno
import json
import multiprocessing
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import CorruptArtifact, DayspringError, UsageError
from pipeline.storage.artifacts import store as artifacts
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.locks import Owner
from tests.unit.pipeline.crashes import crash_at_every_step

DAY = Day.of(2024, 3, 1)
REF = Ref("features", "ads", DAY)
CHECKPOINT = Ref("checkpoint", "ads", DAY, "din")


def commit(store: ArtifactStore, ref: Ref = REF, text: str = "rows", **more: object) -> Artifact:
    with store.draft(ref) as draft:
        (draft.path / "ids.npy").write_text(text)
        (draft.path / "model").mkdir()
        (draft.path / "model" / "weights").write_text(text * 2)
        return draft.commit(key=f"key {text}", digest=f"digest {text}", inputs=[], **more)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "root")


def test_what_is_committed_is_read_back(store: ArtifactStore) -> None:
    with store.draft(CHECKPOINT) as draft:
        (draft.path / "weights").write_bytes(b"12345")
        done = draft.commit(
            key="k",
            digest="d",
            inputs=[Input("features/ads/day=2024-03-01/gen=0001", "f")],
            settings="s",
            rows={"train": 5},
            timings={"train": 0.5},
            seed=7,
            threads=2,
            tensors={"emb_user": "t"},
            extra={"sizes": {"user": 4}},
        )
    assert done.id == "checkpoint/ads/din/day=2024-03-01/gen=0001"
    assert done.path == store.root / done.id
    found = store.current(CHECKPOINT)
    assert found == done == store.load(done.id)
    assert found is not None
    manifest = found.manifest
    assert manifest.files == {"weights": 5}
    assert (manifest.key, manifest.digest, manifest.settings, manifest.seed, manifest.threads) == ("k", "d", "s", 7, 2)
    assert manifest.inputs == [Input("features/ads/day=2024-03-01/gen=0001", "f")]
    assert manifest.owner == {"pid": os.getpid(), "host": Owner.this().host}
    assert manifest.code_version
    assert manifest.created_at.endswith("+00:00")
    assert found.as_input() == Input(done.id, "d")


def test_nothing_is_seen_before_the_commit_nor_left_without_one(store: ArtifactStore) -> None:
    with store.draft(REF) as draft:
        (draft.path / "ids.npy").write_text("x")
        assert store.current(REF) is None
        assert store.days("features", "ads") == []
    assert not draft.path.exists()
    with pytest.raises(RuntimeError), store.draft(REF) as draft:
        raise RuntimeError
    assert not draft.path.exists()
    assert store.current(REF) is None


def test_a_new_generation_becomes_current_and_the_old_one_stays(store: ArtifactStore) -> None:
    first = commit(store, text="a")
    second = commit(store, text="b")
    assert [each.generation for each in store.generations(REF)] == [1, 2]
    assert store.current(REF) == second
    assert first.file("ids.npy").read_text() == "a"
    assert store.load(first.id) == first


def test_a_draft_is_committed_once(store: ArtifactStore) -> None:
    with store.draft(REF) as draft:
        draft.commit(key="k", digest="d", inputs=[])
        with pytest.raises(UsageError, match="committed already"):
            draft.commit(key="k", digest="d", inputs=[])
    with store.draft(REF) as draft:
        (draft.path / "manifest.json").write_text("{}")
        with pytest.raises(UsageError, match="choose another"):
            draft.commit(key="k", digest="d", inputs=[])


def test_a_skipped_day_is_an_artefact_without_files(store: ArtifactStore) -> None:
    with store.draft(REF) as draft:
        draft.commit(key="k", digest="d", inputs=[], state="skipped", reason="all sources are empty")
    found = store.current(REF)
    assert found is not None
    assert (found.manifest.state, found.manifest.reason) == ("skipped", "all sources are empty")


def test_files_are_checked_against_the_manifest(store: ArtifactStore) -> None:
    done = commit(store)
    assert done.file("ids.npy").read_text() == "rows"
    assert done.file("model").is_dir()
    with pytest.raises(CorruptArtifact, match="holds no 'nothing'"):
        done.file("nothing")
    (done.path / "model" / "weights").write_text("row")
    with pytest.raises(CorruptArtifact, match=r"model/weights: 3 bytes where the manifest says 8; restore it"):
        done.file("model")
    (done.path / "ids.npy").unlink()
    with pytest.raises(CorruptArtifact, match=r"ids\.npy: the file is missing"):
        done.file("ids.npy")


def test_days_ascending_and_latest_before(store: ArtifactStore) -> None:
    days = [Day.of(2024, 2, 28), Day.of(2024, 3, 1), Day.of(2023, 12, 31)]
    for day in days:
        commit(store, Ref("checkpoint", "ads", day, "din"))
    commit(store, Ref("checkpoint", "ads", Day.of(2024, 2, 29), "other"))
    assert store.days("checkpoint", "ads", "din") == sorted(days)
    assert store.days("checkpoint", "ads") == []
    latest = store.latest_before("checkpoint", "ads", Day.of(2024, 3, 1), "din")
    assert latest is not None
    assert latest.ref.day == Day.of(2024, 2, 28)
    assert store.latest_before("checkpoint", "ads", Day.of(2023, 12, 31), "din") is None


def test_no_manifest_no_artefact(store: ArtifactStore) -> None:
    done = commit(store)
    (done.path / "manifest.json").unlink()
    assert store.current(REF) is None
    assert store.load(done.id) is None
    assert store.days("features", "ads") == []
    assert commit(store).generation == 2


@pytest.mark.parametrize("text", ["", "gen=", "gen=00x1", "0001", "gen=0001\ngen=0002"])
def test_a_damaged_current_is_told(store: ArtifactStore, text: str) -> None:
    path = commit(store).path.parent / "current"
    path.write_text(text)
    with pytest.raises(CorruptArtifact, match=f"{path}: damaged .* write the name of the newest"):
        store.current(REF)


def test_a_damaged_or_moved_manifest_is_told(store: ArtifactStore) -> None:
    done = commit(store)
    path = done.path / "manifest.json"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CorruptArtifact, match=f"{path}: the manifest is damaged"):
        store.current(REF)
    path.write_bytes(data.replace(b"2024-03-01", b"2024-03-02"))
    with pytest.raises(CorruptArtifact, match="the manifest is that of features/ads/day=2024-03-02"):
        store.current(REF)


def test_prune_keeps_the_manifest(store: ArtifactStore) -> None:
    done = commit(store, text="abc", tensors={"t": "digest"})
    before = store.current(REF)
    assert before is not None
    assert store.prune(done) == 9
    found = store.current(REF)
    assert found is not None
    assert found.manifest.pruned
    assert found.manifest.tensors == {"t": "digest"}
    assert found.manifest.files == {"ids.npy": 3, "model/weights": 6}
    for artifact in (found, done, before):
        with pytest.raises(CorruptArtifact, match="was pruned, only its digests are kept"):
            artifact.file("ids.npy")
    assert store.prune(found) == 0
    assert [each.name for each in done.path.iterdir()] == ["manifest.json"]


def test_sizes_by_kind(store: ArtifactStore) -> None:
    commit(store)
    done = commit(store, CHECKPOINT)
    sizes = store.sizes("ads")
    assert set(sizes) == {"checkpoint", "features"}
    manifest = (done.path / "manifest.json").stat().st_size
    assert sizes["checkpoint"] == 4 + 8 + manifest + len("gen=0001\n")
    assert store.sizes("homework") == {}


def test_taint_holds_until_the_next_generation(store: ArtifactStore) -> None:
    with pytest.raises(UsageError, match="nothing to taint"):
        store.taint(REF, "x")
    commit(store)
    assert store.taint_reason(REF) is None
    store.taint(REF, "labels were wrong")
    assert store.taint_reason(REF) == "labels were wrong"
    commit(store)
    assert store.taint_reason(REF) is None


def test_a_disk_full_while_writing_a_draft(store: ArtifactStore) -> None:
    done = commit(store)
    with pytest.raises(DayspringError, match=r"day=2024-03-01.*the disk is full \(\d+ bytes free\)"), store.draft(REF):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert store.current(REF) == done
    assert _staging(store) == []


def _staging(store: ArtifactStore) -> list[Path]:
    return list(store.root.rglob(".staging*"))


@pytest.mark.parametrize("call", range(1, 8))
def test_a_disk_full_anywhere_in_a_commit(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    done = commit(store)
    real, calls = os.fsync, 0

    def full(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DayspringError, match="the disk is full"):
        commit(store, text="new")
    assert calls == call
    monkeypatch.setattr(os, "fsync", real)
    assert store.current(REF) == done
    assert _staging(store) == []
    assert [each.id for each in store.generations(REF)] == [done.id]
    assert commit(store, text="new").generation == 2


def test_a_commit_that_dies_at_any_step_leaves_the_old_or_the_new(store: ArtifactStore) -> None:
    commit(store, text="whole")
    seen: list[str] = []

    def check() -> None:
        found = store.current(REF)
        assert found is not None
        found.file("ids.npy")
        found.file("model")
        seen.append(found.manifest.digest)
        assert store.days("features", "ads") == [DAY]
        store.sweep()
        assert _staging(store) == []

    crashes = crash_at_every_step(lambda: commit(store, text="new"), check)
    assert crashes > 8
    assert seen[0] == "digest whole"
    assert seen == sorted(seen, reverse=True), "once the new one is current it stays so"


def _commit_many(root: str, times: int) -> None:
    for number in range(times):
        commit(ArtifactStore(Path(root)), text=f"{os.getpid()}.{number}")


def test_two_committers_never_collide(store: ArtifactStore) -> None:
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_commit_many, args=(str(store.root), 15)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    found = store.generations(REF)
    assert [each.generation for each in found] == list(range(1, 61))
    assert len({each.manifest.digest for each in found}) == 60
    assert all(each.file("ids.npy").read_text() == each.manifest.digest.removeprefix("digest ") for each in found)
    current = store.current(REF)
    assert current is not None
    assert current.generation == 60


def test_sweep_spares_the_living_and_other_hosts(store: ArtifactStore) -> None:
    here = Owner.this()
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    with store.draft(CHECKPOINT) as draft:
        folder = draft.path.parent

        def staging(pid: int, host: str) -> Path:
            path = folder / f".staging.day=2024-03-01.{pid}.5.abcd1234.{host}"
            path.mkdir()
            (path / "weights").write_text("x")
            return path

        gone, foreign, old = staging(dead.pid, here.host), staging(7, "far.away"), staging(8, "far.away")
        os.utime(old, (0, 0))
        assert store.sweep() == sorted([str(gone), str(old)])
        assert draft.path.exists()
        assert foreign.exists()
        draft.commit(key="k", digest="d", inputs=[])


def test_a_generation_that_never_became_current_is_not_overwritten(store: ArtifactStore) -> None:
    done = commit(store)
    # What a committer leaves that dies between its two renames.
    (done.path.parent / "gen=0002").mkdir()
    assert store.current(REF) == done
    assert commit(store).generation == 3


def test_the_module_imports_fast() -> None:
    code = (
        "import sys, pipeline.storage.artifacts.store; "
        "print(sorted({'pandas', 'pyarrow', 'numpy', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert artifacts.__doc__


def test_current_names_one_generation(store: ArtifactStore) -> None:
    done = commit(store)
    assert re.fullmatch(r"gen=0001\n", (done.path.parent / "current").read_text())
    assert json.loads((done.path / "manifest.json").read_text())["id"] == done.id
