"""What every model of the registry must pass, however it is trained: the acceptance of a new one.

All tests of a model run one after the other, on one trainer: what costs is to trace a step, once a shape.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import registry
from models.engine import batching
from models.engine.engine import configure
from models.engine.examples import Settings
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Side
from models.tasks import Task
from pipeline.training.blend_trainer import BlendTrainer
from pipeline.training.counting_trainer import CountingTrainer
from pipeline.training.keras_trainer import KerasTrainer
from pipeline.training.trainer import TrainedRows, Trainer
from pipeline.training.tree_trainer import TreeTrainer
from tests.unit.models.asked import arrays_of, exported, id_maps, raw_inputs
from tests.unit.models.school import SIZES, digest, make_day, school_schema

configure(2)  # the threads of the jobs' settings, whichever test starts TensorFlow
SCHEMA = school_schema()
OPTIONS: dict[str, dict[str, object]] = {
    "popularity": {},
    "lr": {},
    "xdeepfm": {"units": [8], "maps": [6, 4]},
    "dlrm": {"units": [8], "bottom_units": [8]},
    "autoint": {"attention_widths": [4]},
    "fm": {},
    "ffm": {},
    "esmm": {"units": [8], "own": {"second": ["study", "behaviours"]}, "weighting": "learnt"},
    "shared_bottom": {"units": [8], "bottom_units": [16], "own": {"label": ["rank"]}},
    "mmoe": {"units": [8], "experts": 3, "expert_units": [16]},
    "ple": {"units": [8], "experts": 1, "expert_units": [16], "entire_space": True},
    "dien": {
        "units": [8],
        "encoder": {"attention_units": [4], "query": True},
        "encoders": {"clicks": {"type": "pooled"}},
    },
    "bst": {"units": [8], "encoder": {"positions": "learnt"}, "encoders": {"clicks": {"type": "pooled"}}},
    "dsin": {"units": [8], "encoder": {"attention_units": [4]}},
    "gru": {"units": [16, 8], "encoders": {"clicks": {"type": "pooled"}, "behaviours": {"type": "pooled"}}},
    "bgru": {"units": [16, 8], "encoders": {"clicks": {"type": "pooled"}, "behaviours": {"type": "pooled"}}},
    "transformer": {"units": [8], "encoders": {"clicks": {"type": "pooled"}, "behaviours": {"type": "pooled"}}},
}
"""Of models without a tower; and of each that goes through steps one history does, as tracing more tells no more."""
TREES = {"trees": 8, "leaves": 4, "rows": 5, "rate": 0.3}
SEVERAL = ("esmm", "mmoe", "ple", "shared_bottom")
"""Models of several tasks, which are asked two, the second given the first; all others one."""
BLENDED = {"counted": "popularity", "net": "pooled"}
LEARNING = [name for name in registry.names() if registry.trained_by(name) == registry.KERAS]
MODELS = [*LEARNING, *(name for name in registry.names() if name not in LEARNING)]
"""Those that learn by gradients first, so that a test of them alone has each in its place among the others."""


def two_tasks(day: DayArrays) -> DayArrays:
    """The day with a second task: of what was taken, whether the pair's number is even."""
    label = np.asarray(day.label)[:, 0]
    second = np.where(label == 1, np.arange(len(label), dtype=np.int8) % 2, np.int8(-1)).astype(np.int8)
    return replace(day, label=np.stack([label, second], axis=1), tasks=("label", "second"))


DAY, NEXT = two_tasks(make_day(SCHEMA)), two_tasks(make_day(SCHEMA, seed=1))


def asked_of(model: str, loss: Any) -> tuple[Task, ...]:
    if model in SEVERAL:
        return Task("label"), Task("second", given="label", joint="both")
    return (Task(loss=loss),)


