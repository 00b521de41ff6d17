"""The programs that each server runs, by ``programs.txt``, and the packages that bring them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("programs.txt")
_SERVERS_LIE = "/usr/sbin:/usr/local/sbin"


@dataclass(frozen=True)
class Program:
    """A program of a server and the packages of Debian or Ubuntu that may bring it."""

    server: str
    name: str
    packages: tuple[str, ...]


def programs(server: str) -> list[Program]:
    """Every program that a server runs, by its own commands or by those of its set-up."""
    lines = (line.split() for line in LIST.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return [Program(line[0], line[1], tuple(line[2:])) for line in lines if line and line[0] == server]


def find(name: str) -> str | None:
    """Where a program is; servers lie in ``sbin``, which is not on every user's path."""
    return shutil.which(name) or shutil.which(name, path=_SERVERS_LIE)


def lacking(server: str) -> str | None:
    """Which of a server's programs are not there and how to get them; ``None`` where all are."""
    return said([each for each in programs(server) if find(each.name) is None])


def said(absent: Sequence[Program]) -> str | None:
    """The absent programs in words, with what brings them."""
    if not absent:
        return None
    packages = dict.fromkeys(package for each in absent for package in each.packages)
    return (
        f"not installed: {', '.join(each.name for each in absent)}; "
        f"on Debian or Ubuntu: sudo apt-get install {' '.join(packages)}"
    )
