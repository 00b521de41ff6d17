"""One server per root, whoever starts it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pipeline.storage.redis import embedded


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield tmp_path
    embedded.stop(tmp_path)


def _write(root: str, barrier: object, number: int, answers: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    client = embedded.connect(Path(root))
    for i in range(50):
        client.set(f"key:{number}:{i}", i)
    answers.put(client.info("server")["process_id"])  # type: ignore[attr-defined]


def _servers_of(root: Path) -> list[int]:
    folder = os.path.realpath(root / "redis")
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "redis-server" in " ".join(process.cmdline()) and process.cwd() == folder:
                found.append(process.pid)
    return found


def test_sixteen_processes_that_start_it_together_see_one_server_and_lose_no_key(root: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier, answers = spawn.Barrier(16), spawn.Queue()
    children = [spawn.Process(target=_write, args=(str(root), barrier, n, answers)) for n in range(16)]
    for child in children:
        child.start()
    pids = {answers.get(timeout=120) for _ in children}
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    assert len(pids) == 1
    assert _servers_of(root) == sorted(pids)
    client = embedded.connect(root)
    assert client.dbsize() == 16 * 50
    assert client.config_get("port")["port"] == "0"


def test_it_keeps_its_keys_over_a_stop_and_over_a_kill(root: Path) -> None:
    client = embedded.connect(root)
    client.set("a", 1)
    assert embedded.stop(root)
    assert _servers_of(root) == []
    assert not embedded.running(root)
    client = embedded.connect(root)
    assert client.get("a") == b"1"
    client.set("b", 2)
    pid = client.info("server")["process_id"]
    client.execute_command("CONFIG", "SET", "appendfsync", "always")
    os.kill(pid, signal.SIGKILL)
    assert embedded.connect(root).get("b") == b"2"
    assert len(_servers_of(root)) == 1


def test_a_server_whose_root_was_deleted_is_ended_by_the_next(root: Path) -> None:
    old = embedded.connect(root / "r").info("server")["process_id"]
    shutil.rmtree(root / "r")
    try:
        client = embedded.connect(root / "r")
        assert client.dbsize() == 0
        for _ in range(500):
            if not _runs(old):
                break
            time.sleep(0.02)
        assert not _runs(old)
    finally:
        embedded.stop(root / "r")


def test_a_server_that_is_slow_to_end_takes_nothing_of_the_next_along(root: Path) -> None:
    for lost in (["."], ["redis.pid", "redis.sock"]):  # its folder was deleted; it is half way through its end
        old = embedded.connect(root).info("server")["process_id"]
        os.kill(old, signal.SIGSTOP)
        for name in lost:
            shutil.rmtree(root / "redis") if name == "." else (root / "redis" / name).unlink()
        new = embedded.connect(root).info("server")["process_id"]
        assert not _runs(old)
        assert _servers_of(root) == [new]
        assert embedded.connect(root).info("server")["process_id"] == new


def test_a_server_that_ends_while_it_is_waited_for_is_started_again(root: Path) -> None:
    embedded.connect(root).set("kept", 1)
    old = embedded.connect(root).info("server")["process_id"]
    os.kill(old, signal.SIGSTOP)
    (root / "redis" / "redis.sock").unlink()  # it does not answer, as if it were still reading its file
    killer = threading.Timer(0.3, os.kill, (old, signal.SIGKILL))
    killer.start()
    assert embedded.connect(root).get("kept") == b"1"
    killer.join()
    assert not _runs(old)
    assert len(_servers_of(root)) == 1


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_server_that_an_earlier_version_started_is_used_and_stopped(root: Path) -> None:
    old = embedded.connect(root).info("server")["process_id"]
    (root / "redis" / "redis.pid").write_text(f"{old}\n")  # as the server itself wrote it
    assert embedded.connect(root).info("server")["process_id"] == old
    assert embedded.stop(root)
    assert not _runs(old)


def test_stopping_where_none_runs_says_so(root: Path) -> None:
    assert not embedded.stop(root / "never")
    assert not (root / "never").exists()


def test_a_path_too_long_for_a_socket_gets_a_short_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    deep = root / ("x" * 60) / ("y" * 60)
    try:
        embedded.connect(deep).set("deep", 1)
        socket = Path((deep / "redis" / "socket").read_text().splitlines()[1])
        assert len(os.fsencode(socket)) <= 100
        monkeypatch.setattr("tempfile.tempdir", str(root))  # another process with another TMPDIR finds the same one
        assert embedded.connect(deep).get("deep") == b"1"
        assert len(_servers_of(deep)) == 1
    finally:
        embedded.stop(deep)
        for left in socket.parent.iterdir():
            left.unlink()
        socket.parent.rmdir()


def test_a_copied_root_does_not_reach_the_server_of_the_original(root: Path) -> None:
    embedded.connect(root / "one").set("k", "one")
    shutil.copytree(root / "one" / "redis", root / "two" / "redis", ignore=shutil.ignore_patterns("*.sock", "append*"))
    try:
        assert not embedded.stop(root / "two")  # its pid file names the original's
        assert embedded.running(root / "one")
        assert embedded.connect(root / "two").get("k") is None
    finally:
        embedded.stop(root / "one")
        embedded.stop(root / "two")
