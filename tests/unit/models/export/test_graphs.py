"""The graph of an earlier export is taken where it is the same one, and only there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from models.engine.batching import DayBatches
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.export import graphs, saved_model
from models.export.graphs import GRAPH, Graph
from models.export.serving_module import ServingModule
from models.schema import DayArrays, FeatureSchema
from tests.unit.models.asked import id_maps, raw_inputs, tensors
from tests.unit.models.school import SIZES

Make = Callable[..., Engine]


def exported(engine: Engine, path: Path, settings: str = "", earlier: Graph | None = None, *, more: int = 0) -> Graph:
    """As a process exports that has just loaded its checkpoint."""
    engine.serving = None
    maps = id_maps(more)
    module = saved_model.module_of(engine, {space: kind for space, (kind, _) in maps.items()})
    key = module.write(path, engine.sizes, maps, {"checkpoint": path.name}, settings, earlier)
    engine.serving = None
    return Graph(key, (path / GRAPH).read_bytes())


def answers(schema: FeatureSchema, path: Path, more: int) -> dict[str, Any]:
    """Of every signature, to the bit."""
    signatures, inputs = tf.saved_model.load(str(path)).signatures, tensors(raw_inputs(schema, id_maps(more), 5, 4))
    found = {
        f"{entry}/{name}": value.numpy().tobytes()
        for entry in ("serving_default", "unknown")
        for name, value in signatures[entry](**inputs).items()
    }
    return {**found, "told": signatures["describe"]()["metadata"].numpy()}


def test_a_later_day_is_the_same_export_by_the_graph_of_an_earlier_one(
    schema: FeatureSchema, day: DayArrays, make_engine: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine("din", {"fill_forward": 1})
    earlier = exported(engine, tmp_path / "earlier")
    batches = DayBatches(engine, day, Settings(16, 3))
    engine.train_epoch(batches, 1e-2, batches.unique_bucket)
    engine.observe(day)
    engine.grow({space: size + 4 for space, size in SIZES.items()})
    assert exported(engine, tmp_path / "traced" / "day", more=4).key == earlier.key
    with monkeypatch.context() as here:
        here.setattr(ServingModule, "_trace", lambda module: pytest.fail("it was traced again"))
        taken = exported(engine, tmp_path / "taken" / "day", "", earlier, more=4)
    assert taken == earlier
    expected = answers(schema, tmp_path / "traced" / "day", 4)
    assert answers(schema, tmp_path / "taken" / "day", 4) == expected
    assert expected["told"] == b'{"checkpoint": "day"}'
    assert answers(schema, tmp_path / "earlier", 4) != expected


def test_a_graph_of_anything_else_is_not_taken(
    make_engine: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    good = exported(engine, tmp_path / "good", "batch 128")
    other = Graph(good.key, b"another graph")
    assert exported(engine, tmp_path / "known", "batch 128", other).content == other.content
    assert exported(engine, tmp_path / "settings", "batch 256", other).content != other.content
    wider = make_engine(dims={**dict.fromkeys(SIZES, 8), "style": 6})
    assert exported(wider, tmp_path / "shapes", "batch 128", other).content != other.content
    monkeypatch.setattr(graphs.metadata, "version", lambda name: "a later one")
    assert exported(engine, tmp_path / "libraries", "batch 128", other).content != other.content
    monkeypatch.undo()


def test_a_graph_is_of_the_code_of_all_models_and_of_the_models_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (models := tmp_path / "models").mkdir()
    (own := tmp_path / "own.py").write_text("class Mine: ...")
    (models / "pooled.py").write_text("class Pooled: ...")
    monkeypatch.setattr(graphs, "_MODELS", models)
    before = graphs._code.__wrapped__(str(own))
    assert graphs._code.__wrapped__(str(own)) == before
    own.write_text("class Mine: pass")
    changed = graphs._code.__wrapped__(str(own))
    assert changed != before
    own.write_text("class Mine: ...")
    (models / "layers.py").write_text("x = 1")
    assert graphs._code.__wrapped__(str(own)) not in (before, changed)
