from __future__ import annotations

from pathlib import Path

from benchmarks.school_year import JOB
from pipeline.monitoring.overview.picture import Overview
from tests.unit.pipeline.monitoring.overview.drawn import ONE, drawn, experiment


def test_damaged_records_beside_the_artefacts_are_named_too(root: Path) -> None:
    (root / "releases" / JOB).mkdir(parents=True)
    (root / "releases" / JOB / "served.json").write_text("{", encoding="utf-8")
    (root / "checkpoint" / JOB / ONE / "chain.json").write_text("{", encoding="utf-8")
    picture = drawn(root)
    assert {each["path"] for each in picture["damaged"]} == {
        f"releases/{JOB}/served.json", f"checkpoint/{JOB}/{ONE}/chain.json",
    }  # fmt: skip
    assert picture["releases"]["served"] is None
    assert "t" in experiment(picture, ONE)["states"]


def test_an_empty_root(tmp_path: Path) -> None:
    root = tmp_path / "nothing"
    picture = drawn(root)
    assert (picture["count"], picture["trained"], picture["first"]) == (0, False, None)
    assert picture["releases"]["served"] is None
    assert not root.exists(), "looking must not make anything"


def test_jobs_of_the_settings_and_of_the_store(root: Path) -> None:
    assert Overview(root).jobs(["ads"]) == ["ads", JOB]
    (root / "reports" / JOB).mkdir(parents=True)
    for name in ("2024-01-03.html", "measures.csv", "2024-01-04.html.tmp"):
        (root / "reports" / JOB / name).write_text("", encoding="utf-8")
    assert drawn(root)["reports"] == ["2024-01-03"]
