"""`evaluate`: kept checkpoints of a range on the rows of one later day, and nothing stored of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.tiny import FIRST, LAST, OUTAGE, SECOND, Place


def kept_files(place: Place) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted(place.root.rglob("*")) if path.is_file()}


def test_every_kept_checkpoint_of_the_range_is_measured_on_the_day(trained: Place, tmp_path: Path) -> None:
    """That of the day before as its test has it; of the one before that nothing was known."""
    before, output = kept_files(trained), tmp_path / "range.csv"
    asked = ("evaluate", "--job", "ads", "--from", FIRST, "--to", SECOND, "--day", LAST)
    ran = trained.good(*asked, "--output", output)
    assert kept_files(trained) == before
    rows = list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))
    named = [(name, str(day)) for name in ("pooled", "din") for day in (FIRST, SECOND)]
    assert [(row["experiment"], row["checkpoint"]) for row in rows] == named
    assert {row["day"] for row in rows} == {str(LAST)}
    csv_of_tests = trained.good("measures", "--job", "ads", "--day", LAST).out.splitlines()
    assert [",".join(row.values()) for row in rows if row["checkpoint"] == str(SECOND)] == csv_of_tests[1:]
    assert rows[0]["auc"] != rows[1]["auc"]
    head, *lines = ran.out.splitlines()
    assert head.split() == csv_of_tests[0].split(",")
    assert [line.split() for line in lines] == [list(row.values()) for row in rows]
    told = json.loads(trained.good(*asked, "--experiment", "din", "--json").out)
    assert [each["checkpoint"] for each in told["tested"]] == [str(FIRST), str(SECOND)]
    assert told["pruned"] == []


def test_what_was_pruned_is_told(chain: Place) -> None:
    chain.store.prune(chain.artifact("checkpoint", FIRST, "din"))
    asked = ("evaluate", "--job", "ads", "--from", FIRST, "--day", LAST, "--experiment", "din")
    ran = chain.good(*asked, "--to", SECOND)
    assert ran.out.splitlines()[-1] == f"not measured, as they were pruned: din {FIRST}"
    assert len(ran.out.splitlines()) == 3
    ran = chain.run(*asked, "--to", FIRST)
    assert ran.code == 2
    assert f"no checkpoint of din from {FIRST} to {FIRST} is kept (pruned: din {FIRST})" in ran.message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--from", FIRST, "--to", LAST, "--day", LAST], f"--to {LAST}: such a checkpoint was trained on the rows of"),
        (["--from", SECOND, "--to", FIRST, "--day", LAST], f"--from {SECOND} is after --to {FIRST}"),
        (["--from", FIRST, "--to", FIRST, "--day", LAST, "--experiment", "x"], "job 'ads' has pooled, din"),
        (["--from", FIRST, "--to", FIRST, "--day", OUTAGE], f"--day {OUTAGE}: was skipped: "),
        (
            ["--from", FIRST, "--to", FIRST, "--day", LAST.plus(30)],
            f"--day {LAST.plus(30)}: has no features; days after --to {FIRST} that have some: {SECOND}, {LAST} (",
        ),
    ],
)
def test_wrong_use_is_told(trained: Place, wrong: list[object], message: str) -> None:
    ran = trained.run("evaluate", "--job", "ads", *wrong)
    assert ran.code == 2
    assert message in ran.message
