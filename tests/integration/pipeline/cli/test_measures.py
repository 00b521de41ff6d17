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
