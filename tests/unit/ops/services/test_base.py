"""What is missing is said with how to get it; a server of a folder keeps its port and secrets."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ops import processes
from ops.services import hbase, programs, s3
from ops.services.__main__ import main
from ops.services.base import Service
from ops.services.hbase import HBase
from ops.services.mariadb import MariaDb
from ops.services.redis import RedisServer
from ops.services.s3 import S3Server
from pipeline.process import pid_files
from pipeline.storage.daemon import DaemonError
from tests import services as fixtures


class Small(Service):
    """A server that is a Python program."""

    name = "small"
    patience = 20.0
    program = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), None).serve_forever()"

    def lacking(self) -> str | None:
        return None

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)

    def commands(self) -> Mapping[str, Sequence[str]]:
        return {self.name: [sys.executable, "-c", self.program, str(self.port)]}

    def trouble(self) -> str | None:
        from ops.services.base import listening

        return None if listening(self.port) else "nothing listens"

    def environment(self, space: str = "") -> dict[str, str]:
        return {}


class Broken(Small):
    program = "import sys; sys.exit('the disk is on fire')"


class Deaf(Small):
    patience = 0.5
    program = "import time; time.sleep(60)"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nothing is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(s3, "TOOLS", tmp_path)
    monkeypatch.setattr(hbase, "JARS", tmp_path)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("kind", "how"),
    [
        (MariaDb, "apt-get install mariadb-server-core"),
        (RedisServer, "apt-get install redis-server"),
        (S3Server, "make services"),
        (HBase, "apt-get install default-jre-headless"),
    ],
)
def test_what_is_missing_says_how_to_get_it(tmp_path: Path, kind: type[Service], how: str) -> None:
    server = kind(tmp_path / "folder")
    with pytest.raises(DaemonError, match=f"^{kind.name}: .*{how}"):
        server.start()
    assert not server.folder.exists()


@pytest.mark.parametrize(
    ("kind", "program", "package"),
    [
        (MariaDb, "mariadbd", "mariadb-server-core"),
        (MariaDb, "mariadb-install-db", "mariadb-server-core"),
        (MariaDb, "my_print_defaults", "mariadb-client-core"),
        (MariaDb, "resolveip", "mariadb-server-core"),
        (RedisServer, "redis-server", "redis-server"),
        (HBase, "java", "default-jre-headless"),
    ],
)
def test_each_program_of_a_server_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Service], program: str, package: str
) -> None:
    for each in programs.programs(kind.name):
        if each.name != program:
            (tmp_path / each.name).symlink_to(shutil.which("true") or "/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_SERVERS_LIE", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(hbase, "JARS", tmp_path)
    (tmp_path / "hbase-thrift-0.jar").touch()
    missing = kind(tmp_path / "folder").lacking()
    assert missing is not None
    assert missing.startswith(f"not installed: {program}; ")
    assert package in missing.split()
    (tmp_path / program).symlink_to(shutil.which("true") or "/bin/true")
    assert kind(tmp_path / "folder").lacking() is None


@pytest.mark.usefixtures("bare")
def test_all_that_is_missing_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--folder", str(tmp_path / "stack")]) == 1
    said = capsys.readouterr().err
    for name in ("mariadb", "redis", "s3", "hbase"):
        assert f"{name}: " in said


@pytest.mark.usefixtures("bare")
def test_a_missing_server_is_skipped_on_a_laptop_and_fails_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="mariadb: not installed"):
        fixtures._installed(MariaDb(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="mariadb: not installed"):
        fixtures._installed(MariaDb(tmp_path))


def test_killed_and_started_again_on_the_same_port(tmp_path: Path) -> None:
    server = Small(tmp_path / "small")
    with server:
        first = processes.pid_of("small", server.logs)
        server.start()
        assert processes.pid_of("small", server.logs) == first
        port = server.port
        server.kill()
        assert not server.runs_at_all()
        server.start()
        assert server.port == Small(server.folder).port == port
        assert processes.pid_of("small", server.logs) != first
    assert not server.runs_at_all()


def test_one_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    server = Broken(tmp_path / "broken")
    with pytest.raises(DaemonError, match=r"(?s)ended at once.*run/small\.log:.*the disk is on fire"):
        server.start()


def test_one_that_never_answers_is_given_up_and_ended(tmp_path: Path) -> None:
    server = Deaf(tmp_path / "deaf")
    with pytest.raises(DaemonError, match=r"not ready after 0 s \(nothing listens\)|not ready after 1 s"):
        server.start()
    assert not server.runs_at_all()


def test_another_process_of_the_same_number_is_left_alone(tmp_path: Path) -> None:
    server = Small(tmp_path / "small")
    server.logs.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        started = pid_files.started(other.pid)
        assert started is not None
        (server.logs / "small.pid").write_text(f"{other.pid} {started - 1000}\n")
        server.kill()
        assert other.poll() is None
        other.communicate(b"\n")


def test_secrets_and_ports_are_made_once(tmp_path: Path) -> None:
    server = MariaDb(tmp_path / "db")
    assert server.secret("writer") == MariaDb(server.folder).secret("writer") != server.secret("reader")
    assert HBase(tmp_path / "h").port_of("zookeeper") != HBase(tmp_path / "h").port
    assert (server.folder / "server.json").stat().st_mode & 0o077 == 0


def test_its_processes_see_none_of_the_callers_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAYSPRING_ADS_URL", "AWS_SECRET_ACCESS_KEY", "AIRFLOW_HOME"):
        monkeypatch.setenv(name, "stranger")
    assert "stranger" not in Small(tmp_path).process_environment().values()
