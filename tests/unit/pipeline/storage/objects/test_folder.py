"""Objects in a folder: whole or not there."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from pipeline.storage.objects.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def test_what_is_put_is_got_and_listed_in_order(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    store.put("m/2/b", b"two")
    store.put_file("m/10/a", tmp_path / "file")
    store.put("other", b"")
    found = [store.get(key) for key in ("m/10/a", "m/2/b", "m/2", "gone")]
    assert found == [b"abc", b"two", None, None]
    assert list(store.list("m")) == ["m/10/a", "m/2/b"]
    assert list(store.list("nowhere")) == []
    assert store.local("m/10", {}) / "a" == tmp_path / "objects" / "m" / "10" / "a"
    assert store.holds("m/10/a", hashlib.sha256(b"abc").hexdigest())
    assert not store.holds("m/10/a", hashlib.sha256(b"abd").hexdigest())
    assert not store.holds("gone", hashlib.sha256(b"").hexdigest())


def test_the_last_object_of_a_folder_takes_it_along(store: FolderStore, tmp_path: Path) -> None:
    store.put("m/1/a", b"")
    store.put("m/2/a", b"")
    store.delete("m/1/a")
    store.delete("m/1/a")
    assert [path.name for path in (tmp_path / "objects" / "m").iterdir()] == ["2"]
    store.delete("m/2/a")
    assert list((tmp_path / "objects").iterdir()) == []


def test_what_is_being_written_is_no_object(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"new")
    store.put("m/a", b"old")
    copy = shutil.copyfile

    def dies(source: Path, target: Path) -> None:
        copy(source, target)
        assert (list(store.list("m")), store.get("m/a")) == (["m/a"], b"old")
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfile", dies)
    with pytest.raises(KeyboardInterrupt):
        store.put_file("m/a", tmp_path / "file")
    assert [path.name for path in (tmp_path / "objects" / "m").iterdir()] == ["a"]


def test_uploads_of_killed_processes_are_dropped(store: FolderStore, tmp_path: Path) -> None:
    store.put("m/1/a", b"")
    (tmp_path / "objects" / "m" / "1" / ".b.77.uploading").write_bytes(b"half")
    assert list(store.list("m")) == ["m/1/a"]
    assert store.drop_unfinished("m") == 1
    assert store.drop_unfinished("m") == 0
    assert list(store.list("m")) == ["m/1/a"]
