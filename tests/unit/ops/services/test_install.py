"""``ops/services/install.sh`` on a machine that lacks a program: a PATH of links and of programs that only say."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ops.deployment import PROJECT
from ops.services import programs

_TOOLS = (
    "sh", "env", "cat", "cksum", "chmod", "cut", "dirname", "grep", "mkdir", "mktemp", "mv", "rm", "sort", "tail",
    "touch", "tr",
)  # fmt: skip
_BUILT = 'touch "$GOBIN/versitygw" "$GOBIN/compose-check"'
_OWN = {
    "chromium": "",
    "mvn": "",
    "id": "echo 0",
    "apt-get": 'echo "$@" >>"$LOG"; [ "$2" = update ] || eval "$BRINGS"',
    # As new as 1.21: it fetches what a program needs.
    "go": f'case "$*" in "env GOTOOLCHAIN") echo auto;; *install*) {_BUILT};; esac',
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with a copy of the script, and on its PATH all that it needs."""
    shutil.copytree(PROJECT / "ops" / "services", tmp_path / "ops" / "services")
    path = tmp_path / "bin"
    path.mkdir()
    for name in _TOOLS:
        (path / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
    servers = [each.name for server in ("mariadb", "redis", "hbase", "spark") for each in programs.programs(server)]
    for name in servers:
        _program(path / name, "")
    for name, body in _OWN.items():
        _program(path / name, body)
    return tmp_path


def _program(path: Path, body: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def _install(machine: Path, brings: str = "") -> tuple[str, list[str]]:
    """What the script says, and the calls of apt-get."""
    log = machine / "log"
    log.touch()
    done = subprocess.run(
        ["sh", str(machine / "ops" / "services" / "install.sh")],
        env={"PATH": str(machine / "bin"), "LOG": str(log), "BRINGS": brings},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout + done.stderr, log.read_text(encoding="utf-8").splitlines()


def test_where_all_is_there_nothing_is_installed(machine: Path) -> None:
    said, calls = _install(machine)
    assert "services: all programs are there" in said
    assert calls == []


@pytest.mark.parametrize(
    ("program", "packages"),
    [
        ("my_print_defaults", ["mariadb-client-core", "mariadb-server-core"]),
        ("resolveip", ["mariadb-server-core"]),
        ("mariadb-install-db", ["mariadb-server-core"]),
        ("redis-server", ["redis-server"]),
        ("java", ["default-jre-headless"]),
        ("mvn", ["maven"]),
        ("chromium", ["chromium"]),
    ],
)
def test_a_missing_program_brings_its_packages(machine: Path, program: str, packages: list[str]) -> None:
    (machine / "bin" / program).rename(machine / program)
    said, calls = _install(machine, f"mv {machine / program} {machine / 'bin'}/")
    assert calls[0].split()[-1] == "update"
    assert calls[1].split()[-len(packages) - 1 :] == ["install", *packages]
    assert "services: all programs are there" in said


def test_a_program_that_its_packages_do_not_bring_is_said(machine: Path) -> None:
    (machine / "bin" / "my_print_defaults").unlink()
    said, calls = _install(machine)
    assert "still missing: mariadb my_print_defaults" in said
    assert "all programs are there" not in said
    assert calls


def test_an_old_go_fetches_the_one_that_builds(machine: Path) -> None:
    newer = f'#!/bin/sh\\n[ "$1" != version ] && {_BUILT}'
    _program(
        machine / "bin" / "go",
        f"""case "$*" in
        "env GOTOOLCHAIN") echo;;
        "env GOOS") echo linux;;
        "env GOARCH") echo amd64;;
        "mod download "*)
            folder="$GOMODCACHE/$3"; mkdir -p "$folder/bin" "$folder/pkg/tool/linux"
            touch "$folder/pkg/tool/linux/link"
            printf '{newer}\\n' >"$folder/bin/go";;
        *) echo "go.mod requires a newer go"; exit 1;;
        esac""",
    )
    said, _ = _install(machine)
    assert "services: all programs are there" in said
    fetched = machine / ".services" / "lib" / "go"
    assert (fetched / ".installed").read_text() == "go1.26.0\n"
    assert (machine / ".services" / "bin" / "versitygw").is_file()
    again, _ = _install(machine)
    assert "fetching" not in again
