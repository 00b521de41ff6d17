"""A job as its YAML has it now; one that cannot be read hides nothing."""

from __future__ import annotations

from pathlib import Path

import yaml

from benchmarks.school_year import JOB
from pipeline.monitoring.overview.picture import Overview
from tests.unit.pipeline.monitoring.overview.drawn import ONE, TWO, drawn, experiment, settings


def test_a_yaml_that_cannot_be_read_hides_nothing(written: Path, conf: Path) -> None:
    (conf / f"{JOB}.yaml").write_text("job: [", encoding="utf-8")
    picture = drawn(written)
    assert f"{JOB}.yaml" in picture["problem"]
    assert [each["name"] for each in picture["experiments"]] == [ONE, TWO]
    assert not any(each["removed"] for each in picture["experiments"])
    assert "composite" in picture["measures"]["names"]
    (conf / f"{JOB}.yaml").unlink()
    assert "no such file" in drawn(written)["problem"]


def test_an_experiment_that_left_the_yaml_stays(written: Path, conf: Path) -> None:
    changed = settings()
    del changed["experiments"][TWO]
    (conf / f"{JOB}.yaml").write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    picture = drawn(written)
    assert [(each["name"], each["removed"]) for each in picture["experiments"]] == [(ONE, False), (TWO, True)]
    assert "composite" in picture["measures"]["values"][TWO]


def test_a_changed_yaml_is_seen_without_a_restart(root: Path, conf: Path) -> None:
    overview = Overview(root)
    assert [each["name"] for each in overview.picture(JOB)["experiments"]] == [TWO, ONE]
    changed = settings()
    changed["experiments"]["added"] = changed["experiments"][ONE]
    (conf / f"{JOB}.yaml").write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    added = experiment(overview.picture(JOB), "added")
    assert added["states"] == "." * 45
    assert added["start"] is None


def test_a_change_of_what_a_yaml_stands_on_is_seen_too(root: Path, conf: Path) -> None:
    base = conf / "below.yaml"
    base.write_text(yaml.safe_dump(settings(), sort_keys=False), encoding="utf-8")
    (conf / f"{JOB}.yaml").write_text("extends: below.yaml\n", encoding="utf-8")
    overview = Overview(root)
    assert [each["name"] for each in overview.picture(JOB)["experiments"]] == [TWO, ONE]
    changed = settings()
    changed["experiments"]["added"] = changed["experiments"][ONE]
    base.write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    assert experiment(overview.picture(JOB), "added")["start"] is None


def test_what_a_yaml_stands_on_may_be_mended(root: Path, conf: Path) -> None:
    (conf / f"{JOB}.yaml").write_text("extends: below.yaml\n", encoding="utf-8")
    base, overview = conf / "below.yaml", Overview(root)
    assert "'below.yaml' is no file" in overview.picture(JOB)["problem"]
    base.write_text("job: [", encoding="utf-8")
    assert "below.yaml: line 1" in overview.picture(JOB)["problem"]
    base.write_text(yaml.safe_dump(settings(), sort_keys=False), encoding="utf-8")
    assert overview.picture(JOB)["problem"] is None


def test_experiments_say_which_grid_they_are_of(written: Path, conf: Path) -> None:
    changed = settings()
    one = changed["experiments"].pop(ONE)
    shared = {name: value for name, value in one.items() if name != "batch"}
    changed["grids"] = {"batches": {"settings": shared, "axes": {"batch": [one["batch"]]}, "name": ONE}}
    (conf / f"{JOB}.yaml").write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    picture = drawn(written)
    assert [(each["name"], each["grid"]) for each in picture["experiments"]] == [(TWO, None), (ONE, "batches")]
