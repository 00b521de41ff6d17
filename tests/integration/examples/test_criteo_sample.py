"""The 200 real lines of Criteo that come with DeepCTR's examples, from the file to scores of it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from examples.criteo import main as convert
from pipeline.days import Day
from tests.tiny import PROJECT, Place

DAYS = tuple(Day.of(2024, 1, 1).through(Day.of(2024, 1, 4)))
ROWS = dict.fromkeys(DAYS[1:], 50)
"""Of the tested days: a quarter of the 200 lines each."""


@pytest.fixture
def sample() -> Path:
    """They are not part of this project, and no package that could be installed holds them: no failure in CI."""
    path = Path(os.environ.get("DAYSPRING_CRITEO_SAMPLE", "criteo_sample.txt"))
    if not path.is_file():
        pytest.skip(f"NO REAL LINES: {path} is not there; set DAYSPRING_CRITEO_SAMPLE to examples/criteo_sample.txt of "
                    "a copy of DeepCTR")  # fmt: skip
    return path


def test_real_lines_are_converted_trained_and_scored(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In four days; what is scored are the published cells themselves, under the table's names."""
    place = Place(tmp_path, {"DAYSPRING_CRITEO_URL": f"parquet:{tmp_path / 'criteo'}"})
    words = ["--source", str(sample), "--target", f"parquet:{tmp_path / 'criteo'}", "--days", str(len(DAYS))]
    assert convert(words) == 0
    assert "bad lines" not in capsys.readouterr().out
    settings = yaml.safe_load((PROJECT / "examples" / "conf" / "criteo.yaml").read_text(encoding="utf-8"))
    del settings["grids"]
    deepfm = {"model": "deepfm", "loss": "binary", "dim": 4, "batch": 16, "compile": "graph", "options": {"units": [8]}}
    settings["experiments"] = {"deepfm": deepfm}
    settings["release"]["gate"] = {"calibration": [0.0, 1e6]}
    place.configure("criteo", settings)
    place.good("backfill", "--job", "criteo", "--from", DAYS[0], "--to", DAYS[-1])
    tested = [line.split(",") for line in place.good("measures", "--job", "criteo").out.splitlines()[1:]]
    assert [(line[0], line[3]) for line in tested] == [(str(day), str(rows)) for day, rows in ROWS.items()]
    with sample.open() as file:
        head, *lines = csv.reader(file)
    rows, out = tmp_path / "rows.csv", tmp_path / "scores.csv"
    with rows.open("w") as file:
        csv.writer(file).writerows([[name.casefold() for name in head], *lines])
    ran = place.good("predict", "--job", "criteo", "--input", rows, "--output", out, "--columns", "label")
    assert f"labelled {len(lines)}" in ran.out
    with out.open() as file:
        scored = list(csv.DictReader(file))
    assert [each["label"] for each in scored] == [line[0] for line in lines]
    assert np.unique([float(each["probability"]) for each in scored]).size > len(lines) / 2
