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
from pipeline.cli.checks import _check_all_read, check_models
from pipeline.cli.main import main
from pipeline.config.load import parse_job
from pipeline.errors import ConfigError
from tests.tiny import PROJECT, whole

configure(2)

LATER = {"type": "float", "min": 0, "change": "outcome"}
LABELS = {"kind": "sequence", "space": "tag", "source": "history.tag", "steps": 20}
SECTIONS = {"kind": "bag_sequence", "space": "section", "source": "history.sections", "of": "sections"}
OF_DAYS = [f"features.{part}_history" for part in ("chapter", "section", "style")]
JOBS: Mapping[str, tuple[str, dict[str, Any], list[str]]] = {
    "impressions": (
        "examples/conf/ads.yaml",
        {
            "tables.impressions.columns.exposure_duration": LATER,
            "tables.impressions.columns.duplicate_tag": {"type": "int"},
            "tables.ads.columns.embedding": {"type": "float_list", "items": 64},
            "features.user_x_ad": {"kind": "categorical", "space": "hour", "source": "row.log_hourtime"},
        },
        [],
    ),
    "impressions with another history": ("examples/conf/ads.yaml", {"features.labels": LABELS}, []),
    "impressions with negatives": ("examples/conf/ads.yaml", {"features.clicked_ads.negatives": 3}, []),
    "tasks": ("examples/conf/ads-two-tasks/ads.yaml", {}, []),
    "tasks of a shop": (
        "examples/conf/ads-two-tasks/ads.yaml",
        {
            "tables.impressions.columns.is_bought": {
                "type": "int", "required": True, "allowed": [0, 1], "change": "outcome"
            },
            "tasks.bought": {"label": "is_bought", "given": "click"},
        },
        ["tasks.long_view", "experiments.long_view_alone"],
    ),
    "homework": ("conf/homework.yaml", {}, []),
    "homework with a history of one part": ("conf/homework.yaml", {"features.homework": SECTIONS}, OF_DAYS),
    "labelled rows": ("examples/conf/criteo.yaml", {}, []),
}
"""What the docs' settings may be pasted into: a job, what it has besides, and what it does without."""


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


def job_with(name: str, block: Mapping[str, Any]) -> dict[str, Any]:
    """A job with a block of the docs: its experiments stand alone, each by what the job's learn by."""
    path, others, without = JOBS[name]
    job = whole(PROJECT / path)
    for at, value in others.items():
        *way, last = at.split(".")
        place = job
        for part in way:
            place = place.setdefault(part, {})
        place[last] = deepcopy(value)
    for at in without:
        section, feature = at.split(".")
        del job[section][feature]
    pasted(job, deepcopy(dict(block)))
    if "tasks" not in job:
        for experiment in job["experiments"].values():
            if experiment["model"] != "blend":
                experiment.setdefault("loss", "softmax" if job["kind"] == "ranking" else "binary")
    job["release"] = {"champion": next(iter(job.get("experiments", {})))}
    return job


def refused(name: str, block: Mapping[str, Any]) -> str | None:
    """What is said of a block in a job; none where it is taken."""
    job = job_with(name, block)
    try:
        check_models(parse_job(yaml.safe_dump(job, sort_keys=False), PROJECT / "conf/quality" / f"{job['job']}.yaml"))
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", [name for name in BLOCKS if not name.startswith("Optimisers")])
def test_the_settings_that_the_docs_show_are_taken(name: str) -> None:
    block, said = yaml.safe_load(BLOCKS[name]), {}
    for job in JOBS:
        said[job] = refused(job, block)
        if said[job] is None:
            return
    pytest.fail("\n".join(f"{job}: {each}" for job, each in said.items()))


def test_dense_ftrl_is_for_models_without_hidden_layers() -> None:
    """Two layers of zeros have no gradient: every score would be the same for good."""
    linear = {"model": "pooled", "options": {"units": []}, "optimizer": {"dense": "ftrl"}}
    assert refused("impressions", {"experiments": {"linear": linear}}) is None
    said = refused("impressions", {"experiments": {"deep": linear | {"options": {"units": [4]}}}})
    assert said is not None
    assert "experiments.deep: optimizer: `dense`: ftrl starts every weight at zero" in said


def test_the_optimisers_that_the_docs_show_are_taken() -> None:
    lines = [yaml.safe_load(line)["optimizer"] for line in BLOCKS["Optimisers 1"].splitlines()]
    assert [read_optimizers(each).tables.rate for each in lines] == [None, 0.05, None]
    text = (PROJECT / "docs" / "experiments.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `\w+` \| (tables|dense|both) \| `(\{type: .*?\})` \|", text, flags=re.MULTILINE)
    assert len(rows) == 7
    for of, line in rows:
        for place in ("tables", "dense") if of == "both" else (of,):
            read_optimizers({place: yaml.safe_load(line)})


