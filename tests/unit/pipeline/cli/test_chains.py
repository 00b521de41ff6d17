"""`compare-chains`: a script can rely on its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.training import compare_chains

ARGUMENTS = ["compare-chains", "a", "b", "--job", "ads", "--experiment", "din"]


def finding(monkeypatch: pytest.MonkeyPatch, difference: str | None) -> list[Any]:
    asked: list[Any] = []

    def compare(*given: Any) -> compare_chains.Comparison:
        asked.append(given)
        return compare_chains.Comparison(days=6, experiments=2, tensors=40, difference=difference)

    monkeypatch.setattr(compare_chains, "compare", compare)
    return asked


def test_equal_chains_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = finding(monkeypatch, None)
    assert main(ARGUMENTS) == 0
    assert capsys.readouterr().out.startswith("equal: 6 trained days of 2 experiments, 40 tensors bit for bit")
    assert asked == [(Path("a"), Path("b"), "ads", ["din"])]


def test_a_difference_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    finding(monkeypatch, "din 2024-03-01: tensor 'step'")
    assert main(ARGUMENTS) == 1
    assert capsys.readouterr().out == "different: din 2024-03-01: tensor 'step'\n"
    assert main([*ARGUMENTS, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["difference"] == "din 2024-03-01: tensor 'step'"
