from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from models.engine.batching import DayBatches, score_day
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.export import saved_model
from models.export.serving_module import Maps
from models.export.towers import towers_of
from models.schema import (
    PAD_INT,
    PAD_STR,
    DayArrays,
    Feature,
    FeatureSchema,
    Kind,
    Side,
)
from models.tasks import Task
from tests.unit.models import linear_and_wide
from tests.unit.models.asked import arrays_of, id_maps, raw_inputs, tensors
from tests.unit.models.school import SIZES

Make = Callable[..., Engine]


def export(engine: Engine, maps: Maps, path: Path, metadata: Mapping[str, object]) -> None:
    module = saved_model.module_of(engine, {space: kind for space, (kind, _) in maps.items()})
    module.write(path, engine.sizes, maps, metadata)


def by_the_trainer(engine: Engine, maps: Maps, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Logits ``[batch, candidates]``, scored as a test does."""
    batch = len(next(iter(inputs.values())))
    return score_day(engine, arrays_of(engine.schema, engine.sizes, maps, inputs)).reshape(batch, -1)


FRESH = """
import json, sys
import tensorflow as tf
inputs = json.load(open(sys.argv[2]))
model = tf.saved_model.load(sys.argv[1])
run = model.signatures["serving_default"]
specs = run.structured_input_signature[1]
given = {name: tf.constant(values, specs[name].dtype) for name, values in inputs.items()}
out = {name: value.numpy().tolist() for name, value in run(**given).items()}
out["dtypes"] = {name: spec.dtype.name for name, spec in specs.items()}
out["shapes"] = {name: spec.shape.as_list() for name, spec in specs.items()}
out["unknown"] = {n: float(v) for n, v in model.signatures["unknown"](**given).items()}
out["metadata"] = model.signatures["describe"]()["metadata"].numpy().decode()
out["modules"] = sorted(name for name in sys.modules if name.split(".")[0] in ("models", "pipeline"))
json.dump(out, open(sys.argv[3], "w"))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("model", "loss"), [("din", "softmax"), ("pooled", "binary")])
def test_a_clean_process_scores_as_the_trainer_does(
    model: str, loss: str, schema: FeatureSchema, day: DayArrays, make_engine: Make, tmp_path: Path
) -> None:
    """The second export of an engine, after a growth: its graph is that of the first."""
    engine = make_engine(model, {"fill_forward": 1}, tasks=(Task(loss=loss),))
    export(engine, id_maps(), tmp_path / "first", {})
    batches = DayBatches(engine, day, Settings(16, 3))
    engine.train_epoch(batches, 1e-2, batches.unique_bucket)
    engine.observe(day)
    engine.grow({space: size + 4 for space, size in SIZES.items()})
    maps = id_maps(more=7)
    export(engine, maps, tmp_path / "second", {"job": "homework", "checkpoint": "day=2024-03-01"})
    inputs = raw_inputs(schema, maps, 5, 4)
    expected = by_the_trainer(engine, maps, inputs)

    lists = {
        name: np.where(v == v, v, np.nan).tolist() if v.dtype == np.float32 else v.tolist()
        for name, v in inputs.items()
    }
    (tmp_path / "inputs.json").write_text(json.dumps(lists))
    subprocess.run(
        [sys.executable, "-I", "-c", FRESH, "second", "inputs.json", "out.json"], cwd=tmp_path, check=True, timeout=300
    )
    out = json.loads((tmp_path / "out.json").read_text())
    assert out["modules"] == []
    np.testing.assert_allclose(out["logit"], expected, atol=1e-6)
    exponent = np.exp(expected.astype(np.float64))
    probability = exponent / exponent.sum(axis=1, keepdims=True) if loss == "softmax" else exponent / (1 + exponent)
    np.testing.assert_allclose(out["probability"], probability, atol=1e-6)
    assert json.loads(out["metadata"]) == {"job": "homework", "checkpoint": "day=2024-03-01"}
    assert out["dtypes"]["chapters"] == "int64"
    assert out["dtypes"]["sections"] == "string"
    assert out["dtypes"]["counters"] == "float32"
    assert out["shapes"]["chapters"] == [None, 7, None]
    assert out["shapes"]["teacher"] == [None]
    assert out["shapes"]["chapter"] == [None, None, None]
    assert out["shapes"]["counters"] == [None, None, 2]
    known = maps["style"][1][: SIZES["style"] + 2].tolist()
    unknown = np.mean([value not in known for value in inputs["style"].ravel().tolist()])
    assert out["unknown"]["style"] == pytest.approx(unknown, abs=1e-6)
    sections = [value for value in inputs["section"].ravel().tolist() if value != PAD_STR]
    known = maps["section"][1][: SIZES["section"] + 2].tolist()
    assert out["unknown"]["section"] == pytest.approx(np.mean([v not in known for v in sections]), abs=1e-6)


TOWERS = """
import json, sys, numpy as np, tensorflow as tf
out = {}
for name in ("user", "item"):
    model = tf.saved_model.load(name).signatures["serving_default"]
    specs = model.structured_input_signature[1]
    given = {n: tf.constant(v, specs[n].dtype) for n, v in json.load(open(sys.argv[1])).items() if n in specs}
    out[name] = {"inputs": sorted(specs), "vectors": {n: v.numpy().tolist() for n, v in model(**given).items()}}
json.dump(out, open(sys.argv[2], "w"))
"""


