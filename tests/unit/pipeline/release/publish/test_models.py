from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CorruptArtifact
from pipeline.release.publish.models import LOADABLE, Models
from pipeline.release.publish.release_files import Pointer
from pipeline.storage.objects.folder import FolderStore
from tests.integration.releases import pointer_to


def saved_model(folder: Path, text: str) -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / LOADABLE).write_text(f"graph {text}")
    (folder / "variables" / "variables.index").write_text(f"index {text}")
    (folder / "variables" / "variables.data-00000-of-00001").write_text(f"weights {text}")
    return folder


class Recorder(FolderStore):
    """Records the order of writes, and dies before the n-th."""

    def __init__(self, folder: Path, dies_at: int | None = None) -> None:
        super().__init__(folder)
        self.written: list[str] = []
        self.dies_at = dies_at

    def _write(self, key: str) -> None:
        if self.dies_at is not None and len(self.written) == self.dies_at:
            raise KeyboardInterrupt
        self.written.append(key)

    def put(self, key: str, data: bytes) -> None:
        self._write(key)
        super().put(key, data)

    def put_file(self, key: str, path: Path) -> None:
        self._write(key)
        super().put_file(key, path)


def test_the_file_that_makes_a_version_loadable_goes_last(tmp_path: Path) -> None:
    store = Recorder(tmp_path / "store")
    version = Models(store, "ads").upload(saved_model(tmp_path / "m", "a"), day=20240301, export="e1")
    assert version == 2024030101
    assert store.written[-1] == f"ads/models/{version}/{LOADABLE}"
    assert (tmp_path / "store" / "ads" / "models" / str(version) / "variables" / "variables.index").is_file()


@pytest.mark.parametrize("dies_at", [0, 1, 2, 3])
def test_an_interrupted_upload_is_completed_under_the_same_version(tmp_path: Path, dies_at: int) -> None:
    model = saved_model(tmp_path / "m", "a")
    with pytest.raises(KeyboardInterrupt):
        Models(Recorder(tmp_path / "s", dies_at), "ads").upload(model, day=20240301, export="e1")
    models = Models(FolderStore(tmp_path / "s"), "ads")
    assert models.versions() == []
    assert models.upload(model, day=20240301, export="e1") == 2024030101
    assert models.versions() == [2024030101]
    assert models.verified(2024030101)


def test_the_same_model_keeps_its_version_and_another_gets_a_larger_one(tmp_path: Path) -> None:
    models = Models(FolderStore(tmp_path / "s"), "ads")
    first, second = saved_model(tmp_path / "a", "a"), saved_model(tmp_path / "b", "b")
    assert models.upload(first, day=20240301, export="e1") == 2024030101
    assert models.upload(first, day=20240302, export="e1") == 2024030101  # the gate kept it
    assert models.upload(second, day=20240301, export="e2") == 2024030102
    assert models.upload(first, day=20240228, export="e1") == 2024030103  # TensorFlow Serving loads the largest


def test_a_changed_file_is_found_and_never_passes_for_the_model(tmp_path: Path) -> None:
    models = Models(FolderStore(tmp_path / "s"), "ads")
    version = models.upload(saved_model(tmp_path / "a", "a"), day=20240301, export="e1")
    assert models.verified(version)
    (tmp_path / "s" / "ads" / "models" / str(version) / "variables" / "variables.index").write_text("other")
    assert not models.verified(version)
    assert not models.verified(1)


def exchange(one: Path, other: Path, _: Path) -> None:
    one.rename(one.with_name("kept"))
    other.rename(one)


def exchange_files(one: Path, other: Path, _: Path) -> None:
    """All but the note beside them, which goes on saying what was uploaded."""
    for path in other.rglob("*"):
        if path.is_file() and path.name != "release.json":
            (one / path.relative_to(other)).write_bytes(path.read_bytes())


def exchange_weights(one: Path, other: Path, _: Path) -> None:
    name = "variables/variables.data-00000-of-00001"
    (one / name).write_bytes((other / name).read_bytes())


def exchange_note(one: Path, other: Path, _: Path) -> None:
    (one / "release.json").write_bytes((other / "release.json").read_bytes())


def add_graph(one: Path, other: Path, _: Path) -> None:
    """TensorFlow loads this one where both are there."""
    (one / "saved_model.cpb").write_bytes((other / LOADABLE).read_bytes())


