"""What `config check` says of the settings that docs/experiments.md shows: pasted into a job they are taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.engine.engine import configure
from models.optimizer_settings import read_optimizers
from pipeline.cli.checks import check_models
from pipeline.config.load import parse_job
from tests.tiny import PROJECT

configure(2)

ADS, HOMEWORK = "examples/conf/ads.yaml", "conf/homework.yaml"
LATER = {"type": "float", "min": 0, "change": "outcome"}
LABELS = {"kind": "sequence", "space": "tag", "source": "history.tag", "steps": 20}
SECTIONS = {"kind": "bag_sequence", "space": "section", "source": "history.sections", "of": "sections"}
IN_ONE_STEP = [f"features.{part}_history" for part in ("chapter", "section", "style")]
JOBS: Mapping[str, tuple[str, dict[str, Any], list[str]]] = {
    "Grids 1": (HOMEWORK, {}, []),
    "Seeds 1": (ADS, {}, []),
    "Tasks 1": ("examples/conf/ads-two-tasks/ads.yaml", {}, []),
    "Models 1": (ADS, {}, []),
    "Encoders 1": (ADS, {"features.labels": LABELS}, []),
    "Encoders 2": (HOMEWORK, {"features.homework": SECTIONS}, IN_ONE_STEP),
    "What came of each impression 1": (
        ADS,
        {"tables.impressions.columns.exposure_duration": LATER,
         "tables.impressions.columns.duplicate_tag": {"type": "int"}},
        [],
    ),
    "How old a step is 1": (ADS, {}, []),
    "Sessions 1": (ADS, {}, []),
    "Sessions 2": (HOMEWORK, {}, []),
    "Negatives of a history 1": (ADS, {}, []),
    "Vectors 1": (ADS, {"tables.ads.columns.embedding": {"type": "float_list", "items": 64}}, []),
    "Trainers and the baseline 1": (HOMEWORK, {}, []),
    "Blends 1": (ADS, {}, []),
}  # fmt: skip
"""By block of the docs: the job that it is pasted into, what that has besides, and what it does without."""


def blocks() -> Iterator[tuple[str, str]]:
    """Every block of YAML, by its section and its number there."""
    text = (PROJECT / "docs" / "experiments.md").read_text(encoding="utf-8")
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", section, flags=re.DOTALL), start=1):
            yield f"{title} {number}", block


BLOCKS = dict(blocks())


def pasted(into: dict[str, Any], block: Mapping[str, Any]) -> None:
    for name, value in block.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict) and name != "experiments":
            pasted(into[name], value)
        else:
            into[name] = value


def job_with(name: str) -> dict[str, Any]:
    """The job of a block with it: its experiments stand alone, each by what its job's learn by."""
    path, others, without = JOBS[name]
    job: dict[str, Any] = yaml.safe_load((PROJECT / path).read_text(encoding="utf-8"))
    for at, value in others.items():
        *way, last = at.split(".")
        place = job
        for part in way:
            place = place.setdefault(part, {})
        place[last] = value
    for at in without:
        section, feature = at.split(".")
        del job[section][feature]
    loss = "softmax" if path == HOMEWORK else "binary"
    pasted(job, deepcopy(yaml.safe_load(BLOCKS[name])))
    if "tasks" not in job:
        for experiment in job["experiments"].values():
            if experiment["model"] != "blend":
                experiment.setdefault("loss", loss)
    job["release"] = {"champion": next(iter(job["experiments"]))}
    return job


def test_every_block_of_yaml_is_pasted_somewhere() -> None:
    assert list(BLOCKS) == [*JOBS, "Optimisers 1"]


@pytest.mark.parametrize("name", JOBS)
def test_the_settings_that_the_docs_show_are_taken(name: str) -> None:
    job = job_with(name)
    check_models(parse_job(yaml.safe_dump(job, sort_keys=False), Path(f"{job['job']}.yaml")))


def test_the_optimisers_that_the_docs_show_are_taken() -> None:
    lines = [yaml.safe_load(line)["optimizer"] for line in BLOCKS["Optimisers 1"].splitlines()]
    assert [read_optimizers(each).tables.rate for each in lines] == [None, 0.05, None]
    text = (PROJECT / "docs" / "experiments.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `\w+` \| (tables|dense|both) \| `(\{type: .*?\})` \|", text, flags=re.MULTILINE)
    assert len(rows) == 7
    for of, line in rows:
        for place in ("tables", "dense") if of == "both" else (of,):
            read_optimizers({place: yaml.safe_load(line)})