@pytest.mark.slow
def test_each_tower_runs_in_a_clean_process_of_its_own_inputs_and_both_make_the_whole(
    schema: FeatureSchema, make_engine: Make, tmp_path: Path
) -> None:
    engine = make_engine("dropoutnet", {"preference": ["teacher", "style", "picture"], "units": [8]})
    maps = id_maps()
    export(engine, maps, tmp_path / "whole", {})
    for name, tower in towers_of(engine, {space: kind for space, (kind, _) in maps.items()}).items():
        tower.write(tmp_path / name, engine.sizes, maps, {})
    inputs = raw_inputs(engine.schema, maps, 5, 4)
    (tmp_path / "in.json").write_text(json.dumps({name: values.tolist() for name, values in inputs.items()}))
    subprocess.run([sys.executable, "-I", "-c", TOWERS, "in.json", "out.json"], cwd=tmp_path, check=True, timeout=300)
    out = json.loads((tmp_path / "out.json").read_text())
    of_items = {"chapter", "section", "style", "picture", "rank"}
    assert set(out["item"]["inputs"]) == of_items
    assert set(out["user"]["inputs"]) == {f.name for f in schema.features} - of_items - {"counters"}
    user, item = (np.asarray(out[name]["vectors"][f"vector/{name}"]) for name in ("user", "item"))
    assert user.shape == (5, 65)
    np.testing.assert_allclose((user[:, None] * item).sum(-1), by_the_trainer(engine, maps, inputs), atol=1e-5)


def test_an_older_state_exported_after_a_newer_one_knows_fewer_ids(
    schema: FeatureSchema, make_engine: Make, tmp_path: Path
) -> None:
    engine = make_engine()
    old = engine.state()
    maps = id_maps(more=5)
    engine.grow({space: size + 5 for space, size in SIZES.items()})
    export(engine, maps, tmp_path / "new", {})
    engine.load(old)
    export(engine, maps, tmp_path / "old", {})
    late = maps["section"][1][-1]
    for name, share in (("new", 0.0), ("old", 1.0)):
        loaded = tf.saved_model.load(str(tmp_path / name))
        inputs = raw_inputs(schema, id_maps(), 2, 2)
        inputs["section"][:] = late
        assert float(loaded.signatures["unknown"](**tensors(inputs))["section"]) == share


def test_a_candidate_of_padding_has_no_probability(schema: FeatureSchema, make_engine: Make, tmp_path: Path) -> None:
    engine = make_engine()
    export(engine, id_maps(), tmp_path / "model", {})
    inputs = raw_inputs(schema, id_maps(), 2, 3)
    for feature in schema.on(Side.ITEM, ids=True):
        inputs[feature.name][1, 2] = PAD_STR if feature.space == "section" else PAD_INT
        if feature.kind is Kind.CATEGORICAL:
            inputs[feature.name][:, :2] = id_maps()[str(feature.space)][1][0]
    run = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    probability = run(**tensors(inputs))["probability"].numpy()
    assert probability[1, 2] == 0.0
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, atol=1e-6)


def test_a_model_of_numbers_alone_is_trained_and_gives_padding_no_probability(tmp_path: Path) -> None:
    """Candidates of a pair's counters, of which a padded one has none; there is no table to read."""
    schema = FeatureSchema((Feature("counters", Kind.DENSE, Side.PAIR, size=2),), {})
    engine = Engine(schema, "pooled", {"units": [4]}, dims={}, tasks=(Task(loss="softmax"),), compile="graph")
    engine.fresh({})
    counters = np.random.default_rng(0).normal(size=(2, 3, 2)).astype(np.float32)
    day = arrays_of(schema, {}, {}, {"counters": counters})
    label = np.zeros_like(day.label)
    label[[0, 3]] = 1  # each request's first candidate
    day = replace(day, label=label)
    batches = DayBatches(engine, day, Settings(2, 2))
    before = by_the_trainer(engine, {}, {"counters": counters})
    for _ in range(2):  # the step of the first is taken up by the second
        engine.train_epoch(batches, 1e-1, batches.unique_bucket)
    expected = by_the_trainer(engine, {}, {"counters": counters})
    assert np.abs(expected - before).max() > 1e-3
    export(engine, {}, tmp_path / "model", {})
    counters[1, 2] = np.nan
    run = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    probability = run(counters=tf.constant(counters))["probability"].numpy()
    assert probability[1, 2] == 0.0
    share = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probability[0], share[0], atol=1e-6)
    two = np.exp(expected[1, :2])
    np.testing.assert_allclose(probability[1, :2], two / two.sum(), atol=1e-6)


def test_a_map_with_fewer_ids_than_the_model_is_refused(make_engine: Make, tmp_path: Path) -> None:
    maps = id_maps()
    maps["style"] = ("int", maps["style"][1][:-1])
    with pytest.raises(ValueError, match="id space 'style': the model knows 6 ids, its map holds only 5"):
        export(make_engine(), maps, tmp_path / "model", {})


def test_every_table_of_a_space_is_exported(
    schema: FeatureSchema, day: DayArrays, make_engine: Make, tmp_path: Path
) -> None:
    engine = make_engine(linear_and_wide.NAME)
    batches = DayBatches(engine, day, Settings(16, 3))
    engine.train_epoch(batches, 1e-1, batches.unique_bucket)
    export(engine, id_maps(), tmp_path / "model", {})
    inputs = raw_inputs(schema, id_maps(), 5, 4)
    run = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    np.testing.assert_allclose(run(**tensors(inputs))["logit"], by_the_trainer(engine, id_maps(), inputs), atol=1e-6)
