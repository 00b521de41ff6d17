"""A network on top of what is read, where one of its two sides is empty."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from models import registry
from models.engine.batching import DayBatches, score_day
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.export.saved_model import module_of
from models.inputs import ModelInputs
from models.schema import Feature, FeatureSchema, Kind, Side
from models.zoo.base import RankingOptions
from models.zoo.ranking import idle_without_layers
from tests.unit.models.asked import arrays_of, id_maps, raw_inputs, tensors
from tests.unit.models.school import digest, with_labels


def linear(side: Side, vectors: tf.Tensor) -> tuple[list[list[float]], list[str]]:
    """Logits of a plain sum over the one feature ``a``, of weights 2 and an output bias of .5; what it read."""
    model = registry.build(
        "pooled", FeatureSchema((Feature("a", Kind.CATEGORICAL, side, "s"),), {"s": "int"}), {"units": []}
    )
    inputs = ModelInputs({"a": vectors}, {"a": tf.ones(vectors.shape[:-1], tf.bool)}, {}, {})
    model(inputs)
    model.tower.kernel.assign(tf.fill(model.tower.kernel.shape, 2.0))
    model.output_bias.assign([0.5])
    return model(inputs).logits["label"].numpy().tolist(), [name for name, _ in model.tower.reads]


def test_a_row_by_itself_is_one_candidate_of_which_nothing_is_known() -> None:
    assert linear(Side.REQUEST, tf.constant([[1.0, 3.0], [0.0, 1.0]])) == ([[8.5], [2.5]], ["a"])


def test_candidates_of_whom_nothing_is_asked_are_told_apart_by_themselves() -> None:
    assert linear(Side.ITEM, tf.constant([[[1.0], [3.0]]])) == ([[2.5, 6.5]], ["nothing", "a"])


@pytest.mark.parametrize(("units", "idle"), [((), {"activation", "dropout"}), ((8,), set())])
def test_options_of_hidden_layers_are_idle_without_any(units: tuple[int, ...], idle: set[str]) -> None:
    assert set(idle_without_layers(RankingOptions(units=units))) == idle


EVERYTHING = {
    "activation": "dice",
    "attention_activation": "dice",
    "skip": True,
    "late": {"features": ["teacher", "study", "behaviours"], "units": [4]},
    "crosses": {"style": ["past_styles", "clicks"], "chapter": ["chapters"]},
}
"""Of the school's `din`: all that may stand on top of what is read."""
Make = Callable[..., Engine]


def trained(engine: Engine, size: int) -> dict[str, np.ndarray]:
    """The state after a step over the day's first requests, in batches of ``size``."""
    batches = DayBatches(engine, with_labels(FEW), Settings(size, 2, order="stored"))
    engine.train_epoch(batches, 1e-2, batches.unique_bucket)
    return dict(engine.state())


FEW = [[1, 0], [0, 0, 1], [1, 0, 0], [0, 1]]


def test_dice_knows_no_padding_of_rows_or_candidates(make_engine: Make) -> None:
    """Its moments go into the checkpoint, and are those of the real rows and candidates alone."""
    few, many = (trained(make_engine("din", EVERYTHING), size) for size in (4, 16))
    moved = [name for name in few if "moving_mean" in name]
    assert {name.rpartition("/")[0].rpartition("/")[2] for name in moved} >= {
        "tower_main_hidden_1_dice", "tower_main_late_dice", "seq_chapters_dice_1", "seq_chapters_dice_2",
    }  # fmt: skip
    # First moments are a tenth of the gradients.
    for name in (name for name in few if "moving" in name or name.endswith("/m")):
        np.testing.assert_allclose(few[name], many[name], rtol=1e-3, atol=1e-7, err_msg=name)
    assert all(np.any(few[name]) for name in moved)


def test_every_weight_on_top_is_reached_and_a_resumed_chain_ends_as_one_that_was_not(
    make_engine: Make,
) -> None:
    one, other = make_engine("din", EVERYTHING), make_engine("din", EVERYTHING, seed=3)
    trained(one, 4)
    other.load(one.state(), one.architecture)
    still = [name for name, value in one.state().items() if name.startswith("slot/dense") and not np.any(value)]
    # What a softmax adds to all weights alike moves none of them, and dice is free of what is the same in all values.
    assert {name.removesuffix("/m").removesuffix("/v").rpartition("/")[2] for name in still} <= {"bias"}
    for engine in (one, other):
        trained(engine, 4)
    assert digest(one.state()) == digest(other.state())


def test_what_stands_on_top_is_exported(make_engine: Make, schema: FeatureSchema, tmp_path: Path) -> None:
    engine = make_engine("din", EVERYTHING)
    trained(engine, 4)
    maps = id_maps()
    module_of(engine, {space: kind for space, (kind, _) in maps.items()}).write(
        tmp_path / "model", engine.sizes, maps, {}
    )
    inputs = raw_inputs(schema, maps, 3, 4)
    answer = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"](**tensors(inputs))
    expected = score_day(engine, arrays_of(schema, engine.sizes, maps, inputs)).reshape(3, -1)
    np.testing.assert_allclose(answer["logit"].numpy(), expected, atol=1e-5)


def test_all_that_is_known_of_candidates_may_join_late() -> None:
    both = FeatureSchema(
        (Feature("r", Kind.CATEGORICAL, Side.REQUEST, "s"), Feature("a", Kind.CATEGORICAL, Side.ITEM, "s")),
        {"s": "int"},
    )
    model = registry.build("pooled", both, {"units": [4], "activation": "tanh", "late": {"features": ["a"]}})
    vectors = {"r": tf.ones((2, 5)), "a": tf.random.stateless_normal((2, 3, 5), seed=(1, 2))}
    mask = {"r": tf.ones(2, tf.bool), "a": tf.ones((2, 3), tf.bool)}
    logits = model(ModelInputs(vectors, mask, {}, {})).logits["label"].numpy()
    assert logits.shape == (2, 3)
    assert len(np.unique(logits)) == 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"late": {"features": ["nothing"]}}, "'late.features': there is no feature or history 'nothing' in use"),
        ({"late": {"units": [3]}}, "'late.units' would have no effect"),
        ({"units": [], "skip": True}, "without hidden layers"),
        ({"late": {"features": ["a"]}}, "the hidden layers would read nothing"),
    ],
)
def test_what_could_not_stand_on_top_is_refused(options: dict[str, object], said: str) -> None:
    alone = FeatureSchema((Feature("a", Kind.CATEGORICAL, Side.ITEM, "s"),), {"s": "int"})
    with pytest.raises(ValueError, match=said):
        registry.build("pooled", alone, options)
