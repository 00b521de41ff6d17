from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import LockTimeout
from pipeline.storage.locks import Owner, held

HOLD = """
import sys, time
from pathlib import Path
from pipeline.storage.locks import held
with held(Path(sys.argv[1]), timeout=0, what="it"):
    print("held", flush=True)
    time.sleep(600)
"""


def _holder(path: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_timeout_names_the_holder_and_death_frees_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "train.lock"
    path.parent.mkdir()
    child = _holder(path)
    try:
        host = Owner.this().host
        with (
            pytest.raises(
                LockTimeout, match=rf"experiment 'a' is locked by process {child.pid} on host {host} for \d+ s"
            ),
            held(path, timeout=0.1, what="experiment 'a'"),
        ):
            pytest.fail("two processes hold one lock")
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    with held(path, timeout=5, what="experiment 'a'"):
        assert json.loads(path.with_name("train.lock.owner").read_text())["pid"] == os.getpid()
    assert not path.with_name("train.lock.owner").exists()


def test_one_process_cannot_take_it_twice(tmp_path: Path) -> None:
    with (
        held(tmp_path / "lock", timeout=0, what="a"),
        pytest.raises(LockTimeout, match=f"process {os.getpid()} "),
        held(tmp_path / "lock", timeout=0, what="a"),
    ):
        pytest.fail("taken twice")


def test_released_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), held(tmp_path / "lock", timeout=0, what="a"):
        raise RuntimeError
    with held(tmp_path / "lock", timeout=0, what="a"):
        pass


def test_an_unsigned_lock_is_said_to_be_so(tmp_path: Path) -> None:
    with held(tmp_path / "lock", timeout=0, what="a"):
        (tmp_path / "lock.owner").write_text("{")
        with (
            pytest.raises(LockTimeout, match="not signed yet"),
            held(tmp_path / "lock", timeout=0, what="a"),
        ):
            pytest.fail("taken twice")


def _count(path: str, times: int) -> None:
    for _ in range(times):
        with held(Path(path).with_suffix(".lock"), timeout=60, what="the count"):
            number = int(Path(path).read_text())
            Path(path).write_text(str(number + 1))


def test_holders_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_text("0")
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_count, args=(str(path), 50)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert path.read_text() == "200"


def test_owner_knows_the_dead_and_the_reborn() -> None:
    here = Owner.this()
    assert not here.is_dead()
    assert Owner(here.pid, here.host, "1").is_dead(), "another process with the same pid"
    assert not Owner(here.pid, "another-host", "1").is_dead()
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    zombie = Owner(child.pid, here.host, "1")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked how
    assert zombie.is_dead()
    child.wait()
    assert zombie.is_dead()
