from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pipeline.process import pid_files


def test_a_process_is_named_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.pid"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        pid_files.write(path, process.pid)
        assert pid_files.running(path) == process.pid
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it stays as a zombie
        assert pid_files.running(path) is None
    pid_files.write(tmp_path / "ended.pid", process.pid)
    assert not (tmp_path / "ended.pid").exists()


def test_a_clock_that_is_set_changes_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    began = pid_files.started(os.getpid())
    real_start, real_boot = psutil.Process.create_time, psutil.boot_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: real_start(process) + 3600)
    monkeypatch.setattr(psutil, "boot_time", lambda: real_boot() + 3600)
    assert pid_files.started(os.getpid()) == began


def test_another_process_of_the_same_number_is_not_meant(tmp_path: Path) -> None:
    began = pid_files.started(os.getpid())
    assert began is not None
    (tmp_path / "a.pid").write_text(f"{os.getpid()} {began - 1}\n")
    assert pid_files.running(tmp_path / "a.pid") is None


def test_a_file_of_an_earlier_version_names_its_process(tmp_path: Path) -> None:
    (tmp_path / "a.pid").write_text(f"{os.getpid()} {psutil.Process().create_time()!r}\n")
    assert pid_files.running(tmp_path / "a.pid") == os.getpid()


@pytest.mark.parametrize("text", ["", "12", "a b", "1 2 3"])
def test_a_file_that_names_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.pid").write_text(text)
    assert pid_files.named(tmp_path / "a.pid") is None
    assert pid_files.named(tmp_path / "missing.pid") is None


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_start_is_what_the_kernel_says() -> None:
    # Records of owners that stand on disk hold this number.
    stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    assert pid_files.started(os.getpid()) == int(stat[19])
