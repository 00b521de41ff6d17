"""A job's YAML on top of another one's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.extends import settings
from pipeline.config.load import load_job
from pipeline.errors import ConfigError
from tests.unit.pipeline.config.edited import ROOT

BASE = """
job: ads
x-small: &small {dim: 4}
tables:
  log: {source: log, columns: {a: {type: int}, b: {type: str}}}
features: {a: {kind: dense, source: row.a}, b: {kind: categorical, source: row.b}}
experiments: {one: {<<: *small, model: din}}
grids: {many: {axes: {seed: [1, 2]}}}
"""


def found(folder: Path, text: str, name: str = "sub/ads.yaml") -> dict[str, Any]:
    (folder / "ads.yaml").write_text(BASE, encoding="utf-8")
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return settings(path).data


def test_mappings_are_put_together_and_all_else_is_the_nearer_files(tmp_path: Path) -> None:
    own = "extends: ../ads.yaml\ntables: {log: {source: other, columns: {c: {type: int}, a: {min: 0}}}}\nthreads: 2"
    assert found(tmp_path, own) == {
        "job": "ads", "threads": 2,
        "tables": {"log": {"source": "other", "columns": {
            "a": {"type": "int", "min": 0}, "b": {"type": "str"}, "c": {"type": "int"},
        }}},
        "features": {"a": {"kind": "dense", "source": "row.a"}, "b": {"kind": "categorical", "source": "row.b"}},
        "experiments": {"one": {"dim": 4, "model": "din"}},
        "grids": {"many": {"axes": {"seed": [1, 2]}}},
    }  # fmt: skip
    assert list(found(tmp_path, own)["tables"]["log"]["columns"]) == ["a", "b", "c"], "those of the base come first"


def test_what_is_of_another_kind_is_the_nearer_files(tmp_path: Path) -> None:
    own = "extends: ../ads.yaml\nfeatures: {a: {kind: dense, size: 2}, b: {kind: dense, counter: {measure: listed}}}"
    assert found(tmp_path, own)["features"] == {
        "a": {"kind": "dense", "source": "row.a", "size": 2},
        "b": {"kind": "dense", "counter": {"measure": "listed"}},
    }


def test_experiments_and_grids_are_the_nearer_files_where_it_has_any(tmp_path: Path) -> None:
    given = found(tmp_path, "extends: ../ads.yaml\nexperiments: {two: {model: pooled}}")
    assert given["experiments"] == {"two": {"model": "pooled"}}
    assert "grids" not in given
    given = found(tmp_path, "extends: ../ads.yaml\ngrids: {}")
    assert ("experiments" in given, given["grids"]) == (False, {})


def test_what_is_null_is_null_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    given = found(tmp_path, "extends: {file: ../ads.yaml, without: [features.b, tables.log.columns.b]}\njob: null")
    assert str(given["job"]) == "null", "as it is read of any file"
    assert given["features"].keys() == given["tables"]["log"]["columns"].keys() == {"a"}


def test_a_base_may_extend_another(tmp_path: Path) -> None:
    found(tmp_path, "extends: ../ads.yaml\nthreads: 2")
    path = tmp_path / "sub" / "deeper.yaml"
    path.write_text("extends: ads.yaml\nseed: 3", encoding="utf-8")
    told = settings(path)
    assert (told.data["job"], told.data["threads"], told.data["seed"]) == ("ads", 2, 3)
    assert told.where == f"{path} (on top of {tmp_path}/sub/ads.yaml (on top of {tmp_path}/sub/../ads.yaml))"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("ads.yaml", "extends: 'ads.yaml' extends this file in turn"),
        ("../none.yaml", "extends: '../none.yaml' is no file; it is looked for from the folder "),
        ("[../ads.yaml]", "names no file; write `extends: ../ads.yaml`"),
        ("{file: ../ads.yaml, but: 1}", "names no file"),
        ("{file: ../ads.yaml, without: features.b}", "names no file"),
        (
            "{file: ../ads.yaml, without: [feature.b]}",
            "there is no 'feature.b' in what is extended (is 'features' meant?)",
        ),
        ("{file: ../ads.yaml, without: [features.bb]}", "there is no 'bb' in what is extended (is 'b' meant?)"),
        ("{file: ../ads.yaml, without: [job.b]}", "there is no 'job.b' in what is extended"),
    ],
)
def test_what_cannot_be_extended_is_said(tmp_path: Path, given: str, says: str) -> None:
    with pytest.raises(ConfigError, match=r"sub/ads\.yaml: extends") as error:
        found(tmp_path, f"extends: {given}")
    assert says in str(error.value)


def test_a_base_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "below.yaml").write_bytes(b"job: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"below\.yaml: is not UTF-8 text \(byte 8\): save it as UTF-8"):
        found(tmp_path, "extends: ../below.yaml")


def test_a_mistake_names_both_files(tmp_path: Path) -> None:
    base = ROOT / "conf/ads.yaml"
    (tmp_path / "ads.yaml").write_text(f"extends: {base}\nthreads: many\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_job("ads", tmp_path)
    assert str(error.value).startswith(f"{tmp_path}/ads.yaml (on top of {base}): threads: ")


def test_the_examples_that_stand_on_others_are_taken() -> None:
    """Every model of interactions over public data, and the sweeps that were run."""
    ads = load_job("ads", ROOT / "examples" / "conf" / "interactions")
    assert {each.model for each in ads.experiments.values()} >= {"lr", "fm", "ffm", "dnn", "deepfm", "autoint"}
    assert ads.features == load_job("ads", ROOT / "examples" / "conf").features
    swept = load_job("criteo", ROOT / "examples" / "conf" / "sweeps").experiments
    assert {each.batch for each in swept.values()} == {256, 512, 1024}
    assert {each.epochs for each in swept.values()} == {1, 4, 10}
    assert {each.learning_rate for each in swept.values()} == {1e-2, 1e-3, 1e-4}
