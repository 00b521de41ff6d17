"""`measures`: a row per tested day and experiment."""

from __future__ import annotations

import csv
import io
import json

from tests.tiny import FIRST, LAST, SECOND, Place

ADS = ["day", "experiment", "checkpoint", "rows", "auc", "gauc", "log_loss", "calibration"]
HOMEWORK = [
    "day", "experiment", "checkpoint", "rows", "requests", "covered", "hit_1", "hit_3", "hit_5", "hit_10", "hit_15",
    "composite", "log_loss", "auc",
]  # fmt: skip


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_measures_of_ads_are_one_row_per_tested_day_and_experiment(trained: Place) -> None:
    ran = trained.good("measures", "--job", "ads")
    assert ran.out.splitlines()[0].split(",") == ADS
    rows = _rows(ran.out)
    assert [(row["day"], row["experiment"], row["checkpoint"]) for row in rows] == [
        (str(SECOND), "pooled", str(FIRST)), (str(SECOND), "din", str(FIRST)),
        (str(LAST), "pooled", str(SECOND)), (str(LAST), "din", str(SECOND)),
    ]  # fmt: skip
    for row in rows:
        assert 0 < float(row["auc"]) < 1
        assert 0 < float(row["log_loss"]) < 5
        assert int(row["rows"]) > 100
    as_json = json.loads(trained.good("measures", "--job", "ads", "--json", "--day", LAST, "--experiment", "din").out)
    assert len(as_json) == 1
    assert f"{as_json[0]['auc']:.6f}" == rows[-1]["auc"]
    written = (trained.root / "reports" / "ads" / "measures.csv").read_text(encoding="utf-8")
    assert written == ran.out


def test_measures_of_homework(lessons: Place) -> None:
    ran = lessons.good("measures", "--job", "homework")
    assert ran.out.splitlines()[0].split(",") == HOMEWORK
    for row in _rows(ran.out):
        assert 0 < int(row["covered"]) <= int(row["requests"])
        assert float(row["hit_1"]) <= float(row["hit_3"]) <= float(row["hit_5"]) <= float(row["hit_15"]) <= 1


def test_means_of_homework_over_its_days(lessons: Place) -> None:
    days = _rows(lessons.good("measures", "--job", "homework").out)
    means = _rows(lessons.good("measures", "--job", "homework", "--means").out)
    assert [row["experiment"] for row in means] == list(dict.fromkeys(row["experiment"] for row in days))
    for row in means:
        own = [float(day["hit_5"]) for day in days if day["experiment"] == row["experiment"] and day["hit_5"]]
        assert min(own) - 1e-6 <= float(row["hit_5"]) <= max(own) + 1e-6
        assert int(row["days"]) == len(own)
    first = days[0]["day"]
    (only, *_) = _rows(lessons.good("measures", "--job", "homework", "--means", "--to", first).out)
    assert only["hit_1"] == days[0]["hit_1"]
    counted = _rows(lessons.good("measures", "--job", "homework", "--means", "--all-positive").out)
    for row, plain in zip(counted, means, strict=True):
        assert int(row["judged"]) == int(plain["judged"]) + int(plain["all_positive"])
        assert float(row["hit_5"]) >= float(plain["hit_5"])
    refused = lessons.run("measures", "--job", "homework", "--all-positive")
    assert "add --means" in refused.err