def made(model: str, loss: Any = "softmax", schema: FeatureSchema = SCHEMA) -> Trainer:
    if registry.trained_by(model) == registry.BLEND:
        members = {name: made(each, loss, schema) for name, each in BLENDED.items()}
        return BlendTrainer(schema, members, (Task(loss=loss),))
    options = OPTIONS.get(model, {"units": [16, 8]})
    if registry.trained_by(model) == registry.COUNTS:
        return CountingTrainer(schema, model, options, (Task(loss=loss),))
    if registry.trained_by(model) == registry.TREES:
        return TreeTrainer(schema, model, TREES, (Task(loss=loss),))
    return KerasTrainer(
        schema, model, options, dims=dict.fromkeys(schema.spaces, 4), tasks=asked_of(model, loss), compile="graph",
        seed=3,
    )  # fmt: skip


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def begun(model: str) -> Iterator[Trainer]:
    """One a model, whose compiled steps all tests share.

    They are the same for days with many ids and with none, and score too few rows for a recurrence to cut them up.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching, "_SCORED_PAIRS", 256)
        patch.setattr(batching, "step_of_ladder", lambda rows: max(rows, 384))
        yield made(model)


@pytest.fixture
def fresh(begun: Trainer) -> Trainer:
    """A trainer at the beginning of its chain."""
    begun.fresh(SIZES)
    return begun


def trained(trainer: Trainer, day: DayArrays) -> Trainer:
    if isinstance(trainer, BlendTrainer):
        for member in trainer.members.values():
            trained(member, day)
    trainer.train([TrainedRows("rows", day, [Settings(16, 3, seed=7)])], 1e-2, SIZES)
    trainer.observe(day)
    return trainer


def moved(day: DayArrays, into: DayArrays) -> DayArrays:
    """A day in the requests' and items' arrays of another, which have at least its room, and more columns."""
    found: dict[str, Any] = {}
    for name in ("request_ids", "request_dense", "item_ids", "item_dense"):
        source, target, to = getattr(day, name), getattr(into, name).copy(), getattr(into.layout, name)
        for feature, place in getattr(day.layout, name).items():
            values = source[:, place.start : place.stop].reshape(len(source), *place.shape)
            room = np.zeros((len(source), *to[feature].shape), source.dtype)
            room[tuple(slice(0, n) for n in values.shape)] = values
            target[:, to[feature].start : to[feature].stop] = room.reshape(len(source), -1)
        found[name] = target
    return replace(day, layout=into.layout, **found)


def only(day: DayArrays, request: int) -> DayArrays:
    """One request of a day, by itself."""
    start, stop = int(day.offsets[request]), int(day.offsets[request + 1])
    return replace(
        day, request_ids=day.request_ids[[request]], request_dense=day.request_dense[[request]],
        offsets=np.array([0, stop - start]), pair_item=day.pair_item[start:stop], pair_dense=day.pair_dense[start:stop],
        label=day.label[start:stop], weight=day.weight[[request]], user=day.user[[request]],
    )  # fmt: skip


def test_padding_changes_no_score(fresh: Trainer) -> None:
    """The same ids in arrays with twice the room for values."""
    trainer = trained(fresh, DAY)
    room = make_day(SCHEMA, widths={f.name: 2 * f.values for f in SCHEMA.features if f.values > 1})
    np.testing.assert_allclose(trainer.scores(moved(DAY, room)), trainer.scores(DAY), atol=1e-6)


def test_a_feature_with_an_id_space_may_be_added(model: str, fresh: Trainer) -> None:
    """It answers as before until a day is trained, which begins with what is new."""
    added = (Feature("city", Kind.CATEGORICAL, Side.REQUEST, "city"), Feature("heat", Kind.DENSE, Side.ITEM))
    schema = FeatureSchema((*SCHEMA.features, *added), {**SCHEMA.spaces, "city": "int"})
    sizes, old = {**SIZES, "city": 7}, trained(fresh, DAY)
    wide = moved(DAY, make_day(schema, sizes=sizes))
    grown = made(model, schema=schema)
    grown.load(old.state(), old.architecture)
    np.testing.assert_allclose(grown.scores(wide), old.scores(DAY), rtol=1e-5, atol=1e-5)
    assert grown.growth
    grown.grow(sizes)
    assert grown.sizes == sizes
    assert not grown.growth
    grown.train([TrainedRows("rows", wide, [Settings(16, 3, seed=7)])], 1e-2, sizes)
    kept = made(model, schema=schema)
    kept.load(grown.state(), grown.architecture)
    assert not kept.growth
    np.testing.assert_array_equal(kept.scores(wide), grown.scores(wide))


def test_a_request_scores_alone_as_among_others(fresh: Trainer) -> None:
    """With one candidate, and with as many as the day's others are scored with: two shapes."""
    trainer = trained(fresh, DAY)
    together = trainer.scores(DAY)
    for request, candidates in ((0, 11), (7, 1), (57, 9)):
        assert DAY.candidates[request] == candidates
        pairs = slice(int(DAY.offsets[request]), int(DAY.offsets[request + 1]))
        np.testing.assert_allclose(trainer.scores(only(DAY, request)), together[pairs], atol=1e-6)


