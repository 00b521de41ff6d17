"""`evaluate`: what cannot be written is said before anything is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.main import main


def test_a_folder_that_is_not_there_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = ["--from", "2022-04-25", "--to", "2022-05-03", "--day", "2022-05-04"]
    asked = ["evaluate", "--job", "ads", *days, "--output", str(tmp_path / "none" / "a.csv")]
    assert main(asked) == 2
    assert f"--output {tmp_path}/none/a.csv: there is no folder {tmp_path}/none" in capsys.readouterr().err
