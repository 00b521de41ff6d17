"""Arguments that hold secrets stay off the command line."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ops import quietly


def test_arguments_stay_off_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shows_itself.py").write_text(
        "import os, pathlib, psutil, sys\n"
        "command = ' '.join(psutil.Process().cmdline())\n"
        "pathlib.Path(sys.argv[1]).write_text(repr((sys.argv[2:], command, 'DAYSPRING_COMMAND' in os.environ)))\n"
        "sys.exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    out = tmp_path / "out"
    assert quietly.run("shows_itself", [str(out), "--target", "mysql://u:hunter2@host/db"]) == 7
    arguments, command, left = ast.literal_eval(out.read_text())
    assert arguments == ["--target", "mysql://u:hunter2@host/db"]
    assert "hunter2" not in command
    assert not left
