from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import pytest

from pipeline.storage.daemon import Daemon, DaemonError


class Sleeper(Daemon):
    """Answers once it has made a file."""

    name = "sleeper"
    patience = 20.0
    program = "echo up; touch ready; exec sleep 300 >/dev/null"

    def prepare(self) -> None:
        (self.folder / "ready").unlink(missing_ok=True)

    def commands(self) -> Mapping[str, Sequence[str]]:
        return {self.name: ["sh", "-c", self.program]}

    def trouble(self) -> str | None:
        return None if (self.folder / "ready").exists() else "it is not ready"

    def advice(self, *, ended: bool) -> str:
        return "look for its end" if ended else "wait"


class Slow(Sleeper):
    patience = 0.2
    program = "exec sleep 300"


class Patient(Slow):
    kept_when_late = True


class Broken(Sleeper):
    program = "echo the disk is on fire; exit 1"


def test_it_belongs_to_nobody_and_is_found_again(tmp_path: Path) -> None:
    daemon = Sleeper(tmp_path / "d")
    daemon.start()
    pid = daemon.pid_of("sleeper")
    assert pid is not None
    assert pid not in [child.pid for child in psutil.Process().children(recursive=True)]
    assert os.getsid(pid) != os.getsid(0)
    assert (daemon.logs / "sleeper.log").read_text() == "up\n"
    daemon.start()
    assert daemon.pid_of("sleeper") == pid
    assert daemon.stop()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert not daemon.stop()


def test_stopping_one_that_never_was_makes_no_folder(tmp_path: Path) -> None:
    assert not Sleeper(tmp_path / "d").stop()
    assert not (tmp_path / "d").exists()


def test_one_that_ends_at_once_is_told_of_with_the_end_of_its_log(tmp_path: Path) -> None:
    daemon = Broken(tmp_path / "d")
    with pytest.raises(DaemonError, match=r"(?s)^sleeper: sleeper ended at once; .*the disk is on fire\n\nlook for"):
        daemon.start()


def test_one_that_is_late_is_ended_unless_it_may_go_on(tmp_path: Path) -> None:
    slow, patient = Slow(tmp_path / "slow"), Patient(tmp_path / "patient")
    for daemon in (slow, patient):
        with pytest.raises(DaemonError, match=r"(?s)not ready after 0 s \(it is not ready\).*wait$"):
            daemon.start()
    assert not slow.runs_at_all()
    pid = patient.pid_of("sleeper")
    assert pid is not None
    (patient.folder / "ready").touch()
    patient.start()
    assert patient.pid_of("sleeper") == pid
    patient.kill()
    assert not patient.runs_at_all()
