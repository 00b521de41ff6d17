from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
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
from models.schema import (
    MISSING_INT,
    MISSING_STR,
    PAD_INT,
    PAD_STR,
    UNKNOWN,
    Columns,
    DayArrays,
    FeatureSchema,
    Kind,
    Layout,
    Side,
)
from models.tasks import Task
from tests.unit.models import linear_and_wide
from tests.unit.models.school import SIZES

Make = Callable[..., Engine]


def id_maps(more: int = 0) -> dict[str, tuple[str, np.ndarray]]:
    """Raw ids, large and in no order; ``more`` that the model has never seen."""
    maps: dict[str, tuple[str, np.ndarray]] = {}
    for space, size in SIZES.items():
        count = size - 2 + more
        if space == "section":
            maps[space] = ("str", np.asarray([f"s{i:03d}é" for i in range(count)], object))
        else:
            maps[space] = ("int", (np.arange(count) * 7919 + 54377) % 1_000_003 * 5)
    return maps


def raw_inputs(schema: FeatureSchema, maps: dict[str, tuple[str, np.ndarray]], batch: int, candidates: int) -> Any:
    """Rows with known, unknown, missing and padding values; the first has an empty history."""
    draw = np.random.default_rng(5)
    inputs: dict[str, np.ndarray] = {}
    for feature in schema.features:
        own = {
            Kind.CATEGORICAL: (),
            Kind.BAG: (3,),
            Kind.SEQUENCE: (feature.steps,),
            Kind.BAG_SEQUENCE: (feature.lead + feature.steps, 3),
            Kind.DENSE: (feature.size,),
            Kind.VECTOR: (feature.size,),
        }[feature.kind]
        shape = ((batch,) if feature.side is Side.REQUEST else (batch, candidates)) + own
        if not feature.has_ids:
            values = draw.normal(size=shape).astype(np.float32)
            values[draw.random(shape) < 0.2] = np.nan
            inputs[feature.name] = values
            continue
        kind, ids = maps[str(feature.space)]
        odd = [PAD_INT, MISSING_INT, 10**12] if kind == "int" else [PAD_STR, MISSING_STR, "never seen"]
        choice = [*ids.tolist(), *odd * 4]
        picked = [choice[i] for i in draw.integers(0, len(choice), int(np.prod(shape)))]
        inputs[feature.name] = np.asarray(picked, np.int64 if kind == "int" else object).reshape(shape)
        if feature.kind in (Kind.SEQUENCE, Kind.BAG_SEQUENCE):
            inputs[feature.name][0] = odd[0]
    return inputs


