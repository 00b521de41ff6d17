"""Every command has help, with an example that it reads."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.main import _COMMANDS, _run, parser

PROJECT = Path(__file__).resolve().parents[4]


def test_every_command_has_help_with_an_example() -> None:
    commands = parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    expected = {
        "run", "backfill", "stage", "status", "measures", "compare-chains", "recommend", "promote", "rollback", "taint",
        "prune", "config", "doctor",
    }  # fmt: skip
    assert expected <= set(commands)  # type: ignore[arg-type]
    for name, command in commands.items():  # type: ignore[union-attr]
        text = command.format_help()
        example = text.partition("Example:\n  python -m pipeline ")[2].strip()
        assert example.startswith(name), f"{name}: {text}"
        if name != "measures":  # it shows where its output may go
            parser().parse_args(_words(example))


def test_of_a_command_only_its_own_module_is_read_and_of_an_unknown_one_all() -> None:
    for names in _COMMANDS.values():
        for name in names:
            assert tuple(_registered(name)) == names
    everything = [name for names in _COMMANDS.values() for name in names]
    assert _registered(None) == _registered("--help") == _registered("no such command") == everything


def _registered(command: str | None) -> list[str]:
    return list(parser(command)._subparsers._group_actions[0].choices)  # type: ignore[union-attr, arg-type]


def _words(example: str) -> list[str]:
    import shlex

    return shlex.split(example)


def test_a_pipe_that_breaks_elsewhere_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def call(options: argparse.Namespace) -> int:
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            pipe.write(b"to a process that has died")
        return 0

    assert _run(argparse.Namespace(call=call)) == 1
    assert "Broken pipe" in capsys.readouterr().err


def test_a_reader_that_has_read_enough_is_none() -> None:
    ran = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "config", "schema"], cwd=PROJECT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert ran.stdout is not None
    assert ran.stderr is not None
    ran.stdout.read(1)
    ran.stdout.close()
    said = ran.stderr.read().decode()
    assert ran.wait() == 0, said
    assert "Traceback" not in said
