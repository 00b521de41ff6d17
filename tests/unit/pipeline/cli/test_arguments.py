"""Arguments that several commands share."""

from __future__ import annotations

import argparse

import pytest

from pipeline.cli.arguments import Commands, add_accept, add_day, add_job, add_overrides, experiments, overrides
from pipeline.days import Day
from pipeline.errors import UsageError


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("pipeline")
    command = Commands(made).add("train", lambda options: 7, "Trains.", "train --job ads")
    for add in (add_job, add_day, add_accept, add_overrides):
        add(command)  # type: ignore[operator]
    return made


def test_a_command_is_called_with_its_days_read() -> None:
    options = parser().parse_args(["train", "--job", "ads", "--day", "2024-02-29", "--accept-day", "2024-03-01"])
    assert (options.job, options.day, options.accept_day) == ("ads", Day.of(2024, 2, 29), [Day.of(2024, 3, 1)])
    assert options.call(options) == 7


def test_a_day_that_is_none_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(["train", "--job", "ads", "--day", "2024-02-30"])
    assert caught.value.code == 2
    assert "2024-02-30" in capsys.readouterr().err


def test_experiments_are_those_named_each_once_or_all() -> None:
    assert experiments(None, ["a", "b"], "ads") == experiments([], ["a", "b"], "ads") == ["a", "b"]
    assert experiments(["b", "a", "b"], ["a", "b"], "ads") == ["b", "a"]
    with pytest.raises(UsageError, match="--experiment c: job 'ads' has a, b"):
        experiments(["a", "c"], ["a", "b"], "ads")


def test_a_pattern_is_all_experiments_that_fit_it() -> None:
    known = ["plain", "fill_7", "fill_14"]
    assert experiments(["fill_*"], known, "ads") == ["fill_7", "fill_14"]
    assert experiments(["fill_14", "*"], known, "ads") == ["fill_14", "plain", "fill_7"]
    with pytest.raises(UsageError, match=r"--experiments din_\*: job 'ads' has plain, fill_7, fill_14"):
        experiments(["fill_*", "din_*"], known, "ads", option="--experiments")


def test_overrides_are_only_what_was_given() -> None:
    plain = parser().parse_args(["train", "--job", "ads", "--day", "2024-02-29"])
    assert not overrides(plain)
    given = parser().parse_args(["train", "--job", "ads", "--day", "2024-02-29", "--epochs", "0"])
    with pytest.raises(UsageError):
        overrides(given)
