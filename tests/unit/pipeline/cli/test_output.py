"""Whatever the command line prints names its commands so that they work when pasted."""

from __future__ import annotations

import json
import sys

import pytest

from pipeline.cli.main import main
from pipeline.cli.output import completed_commands, in_columns, print_json
from pipeline.commands import shown

COMMAND = "python -m pipeline audit --job ads"


def test_both_streams_while_a_command_runs(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = sys.stdout, sys.stderr
    with completed_commands():
        print("see", COMMAND, flush=True)
        print(f"error: run `{COMMAND}`", file=sys.stderr)
        assert sys.stdout.isatty() is out.isatty()
    assert (sys.stdout, sys.stderr) == (out, err)
    told = capsys.readouterr()
    assert told.out == f"see {shown(COMMAND)}\n"
    assert told.err == f"error: run `{shown(COMMAND)}`\n"
    assert told.out.startswith("see cd /")


def test_json_stays_json_whatever_the_folders_are_called(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYSPRING_ROOT", "/a \"root\" of o'clock")
    with completed_commands():
        print_json({"days": [{"command": COMMAND}]})
    assert json.loads(capsys.readouterr().out) == {"days": [{"command": shown(COMMAND)}]}


def test_an_error_of_a_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("DAYSPRING_ROOT", str(tmp_path))
    assert main(["stage", "validate", "--job", "ads", "--day", "2024-02-27"]) == 3
    err = capsys.readouterr().err
    assert f"DAYSPRING_ROOT={tmp_path} " in err
    assert "/python -m pipeline stage extract --job ads --day 2024-02-27" in err


def test_columns_are_as_wide_as_they_must_be() -> None:
    text = in_columns(["a", "day"], [["long one", "1"], ["b", ""]])
    assert text.splitlines() == ["a         day", "long one  1", "b"]
    assert in_columns(["a", "b"], []) == "a  b"