def take_from_another_place(one: Path, _: Path, elsewhere: Path) -> None:
    """Another experiment's model that has the same number, of another day's count of uploads."""
    shutil.rmtree(one)
    shutil.copytree(elsewhere / "ads" / "models" / one.name, one)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (exchange, "is another one than it means"),
        (exchange_files, "is not whole"),
        (exchange_weights, "is not whole"),
        (exchange_note, "is another one than it means"),
        (add_graph, r"holds what was not uploaded: saved_model\.cpb"),
        (take_from_another_place, "is another one than it means"),
    ],
)
def test_another_model_under_the_number_is_no_answer(tmp_path: Path, act: Any, told: str) -> None:
    models = Models(FolderStore(tmp_path / "s"), "ads")
    version = models.upload(saved_model(tmp_path / "a", "a"), day=20240301, export="e1")
    other = models.upload(saved_model(tmp_path / "b", "b"), day=20240301, export="e2")
    pointer = pointer_to(models, version)
    assert models.fault(pointer) is None
    assert (models.local(pointer) / LOADABLE).read_text() == "graph a"
    elsewhere = Models(FolderStore(tmp_path / "t"), "ads")
    assert elsewhere.upload(saved_model(tmp_path / "c", "c"), day=20240301, export="e3") == version
    folder = tmp_path / "s" / "ads" / "models"
    act(folder / str(version), folder / str(other), tmp_path / "t")
    assert re.search(told, str(models.fault(pointer)))
    with pytest.raises(CorruptArtifact, match=r"release r: .*stage publish --job ads --day 2024-03-01") as caught:
        models.local(pointer)
    assert re.search("another one than|missing or was changed|not uploaded", str(caught.value))


def test_a_pointer_that_does_not_say_which_model_it_means_is_no_answer(tmp_path: Path) -> None:
    models = Models(FolderStore(tmp_path / "s"), "ads")
    version = models.upload(saved_model(tmp_path / "a", "a"), day=20240301, export="e1")
    before = pointer_to(models, version).to_json()
    text = before.replace(b',"model":"' + models.digest(version).encode() + b'"', b"")
    assert text != before
    old = Pointer.from_json(text, "test")
    with pytest.raises(CorruptArtifact, match=r"does not say which model it means; .*stage publish --job ads"):
        models.local(old)
    assert "earlier version" in str(models.fault(old))


def test_a_later_versions_pointer_is_read(tmp_path: Path) -> None:
    models = Models(FolderStore(tmp_path / "s"), "ads")
    models.upload(saved_model(tmp_path / "a", "a"), day=20240301, export="e1")
    pointer = pointer_to(models, 2024030101)
    assert Pointer.from_json(pointer.to_json()[:-1] + b',"new":1}', "test") == pointer


def test_a_damaged_newest_version_is_never_mended_in_place(tmp_path: Path) -> None:
    models, model = Models(FolderStore(tmp_path / "s"), "ads"), saved_model(tmp_path / "a", "a")
    version = models.upload(model, day=20240301, export="e1")
    (tmp_path / "s" / "ads" / "models" / str(version) / LOADABLE).write_text("other")
    assert models.upload(model, day=20240301, export="e1") == version + 1  # a service may have the old one loaded
    assert models.verified(version + 1)


def test_what_a_killed_upload_left_goes_with_the_next_prune(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "s")
    folder = tmp_path / "s" / "ads" / "models" / "2024030101"
    folder.mkdir(parents=True)
    (folder / ".saved_model.pb.123.uploading").write_text("half")
    assert store.drop_unfinished("ads/models/") == 1
    assert not list(folder.iterdir())


def test_pruning_keeps_the_newest_and_what_is_served(tmp_path: Path) -> None:
    models = Models(FolderStore(tmp_path / "s"), "ads")
    versions = [
        models.upload(saved_model(tmp_path / str(i), str(i)), day=20240301 + i, export=str(i)) for i in range(6)
    ]
    assert models.prune({versions[0]}, newest=2) == versions[1:4]
    assert models.versions() == [versions[0], *versions[4:]]
    assert not (tmp_path / "s" / "ads" / "models" / str(versions[1])).exists()
    assert models.prune(set(), newest=5) == []


def test_a_model_that_cannot_be_loaded_is_not_uploaded(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    models = Models(FolderStore(tmp_path / "s"), "ads")
    with pytest.raises(CorruptArtifact, match=r"saved_model\.pb"):
        models.upload(tmp_path / "m", day=20240301, export="e1")
    with pytest.raises(CorruptArtifact, match=r"is not there; .*stage publish --job ads --day 2024-03-01"):
        models.local(pointer_to(models, 7))
