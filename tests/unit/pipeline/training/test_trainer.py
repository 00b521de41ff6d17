"""What every model of the registry must pass, however it is trained: the acceptance of a new one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import registry
from models.engine.engine import configure
from models.engine.examples import Settings
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Side
from models.tasks import Task
from pipeline.training.blend_trainer import BlendTrainer
from pipeline.training.counting_trainer import CountingTrainer
from pipeline.training.keras_trainer import KerasTrainer
from pipeline.training.trainer import TrainedRows, Trainer
from tests.unit.models.asked import arrays_of, exported, id_maps, raw_inputs
from tests.unit.models.school import SIZES, digest, make_day, school_schema

configure(2)  # the threads of the jobs' settings, whichever test starts TensorFlow
SCHEMA = school_schema()
OPTIONS: dict[str, dict[str, object]] = {"popularity": {}}
BLENDED = {"counted": "popularity", "net": "pooled"}
"""Of models that have no tower of layers."""
MODELS = registry.names()
DAY, NEXT = make_day(SCHEMA), make_day(SCHEMA, seed=1)


def made(model: str, loss: Any = "softmax", schema: FeatureSchema = SCHEMA) -> Trainer:
    if registry.trained_by(model) == registry.BLEND:
        members = {name: made(each, loss, schema) for name, each in BLENDED.items()}
        return BlendTrainer(schema, members, (Task(loss=loss),))
    options = OPTIONS.get(model, {"units": [16, 8]})
    if registry.trained_by(model) == registry.COUNTS:
        return CountingTrainer(schema, model, options, (Task(loss=loss),))
    return KerasTrainer(
        schema, model, options, dims=dict.fromkeys(schema.spaces, 4), tasks=(Task(loss=loss),), compile="graph", seed=3
    )


@pytest.fixture(scope="module")
def fresh() -> Callable[[str], Trainer]:
    """A trainer at the beginning of its chain; one a model, whose compiled steps all tests share."""
    kept: dict[str, Trainer] = {}

    def begin(model: str) -> Trainer:
        trainer = kept.setdefault(model, made(model))
        trainer.fresh(SIZES)
        return trainer

    return begin


def trained(trainer: Trainer, day: DayArrays) -> Trainer:
    if isinstance(trainer, BlendTrainer):
        for member in trainer.members.values():
            trained(member, day)
    trainer.train([TrainedRows("rows", day, [Settings(16, 3, seed=7)])], 1e-2, SIZES)
    trainer.observe(day)
    return trainer


def padded(day: DayArrays, schema: FeatureSchema) -> DayArrays:
    """The same ids in arrays with twice the room for values."""
    widths = {f.name: 2 * f.values for f in schema.features if f.values > 1}
    wide = make_day(schema, widths=widths)
    request_ids, item_ids = np.zeros_like(wide.request_ids), np.zeros_like(wide.item_ids)
    for target, source, to, of in (
        (request_ids, day.request_ids, wide.layout.request_ids, day.layout.request_ids),
        (item_ids, day.item_ids, wide.layout.item_ids, day.layout.item_ids),
    ):
        for name, place in of.items():
            values = source[:, place.start : place.stop].reshape(len(source), *place.shape)
            room = np.zeros((len(source), *to[name].shape), np.int32)
            room[tuple(slice(0, n) for n in values.shape)] = values
            target[:, to[name].start : to[name].stop] = room.reshape(len(source), -1)
    return replace(day, layout=wide.layout, request_ids=request_ids, item_ids=item_ids)


def only(day: DayArrays, request: int) -> DayArrays:
    """One request of a day, by itself."""
    start, stop = int(day.offsets[request]), int(day.offsets[request + 1])
    return replace(
        day, request_ids=day.request_ids[[request]], request_dense=day.request_dense[[request]],
        offsets=np.array([0, stop - start]), pair_item=day.pair_item[start:stop], pair_dense=day.pair_dense[start:stop],
        label=day.label[start:stop], weight=day.weight[[request]], user=day.user[[request]],
    )  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_padding_changes_no_score(model: str, fresh: Callable[[str], Trainer]) -> None:
    trainer = trained(fresh(model), DAY)
    np.testing.assert_allclose(trainer.scores(padded(DAY, SCHEMA)), trainer.scores(DAY), atol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_a_feature_with_an_id_space_may_be_added(model: str, fresh: Callable[[str], Trainer]) -> None:
    """It answers as before until a day is trained, which begins with what is new."""
    added = (Feature("city", Kind.CATEGORICAL, Side.REQUEST, "city"), Feature("heat", Kind.DENSE, Side.ITEM))
    schema = FeatureSchema((*SCHEMA.features, *added), {**SCHEMA.spaces, "city": "int"})
    sizes, old = {**SIZES, "city": 7}, trained(fresh(model), DAY)
    wide = make_day(schema, sizes=sizes)
    grown = made(model, schema=schema)
    grown.load(old.state(), old.architecture)
    np.testing.assert_allclose(grown.scores(wide), old.scores(wide), rtol=1e-5, atol=1e-5)
    assert grown.growth
    grown.grow(sizes)
    assert grown.sizes == sizes
    assert not grown.growth
    grown.train([TrainedRows("rows", wide, [Settings(16, 3, seed=7)])], 1e-2, sizes)
    kept = made(model, schema=schema)
    kept.load(grown.state(), grown.architecture)
    assert not kept.growth
    np.testing.assert_array_equal(kept.scores(wide), grown.scores(wide))


@pytest.mark.parametrize("model", MODELS)
def test_a_request_scores_alone_as_among_others(model: str, fresh: Callable[[str], Trainer]) -> None:
    trainer = trained(fresh(model), DAY)
    together = trainer.scores(DAY)
    for request in (0, 7, DAY.requests - 1):
        pairs = slice(int(DAY.offsets[request]), int(DAY.offsets[request + 1]))
        np.testing.assert_allclose(trainer.scores(only(DAY, request)), together[pairs], atol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_requests_of_whom_nothing_is_known_are_scored_and_trained(model: str, fresh: Callable[[str], Trainer]) -> None:
    trainer = trained(fresh(model), DAY)
    empty = replace(
        DAY, request_ids=np.zeros_like(DAY.request_ids), request_dense=np.full_like(DAY.request_dense, np.nan)
    )  # fmt: skip
    assert np.isfinite(trainer.scores(empty)).all()
    losses = trainer.train([TrainedRows("rows", empty, [Settings(16, 3)])], 1e-2, SIZES)
    assert np.isfinite(losses).all()
    assert np.isfinite(trainer.scores(DAY)).all()


@pytest.mark.parametrize("model", MODELS)
def test_growth_keeps_scores_and_what_was_known(model: str, fresh: Callable[[str], Trainer]) -> None:
    trainer = trained(fresh(model), DAY)
    before, scores = trainer.state(), trainer.scores(DAY)
    bigger = {space: size * 9 for space, size in SIZES.items()}
    trainer.grow(bigger)
    assert trainer.sizes == bigger
    after = trainer.state()
    for name, old in before.items():
        if "size/" not in name:
            np.testing.assert_array_equal(after[name][: len(old)] if old.ndim else after[name], old, err_msg=name)
    np.testing.assert_array_equal(trainer.scores(DAY), scores)
    with pytest.raises(ValueError, match="cannot shrink"):
        trainer.grow(SIZES)


@pytest.mark.parametrize("model", MODELS)
def test_the_same_day_gives_the_same_bits_and_a_stored_state_goes_on_as_if_nothing_had_been(
    model: str, fresh: Callable[[str], Trainer]
) -> None:
    trainer = trained(fresh(model), DAY)
    stored = trainer.state()
    whole = digest(trained(trainer, NEXT).state())
    again = trained(fresh(model), DAY)
    assert digest(again.state()) == digest(stored)
    again.fresh(SIZES)
    again.load(stored)
    assert digest(again.state()) == digest(stored)
    assert digest(trained(again, NEXT).state()) == whole


@pytest.mark.parametrize("model", [name for name in MODELS if registry.trained_by(name) == registry.KERAS])
def test_the_gradient_reaches_every_weight(model: str, fresh: Callable[[str], Trainer]) -> None:
    """After some days each tensor that can learn has moved; of a table, the rows that were read."""
    trainer = fresh(model)
    before = trainer.state()
    for _ in range(2):
        trained(trainer, DAY)
    still = [
        name for name, value in trainer.state().items()
        if name.startswith(("dense/", "table/")) and np.array_equal(value, before[name])
    ]  # fmt: skip
    assert still == []


FRESH = """
import json, sys
import tensorflow as tf
found = {}
for name, asked in json.load(open(sys.argv[1])).items():
    run = tf.saved_model.load(name).signatures["serving_default"]
    specs = run.structured_input_signature[1]
    given = {feature: tf.constant(values, specs[feature].dtype) for feature, values in asked.items()}
    found[name] = run(**given)["logit"].numpy().tolist()
