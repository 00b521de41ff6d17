from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pipeline.errors import DayspringError
from pipeline.storage.files import clear_temporaries, disk_errors, link_or_copy, write_atomic


def test_write_atomic_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_failed_write_keeps_the_old_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DayspringError, match=rf"{path}: the disk is full \(\d+ bytes free\)"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_clear_temporaries_removes_only_those_of_the_file(tmp_path: Path) -> None:
    for name in (".file.1.ab.tmp", ".other.1.ab.tmp", "file"):
        (tmp_path / name).touch()
    clear_temporaries(tmp_path / "file")
    assert sorted(each.name for each in tmp_path.iterdir()) == [".other.1.ab.tmp", "file"]


def test_other_errors_pass_a_full_disks_net(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), disk_errors(tmp_path):
        raise PermissionError("no")
    with pytest.raises(DayspringError, match="disk is full"), disk_errors(tmp_path / "not" / "there"):
        raise RuntimeError("RESOURCE_EXHAUSTED: x; No space left on device")


def test_a_link_is_the_same_file_and_a_copy_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = tmp_path / "earlier"
    earlier.write_bytes(b"rows")
    link_or_copy(earlier, tmp_path / "linked")
    assert (tmp_path / "linked").samefile(earlier)

    def refused(*_: object) -> None:
        raise OSError(errno.EMLINK, "Too many links")

    monkeypatch.setattr("os.link", refused)
    link_or_copy(earlier, tmp_path / "copied")
    assert (tmp_path / "copied").read_bytes() == b"rows"
    assert not (tmp_path / "copied").samefile(earlier)