def test_requests_of_whom_nothing_is_known_are_scored_and_trained(fresh: Trainer) -> None:
    trainer = trained(fresh, DAY)
    empty = replace(
        DAY, request_ids=np.zeros_like(DAY.request_ids), request_dense=np.full_like(DAY.request_dense, np.nan)
    )  # fmt: skip
    assert np.isfinite(trainer.scores(empty)).all()
    losses = trainer.train([TrainedRows("rows", empty, [Settings(16, 3)])], 1e-2, SIZES)
    assert np.isfinite(losses).all()
    assert np.isfinite(trainer.scores(DAY)).all()


def test_the_same_day_gives_the_same_bits_and_a_stored_state_goes_on_as_if_nothing_had_been(fresh: Trainer) -> None:
    trainer = trained(fresh, DAY)
    stored = trainer.state()
    whole = digest(trained(trainer, NEXT).state())
    trainer.fresh(SIZES)
    again = trained(trainer, DAY)
    assert digest(again.state()) == digest(stored)
    again.fresh(SIZES)
    again.load(stored)
    assert digest(again.state()) == digest(stored)
    assert digest(trained(again, NEXT).state()) == whole


@pytest.mark.parametrize("model", LEARNING, indirect=True)
def test_the_gradient_reaches_every_weight(fresh: Trainer) -> None:
    """After some days each tensor that can learn has moved; of a table, the rows that were read."""
    before = fresh.state()
    for _ in range(2):
        trained(fresh, DAY)
    still = [
        name for name, value in fresh.state().items()
        if name.startswith(("dense/", "table/")) and np.array_equal(value, before[name])
    ]  # fmt: skip
    assert still == []


FRESH = """
import json, sys
import tensorflow as tf
for line in sys.stdin:
    folder, asked = json.loads(line)
    run = tf.saved_model.load(folder).signatures["serving_default"]
    specs = run.structured_input_signature[1]
    read = {feature: values for feature, values in asked.items() if feature in specs}  # two towers: nothing of a pair
    given = {feature: tf.constant(values, specs[feature].dtype) for feature, values in read.items()}
    ours = sorted(name for name in sys.modules if name.split(".")[0] in ("models", "pipeline"))
    print(json.dumps([run(**given)["logit"].numpy().tolist(), ours]), flush=True)
"""


@pytest.fixture(scope="module")
def clean() -> Iterator[Callable[[Path, dict[str, Any]], list[Any]]]:
    """A process that has TensorFlow and nothing of ours, for all models: an export's logits, and what it imported."""
    with subprocess.Popen(
        [sys.executable, "-I", "-c", FRESH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        given, told = process.stdin, process.stdout

        def ask(folder: Path, inputs: dict[str, Any]) -> list[Any]:
            print(json.dumps([str(folder), inputs]), file=given, flush=True)
            return list(json.loads(told.readline()))

        yield ask
        process.stdin.close()


@pytest.mark.slow
def test_a_clean_process_answers_as_the_trainer_does(
    fresh: Trainer, clean: Callable[[Path, dict[str, Any]], list[Any]], tmp_path: Path
) -> None:
    """Exported once empty, then grown."""
    exported(fresh, tmp_path / "empty", id_maps(), {})
    trained(fresh, DAY)
    fresh.grow({space: size + 4 for space, size in SIZES.items()})
    maps = id_maps(more=7)
    exported(fresh, tmp_path / "grown", maps, {"job": "homework"})
    inputs = raw_inputs(SCHEMA, maps, 5, 4)
    logits, ours = clean(tmp_path / "grown", {name: values.tolist() for name, values in inputs.items()})
    assert ours == []
    # The first request has no history: a service asks for it by itself.
    alone, _ = clean(tmp_path / "grown", {name: values[:1].tolist() for name, values in inputs.items()})
    np.testing.assert_allclose(alone, logits[:1], rtol=1e-5, atol=1e-6)
    expected = fresh.scores(two_tasks(arrays_of(SCHEMA, fresh.sizes, maps, inputs)))[:, 0].reshape(5, 4)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)


def test_growth_keeps_scores_and_what_was_known(fresh: Trainer) -> None:
    """The last of a model's tests: tables of other shapes have every step traced anew."""
    trainer = trained(fresh, DAY)
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