found["modules"] = sorted(name for name in sys.modules if name.split(".")[0] in ("models", "pipeline"))
json.dump(found, open("answers.json", "w"))
"""


@pytest.mark.slow
def test_a_clean_process_answers_as_the_trainers_do(fresh: Callable[[str], Trainer], tmp_path: Path) -> None:
    """All models in one process that has TensorFlow and nothing of ours; each exported once empty, then grown."""
    asked, expected = {}, {}
    for model in MODELS:
        trainer = fresh(model)
        exported(trainer, tmp_path / f"{model}-empty", id_maps(), {})
        trained(trainer, DAY)
        trainer.grow({space: size + 4 for space, size in SIZES.items()})
        maps = id_maps(more=7)
        exported(trainer, tmp_path / model, maps, {"job": "homework"})
        inputs = raw_inputs(SCHEMA, maps, 5, 4)
        expected[model] = trainer.scores(arrays_of(SCHEMA, trainer.sizes, maps, inputs))[:, 0].reshape(5, 4)
        asked[model] = {name: values.tolist() for name, values in inputs.items()}
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    subprocess.run([sys.executable, "-I", "-c", FRESH, "asked.json"], cwd=tmp_path, check=True, timeout=300)
    answers = json.loads((tmp_path / "answers.json").read_text())
    assert answers.pop("modules") == []
    for model, logits in answers.items():
        np.testing.assert_allclose(logits, expected[model], rtol=1e-5, atol=1e-6, err_msg=model)
