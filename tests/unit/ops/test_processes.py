"""Every process of a deployment is found and ended, also those that hide."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ops import processes
from ops.deployment import MARK

# A component that ignores SIGTERM, leaves a child in its session without the mark and one outside with it.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import time; time.sleep(300)"]
bare = {k: v for k, v in os.environ.items() if k != "%s"}
subprocess.Popen(sleep, env=bare)
subprocess.Popen(sleep, start_new_session=True)
print("up", flush=True)
time.sleep(300)
""" % MARK  # noqa: UP031 - braces of the program


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "components"
    yield folder
    processes.end("test-mark", folder, patience=0)


def start(folder: Path, program: str) -> int:
    env = {**os.environ, MARK: "test-mark"}
    pid = processes.start([sys.executable, "-u", "-c", program], env, "part", folder)
    log = folder / "part.log"
    while "up" not in log.read_text(encoding="utf-8"):
        time.sleep(0.02)
    return pid


def test_what_a_component_writes_is_as_its_user_has_it_and_not_private_as_what_the_command_writes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_UMASK", 0o026)
    before = os.umask(0o077)
    try:
        start(folder, "import os\nos.mkdir('reports')\nopen('reports/day.html', 'w').close()\nprint('up', flush=True)")
    finally:
        os.umask(before)
    made = folder.parent / "reports"
    assert (made.stat().st_mode & 0o777, (made / "day.html").stat().st_mode & 0o777) == (0o751, 0o640)


def test_children_in_and_out_of_the_session_are_found_and_killed(folder: Path) -> None:
    pid = start(folder, STUBBORN)
    found = {process.pid for process in processes.alive("test-mark", folder)}
    assert len(found) == 3
    assert pid in found
    killed = processes.end("test-mark", folder, patience=0.5)
    assert pid in killed
    assert processes.alive("test-mark", folder) == []


def test_orphans_are_found_when_the_component_is_gone(folder: Path) -> None:
    pid = start(folder, STUBBORN)
    psutil.Process(pid).kill()
    while processes.pid_of("part", folder) is not None:
        time.sleep(0.02)
    assert len(processes.alive("test-mark", folder)) == 2


def test_a_process_that_obeys_is_not_killed(folder: Path) -> None:
    start(folder, "print('up', flush=True); import time; time.sleep(300)")
    assert processes.end("test-mark", folder, patience=10) == []
    assert not list(folder.glob("*.pid"))


def test_strangers_are_left_alone(folder: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    try:
        folder.mkdir()
        # The number of a dead component, reused by a stranger: its start time gives it away.
        (folder / "part.pid").write_text(f"{stranger.pid} 1.5\n", encoding="utf-8")
        assert processes.pid_of("part", folder) is None
        assert processes.end("test-mark", folder, patience=0) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_redis_whose_root_was_removed_is_ended() -> None:
    from pipeline.storage.redis import embedded

    # Short: a Unix socket's path has a limit.
    root = Path(os.path.realpath(tempfile.mkdtemp(prefix="dayspring-")))
    embedded.connect(root / "gone")
    shutil.rmtree(root / "gone")
    assert len(processes.end_servers_under(root)) == 1
    assert processes.end_servers_under(root) == []
    root.rmdir()


def test_what_a_killed_component_leaves_in_its_session_is_ended(folder: Path) -> None:
    pid = start(folder, STUBBORN)
    assert processes.end_left_by("part", folder) == []  # it runs
    in_session = [each for each in psutil.Process(pid).children() if os.getsid(each.pid) == pid]
    psutil.Process(pid).kill()
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    assert processes.end_left_by("part", folder) == [each.pid for each in in_session]
    _, left = psutil.wait_procs(in_session, timeout=10)
    assert left == []
