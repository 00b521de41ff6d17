"""`compare`: a table or JSON of what was tested, the same figures as the tests', the same in the report."""

from __future__ import annotations

import json

import pytest

from tests.tiny import LAST, SECOND, Place


def test_a_table_over_the_range_and_one_by_day(trained: Place) -> None:
    ran = trained.good("compare", "--job", "ads")
    head, *lines = ran.out.splitlines()
    assert head == (f"auc (higher is better) against 'pooled' on the same rows, {SECOND} to {LAST}: above 0 is better")
    assert [line.split()[:2] for line in lines] == [
        ["experiment", "days"], ["din", "2"], [], ["day", "experiment"], [str(SECOND), "din"], [str(LAST), "din"],
    ]  # fmt: skip
    assert lines[1].endswith(("better", "worse", "cannot tell"))
    report = (trained.root / "reports" / "ads" / f"{LAST}.html").read_text(encoding="utf-8")
    assert "auc against pooled, on the same rows" in report
    mean = lines[1].split()[4]
    assert f"<td>{mean}</td>" in report


@pytest.mark.parametrize("measure", ["auc", "log_loss"])
def test_the_figures_are_those_of_the_tests(trained: Place, measure: str) -> None:
    found = json.loads(trained.good("compare", "--job", "ads", "--json", "--measure", measure, "--from", LAST).out)
    values = {
        name: trained.artifact("test", LAST, name).manifest.extra["values"][measure] for name in ("pooled", "din")
    }
    (row,) = found["days"]
    assert (row["day"], row["first"], row["value"]) == (
        str(LAST), pytest.approx(values["pooled"]), pytest.approx(values["din"]),
    )  # fmt: skip
    better = values["din"] - values["pooled"] if measure == "auc" else values["pooled"] - values["din"]
    assert row["difference"] == pytest.approx(better)
    assert row["low"] <= row["difference"] <= row["high"]


def test_a_group_of_a_jobs_requests(lessons: Place) -> None:
    asked = ("compare", "--job", "homework", "--json", "--measure", "hit_3", "--experiments", "din", "p*")
    found = json.loads(lessons.good(*asked, "--group", "known").out)
    assert (found["against"], found["group"]) == ("din", "known")
    for row in found["days"]:
        for name, value in (("din", row["first"]), ("pooled", row["value"])):
            test = lessons.store.load(f"test/homework/{name}/day={row['day']}/gen=0001")
            assert test is not None
            assert value == pytest.approx(test.manifest.extra["groups"]["known"]["hit_3"])
    assert (
        "--group old: job 'homework' has no such group of requests; it has "
        in lessons.run(*asked, "--group", "old").message
    )


def test_an_experiment_that_left_the_yaml_is_compared_where_it_is_named(chain: Place) -> None:
    asked = ("compare", "--job", "ads", "--json")
    before = json.loads(chain.good(*asked).out)
    settings = chain.settings("ads")
    del settings["experiments"]["din"]
    chain.configure("ads", settings | {"release": settings["release"] | {"champion": "pooled"}})
    assert "a comparison takes two experiments at least; job 'ads' has pooled" in chain.run(*asked).message
    assert json.loads(chain.good(*asked, "--experiments", "pooled", "din").out) == before


def test_those_that_no_day_has_tested_yet_are_left_out_and_named(chain: Place) -> None:
    asked = ("compare", "--job", "ads")
    before = chain.good(*asked).out
    settings = chain.settings("ads")
    new = {"begun": settings["experiments"]["pooled"]}
    chain.configure("ads", settings | {"experiments": new | settings["experiments"]})
    assert chain.good(*asked).out == f"{before.rstrip()}\nnot tested yet: begun\n"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--experiments", "pooled"], "a comparison takes two experiments at least; job 'ads' has pooled, din"),
        (["--experiments", "pooled", "x*"], "--experiments x*: job 'ads' has pooled, din"),
        (["--measure", "hit_1"], "--measure hit_1: job 'ads' can be compared by auc, gauc, log_loss, calibration"),
        (["--group", "known"], "--group known: job 'ads' has no such group of requests; it has none"),
        (["--from", LAST, "--to", SECOND], f"--from {LAST} is after --to {SECOND}"),
        (["--to", "2020-01-01"], "no day on which two of pooled, din can be compared"),
    ],
)
def test_wrong_use_is_told(trained: Place, wrong: list[object], message: str) -> None:
    ran = trained.run("compare", "--job", "ads", *wrong)
    assert ran.code == 2
    assert ran.message == f"error: {message}"
