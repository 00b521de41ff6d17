"""One stage of a day: which options belong to which, and what it imports before it is known what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.main import parser
from pipeline.cli.stage import _check_stage
from pipeline.errors import UsageError
from tests.unit.pipeline.release.days import context

DAY = ("--job", "tiny", "--day", "2024-03-01")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["experiment"], "the stage `experiment` needs one --experiment; one of a, b"),
        (["experiment", "--experiment", "a", "--experiment", "b"], "the stage `experiment` needs one --experiment"),
        (["extract", "--experiment", "a"], "--experiment is for the stage `experiment`; `extract` runs for all of"),
        (["check", "--reprocess"], "--reprocess is for extract, validate, update_id_maps, build_features, experiment;"),
        (["validate", "--epochs", "2"], "--epochs and --learning-rate are for the stage `experiment`; `validate` does"),
        (["prune", "--json"], "--json is for the stage `report`; `prune` has no measures to print"),
    ],
)
def test_an_option_without_effect_is_refused(tmp_path: Path, words: list[str], problem: str) -> None:
    options = parser("stage").parse_args(["stage", *words, *DAY])
    with pytest.raises(UsageError) as told:
        _check_stage(context(tmp_path), options)
    assert problem in str(told.value)


@pytest.mark.parametrize(
    "words",
    [
        ["experiment", "--experiment", "a", "--reprocess", "--epochs", "2"], ["extract", "--reprocess"],
        ["release", "--experiment", "a", "--experiment", "b"], ["report", "--json"],
    ],
)  # fmt: skip
def test_an_option_of_its_stage_is_taken(tmp_path: Path, words: list[str]) -> None:
    _check_stage(context(tmp_path), parser("stage").parse_args(["stage", *words, *DAY]))


def test_what_only_some_stages_need_is_not_imported_for_all() -> None:
    code = "import sys; from pipeline.cli.main import parser; parser('stage'); print(*sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"numpy", "pipeline.cli.stage"} <= set(ran.stdout.split())
    assert {"pyarrow", "pandas", "tensorflow", "redis", "jinja2"}.isdisjoint(ran.stdout.split())