def test_weights_by_rates_are_of_rates() -> None:
    by_item = {"model": "esmm", "options": {"weighting": "rates", "rates": {"click": "ad_rate", "bought": "ad_rate"}}}
    said = refused("tasks of a shop", {"experiments": {"by_item": by_item}})
    assert said is not None
    assert "experiments.by_item: options.rates.click: 'ad_rate' is no counter of a rate from 0 to 1" in said


def test_negatives_that_no_model_is_trained_by_are_told() -> None:
    job = job_with("impressions with negatives", {})
    config = parse_job(yaml.safe_dump(job, sort_keys=False), Path("ads.yaml"))
    assert check_models(config) == set()
    with pytest.raises(ConfigError, match=r"features\.clicked_ads\.negatives: would have no effect: no exp"):
        _check_all_read(config, set())
    job["experiments"]["pooled"]["options"] = {"encoders": {"clicked": {"type": "pooled", "next": {"weight": 0.1}}}}
    config = parse_job(yaml.safe_dump(job, sort_keys=False), Path("ads.yaml"))
    assert check_models(config) == {"clicked_ads", "clicked_authors"}
    _check_all_read(config, {"clicked_authors"})


@pytest.mark.parametrize(("settings", "said"), [
    ({"model": "gbdt", "learning_rate": 0.1}, "learning_rate: would have no effect: 'gbdt' fits trees (`rate`)"),
    ({"model": "gbdt", "batch": 64}, "batch: would have no effect: 'gbdt' fits trees"),
    ({"model": "gbdt_lr", "batch": 64, "seed": 3}, None),
    ({"model": "lambdarank"}, "loss: 'lambdarank' has none that is binary, only softmax"),
    ({"model": "gbdt", "options": {"days": 101}}, None),
])  # fmt: skip
def test_what_trees_do_not_read_is_told(settings: dict[str, Any], said: str | None) -> None:
    found = refused("impressions", {"experiments": {"trees": settings}})
    assert found is None if said is None else found is not None and f"experiments.trees: {said}" in found


@pytest.mark.parametrize(("settings", "said"), [
    ({"model": "pooled", "workers": 2, "pairwise": 0.5}, "`pairwise` compares the rows of a user in a batch"),
    ({"model": "pooled", "workers": 2}, None),
    ({"model": "gbdt", "workers": 2, "batch": 256}, "batch: would have no effect: 'gbdt' fits trees"),
    ({"model": "popularity", "workers": 2}, "workers: would have no effect: 'popularity' counts"),
    ({"model": "pooled", "device": "gpu"}, "device: TensorFlow finds no GPU here"),
    ({"model": "pooled", "device": "gpu", "workers": 2}, "workers: several train on `device: cpu` alone"),
])  # fmt: skip
def test_what_several_trainers_or_none_could_do_is_told(settings: dict[str, Any], said: str | None) -> None:
    found = refused("impressions", {"experiments": {"many": settings}})
    assert found is None if said is None else found is not None and said in found


def test_no_more_candidates_are_ordered_than_lightgbm_takes() -> None:
    ordered = {"model": "lambdarank", "negatives": 9_999}
    assert refused("homework", {"experiments": {"trees": ordered}}) is None
    said = refused("homework", {"experiments": {"trees": ordered | {"negatives": 10_000}}})
    assert said is not None
    assert "experiments.trees: negatives: LightGBM orders at most 10000 candidates" in said


def test_what_is_not_run_is_not_built() -> None:
    job = job_with("impressions", {})
    (name, good), *_ = job["experiments"].items()
    job["experiments"] = {name: good, "wrong": good | {"options": {"unit": [8]}}}
    config = parse_job(yaml.safe_dump(job, sort_keys=False), Path("ads.yaml"))
    check_models(config, [name])
    with pytest.raises(ConfigError, match=r"experiments\.wrong: model '.*' has no option 'unit'"):
        check_models(config)


def test_a_counter_of_items_which_no_tower_can_be_asked_of_all_items_is_told() -> None:
    counter = {"kind": "dense", "side": "item", "counter": {"key": ["ad"], "measure": "rate"}}
    towers: dict[str, Any] = {"model": "dropoutnet", "loss": "in_batch"}
    changes = {"features": {"ad_rate": counter}, "experiments": {"towers": towers}}
    found = refused("impressions", changes)
    assert found is not None
    assert "experiments.towers: features.ad_rate: is a counter, and" in found
    assert refused("impressions", {**changes, "experiments": {"towers": towers | {"without": ["ad_rate"]}}}) is None


def test_doctor_tells_a_mistake_in_the_yaml_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    (tmp_path / "shop.yaml").write_text("job: shop\ncolour: red\n", encoding="utf-8")
    assert main(["doctor", "--job", "shop"]) == 1
    bad = [line for line in capsys.readouterr().out.splitlines() if line.startswith("BAD")]
    assert [line[: len("BAD   shop: settings:")] for line in bad] == ["BAD   shop: settings:"]