def by_the_trainer(engine: Engine, maps: saved_model.Maps, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Logits ``[batch, candidates]``: ids looked up in numpy, laid out as a day's arrays, scored as a test does."""
    index = {
        name: _index_of(engine, maps, name, values) for name, values in inputs.items() if engine.schema[name].has_ids
    }
    shape = next(v.shape[:2] for n, v in inputs.items() if engine.schema[n].side is not Side.REQUEST)
    batch, candidates = int(shape[0]), int(shape[1])
    widths = {n: v.shape[-1] for n, v in index.items() if engine.schema[n].kind in (Kind.BAG, Kind.BAG_SEQUENCE)}
    layout = Layout.of(engine.schema, widths)

    def matrix(
        columns: Mapping[str, Columns], source: Mapping[str, NDArray[Any]], rows: int, kind: Any
    ) -> NDArray[Any]:
        parts = [np.reshape(source[name], (rows, -1)) for name in columns]
        return np.concatenate(parts, axis=1).astype(kind) if parts else np.zeros((rows, 0), kind)

    pairs = batch * candidates
    arrays = DayArrays(
        layout=layout,
        request_ids=matrix(layout.request_ids, index, batch, np.int32),
        request_dense=matrix(layout.request_dense, inputs, batch, np.float32),
        item_ids=matrix(layout.item_ids, index, pairs, np.int32),
        item_dense=matrix(layout.item_dense, inputs, pairs, np.float32),
        offsets=np.arange(batch + 1, dtype=np.int64) * candidates,
        pair_item=np.arange(pairs, dtype=np.int32),
        pair_dense=matrix(layout.pair_dense, inputs, pairs, np.float32),
        label=np.zeros((pairs, 1), np.int8),
        weight=np.ones(batch, np.float32),
        user=np.zeros(batch, np.int32),
    )
    return score_day(engine, arrays).reshape(batch, candidates)


def _index_of(engine: Engine, maps: saved_model.Maps, name: str, raw: NDArray[Any]) -> NDArray[np.int32]:
    feature = engine.schema[name]
    kind, ids = maps[str(feature.space)]
    ids = ids[: engine.sizes[str(feature.space)] - 2]
    specials = [PAD_INT, MISSING_INT] if kind == "int" else [PAD_STR, MISSING_STR]
    place = {value: index for index, value in enumerate([*specials, *np.asarray(ids).tolist()])}
    values = [value.decode() if isinstance(value, bytes) else value for value in np.ravel(raw).tolist()]
    index = np.asarray([place.get(value, UNKNOWN) for value in values], np.int32).reshape(raw.shape)
    return np.maximum(index, UNKNOWN) if feature.kind is Kind.CATEGORICAL else index


def tensors(inputs: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(v.tolist() if v.dtype == object else v) for name, v in inputs.items()}


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
    saved_model.export(engine, id_maps(), tmp_path / "first", {})
    batches = DayBatches(engine, day, Settings(16, 3))
    engine.train_epoch(batches, 1e-2, batches.unique_bucket)
    engine.observe(day)
    engine.grow({space: size + 4 for space, size in SIZES.items()})
    maps = id_maps(more=7)
    saved_model.export(engine, maps, tmp_path / "second", {"job": "homework", "checkpoint": "day=2024-03-01"})
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


def test_an_older_state_exported_after_a_newer_one_knows_fewer_ids(
    schema: FeatureSchema, make_engine: Make, tmp_path: Path
) -> None:
    engine = make_engine()
    old = engine.state()
    maps = id_maps(more=5)
    engine.grow({space: size + 5 for space, size in SIZES.items()})
    saved_model.export(engine, maps, tmp_path / "new", {})
    engine.load(old)
    saved_model.export(engine, maps, tmp_path / "old", {})
    late = maps["section"][1][-1]
    for name, share in (("new", 0.0), ("old", 1.0)):
        loaded = tf.saved_model.load(str(tmp_path / name))
        inputs = raw_inputs(schema, id_maps(), 2, 2)
        inputs["section"][:] = late
        assert float(loaded.signatures["unknown"](**tensors(inputs))["section"]) == share


def test_a_candidate_of_padding_has_no_probability(schema: FeatureSchema, make_engine: Make, tmp_path: Path) -> None:
    engine = make_engine()
    saved_model.export(engine, id_maps(), tmp_path / "model", {})
    inputs = raw_inputs(schema, id_maps(), 2, 3)
    for feature in schema.on(Side.ITEM, ids=True):
        inputs[feature.name][1, 2] = PAD_STR if feature.space == "section" else PAD_INT
        if feature.kind is Kind.CATEGORICAL:
            inputs[feature.name][:, :2] = id_maps()[str(feature.space)][1][0]
    run = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    probability = run(**tensors(inputs))["probability"].numpy()
    assert probability[1, 2] == 0.0
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, atol=1e-6)


def test_a_map_with_fewer_ids_than_the_model_is_refused(make_engine: Make, tmp_path: Path) -> None:
    maps = id_maps()
    maps["style"] = ("int", maps["style"][1][:-1])
    with pytest.raises(ValueError, match="id space 'style': the model knows 6 ids, its map holds only 5"):
        saved_model.export(make_engine(), maps, tmp_path / "model", {})


def test_every_table_of_a_space_is_exported(
    schema: FeatureSchema, day: DayArrays, make_engine: Make, tmp_path: Path
) -> None:
    engine = make_engine(linear_and_wide.NAME)
    batches = DayBatches(engine, day, Settings(16, 3))
    engine.train_epoch(batches, 1e-1, batches.unique_bucket)
    saved_model.export(engine, id_maps(), tmp_path / "model", {})
    inputs = raw_inputs(schema, id_maps(), 5, 4)
    run = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    np.testing.assert_allclose(run(**tensors(inputs))["logit"], by_the_trainer(engine, id_maps(), inputs), atol=1e-6)
