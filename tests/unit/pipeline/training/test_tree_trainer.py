"""Trees of small days: what they are fitted on, what is kept of them, and an export that answers as LightGBM does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import tensorflow as tf

from models.engine.engine import configure
from models.engine.examples import Settings
from models.engine.state import StateMismatch
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Layout, Side
from models.tasks import Task
from pipeline.training.trainer import TrainedRows
from pipeline.training.tree_trainer import TreeTrainer
from tests.unit.models.asked import exported

configure(2)  # the threads of the jobs' settings, whichever test starts TensorFlow
RATE, AGE = Feature("rate", Kind.DENSE, Side.PAIR), Feature("age", Kind.DENSE, Side.REQUEST)
AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad")
SCHEMA = FeatureSchema((RATE, AGE, AD), {"ad": "int"})
SMALL: dict[str, object] = {"trees": 6, "leaves": 4, "rows": 5, "rate": 0.3, "features": 1.0}


def day(seed: int, schema: FeatureSchema = SCHEMA, missing: float = 0.2, requests: int = 120) -> DayArrays:
    """Impressions whose clicks follow the rate, of any schema of those features."""
    draw = np.random.default_rng(seed)
    values = {name: draw.normal(size=(requests, 1)).astype(np.float32) for name in ("rate", "age", "heat")}
    label = (draw.random(requests) < 1 / (1 + np.exp(-2 * values["rate"][:, 0]))).astype(np.int8)
    for each in values.values():
        each[draw.random(requests) < missing] = np.nan

    def of(side: Side) -> np.ndarray:
        told = [values[f.name] for f in schema.on(side, ids=False)]
        return np.concatenate(told, axis=1) if told else np.zeros((requests, 0), np.float32)

    return DayArrays(
        layout=Layout.of(schema, {}), request_ids=np.zeros((requests, 0), np.int32), request_dense=of(Side.REQUEST),
        item_ids=np.full((requests, 1), 2, np.int32), item_dense=of(Side.ITEM), offsets=np.arange(requests + 1),
        pair_item=np.arange(requests, dtype=np.int32), pair_dense=of(Side.PAIR), label=label[:, None],
        weight=np.ones(requests, np.float32), user=np.zeros(requests, np.int32),
    )  # fmt: skip


def trainer(model: str = "gbdt", schema: FeatureSchema = SCHEMA, **options: object) -> TreeTrainer:
    made = TreeTrainer(schema, model, {**SMALL, **options}, (Task(),))
    made.fresh({"ad": 4})
    return made


def rows(of: DayArrays, *, earlier: bool = False) -> TrainedRows:
    return TrainedRows("rows", of, [Settings(32, seed=5, order="stored")], earlier)


def learn(made: TreeTrainer, *parts: TrainedRows) -> float:
    return float(made.train(list(parts), 1e-3, {"ad": 4})[0, 0])


def digits(made: TreeTrainer) -> dict[str, Any]:
    return {name: values.tolist() for name, values in made.state().items()}


def test_trees_fitted_anew_are_lightgbms_own_over_the_days_that_are_told() -> None:
    """Beside the logit of their share of positives, of which one of each more was seen."""
    old, new = day(1), day(2)
    made = trainer()
    learn(made, rows(old))
    learn(made, rows(old, earlier=True), rows(new))
    both = np.concatenate([np.concatenate([each.pair_dense, each.request_dense], axis=1) for each in (old, new)])
    label = np.concatenate([old.label[:, 0], new.label[:, 0]])
    base = np.log((label.sum() + 1) / (len(label) - label.sum() + 1))
    data = lightgbm.Dataset(both, label, init_score=np.full(len(label), base))
    booster = lightgbm.train({
        "objective": "binary", "num_leaves": 4, "learning_rate": 0.3, "min_data_in_leaf": 5, "num_threads": 1,
        "deterministic": True, "force_row_wise": True, "verbosity": -1, "seed": 5, "boost_from_average": False,
    }, data, 6)  # fmt: skip
    expected = base + booster.predict(both[120:], raw_score=True)
    np.testing.assert_allclose(made.scores(new)[:, 0], expected, rtol=1e-6)
    assert made.state()["days"] == 2


def test_between_two_fits_trees_stay_and_the_loss_is_that_of_rows_not_yet_met() -> None:
    made = trainer(every=3)
    for seed in range(4):
        learn(made, rows(day(seed)))
    before = digits(made)
    untrained = day(9)
    clicked, logit = untrained.label[:, 0] == 1, made.scores(untrained)[:, 0].astype(np.float64)
    loss = learn(made, rows(untrained))
    assert loss == pytest.approx(float(np.logaddexp(0, np.where(clicked, -logit, logit)).mean()), rel=1e-6)
    assert digits(made) == {**before, "days": 5}


def test_continued_trees_stay_until_there_are_more_than_are_kept() -> None:
    made = trainer(fit="continued", added=2, trees=5)
    learn(made, rows(day(1)))
    first = made.state()
    learn(made, rows(day(2)))
    second = made.state()
    assert len(second["tree/label/leaves"]) == 4
    np.testing.assert_array_equal(second["tree/label/value"][:2], first["tree/label/value"])
    assert second["base/label"] == first["base/label"]
    learn(made, rows(day(3)))
    third = made.state()
    assert len(third["tree/label/leaves"]) == 5
    np.testing.assert_array_equal(third["tree/label/value"][:3], second["tree/label/value"][1:])


def test_continued_trees_begin_at_the_share_of_the_first_day_that_has_rows() -> None:
    made, fresh = (trainer(fit="continued", added=2) for _ in range(2))
    none = replace(day(1), label=np.full((120, 1), -1, np.int8))
    learn(made, rows(none))
    for each in (made, fresh):
        learn(each, rows(day(2)))
    assert float(made.state()["base/label"]) == float(fresh.state()["base/label"]) != 0.0


@pytest.mark.parametrize("options", [{}, {"fit": "continued", "added": 3}])
@pytest.mark.parametrize("model", ["gbdt", "gbdt_lr"])
def test_what_is_stored_goes_on_to_the_same_bits(model: str, options: dict[str, object]) -> None:
    whole, other = trainer(model, **options), trainer(model, **options)
    learn(whole, rows(day(1)))
    other.load(whole.state(), whole.architecture)
    for made in (whole, other):
        learn(made, rows(day(1), earlier=True), rows(day(2)))
    assert digits(whole) == digits(other)


def test_a_day_weighs_half_of_one_so_much_younger() -> None:
    """Three days, a half-life of two: what the oldest says counts half, the one between 1/√2."""
    days = [day(seed) for seed in (1, 2, 3)]
    fading, by_hand = trainer(half_life=2.0), trainer()
    for each in (fading, by_hand):
        learn(each, rows(days[0]))
        learn(each, rows(days[0], earlier=True), rows(days[1]))
    learn(fading, *(rows(each, earlier=True) for each in days[:2]), rows(days[2]))
    weighed = [
        replace(each, weight=np.full(120, weight, np.float64))
        for each, weight in zip(days, (0.5, 0.5**0.5, 1.0), strict=True)
    ]
    learn(by_hand, *(rows(each, earlier=True) for each in weighed[:2]), rows(weighed[2]))
    assert digits(fading) == digits(by_hand)
    evenly = trainer()
    learn(evenly, *(rows(each, earlier=True) for each in days[:2]), rows(days[2]))
    assert digits(evenly)["tree/label/value"] != digits(fading)["tree/label/value"]


def test_a_regression_begins_as_its_trees_and_learns_days_that_they_have_not_met() -> None:
    """Fitted on the first, second and third trained day, not on the fourth."""
    alone, under = trainer(), trainer("gbdt_lr", every=2)
    for made in (alone, under):
        learn(made, rows(day(1)))
        learn(made, rows(day(1), earlier=True), rows(day(2)))
        learn(made, rows(day(1), earlier=True), rows(day(2), earlier=True), rows(day(3)))
    np.testing.assert_allclose(under.scores(day(4)), alone.scores(day(4)), rtol=1e-6)
    np.testing.assert_array_equal(under.state()["regression/label/squares"], 0)
    learn(under, rows(day(4)))
    state, trees = under.state(), alone.state()
    np.testing.assert_array_equal(state["tree/label/value"], trees["tree/label/value"])
    assert not np.array_equal(state["regression/label/weight"][:-1], trees["tree/label/value"].ravel())
    assert (state["regression/label/squares"] > 0).any()
    learn(under, *(rows(day(seed), earlier=True) for seed in (1, 2, 3, 4)), rows(day(5)))
    again = under.state()
    np.testing.assert_array_equal(again["regression/label/weight"][:-1], again["tree/label/value"].ravel())
    np.testing.assert_array_equal(again["regression/label/squares"], 0)


def test_continued_trees_under_a_regression_are_of_the_day_before() -> None:
    """Each day's rows make trees once: those of the first day at once, as there are none before."""
    made, trees = (trainer(model, fit="continued", added=2) for model in ("gbdt_lr", "gbdt"))
    learn(made, rows(day(1)))
    learn(trees, rows(day(1)))
    first = trees.state()["tree/label/value"]
    learn(made, rows(day(2)))
    np.testing.assert_array_equal(made.state()["tree/label/value"], first)
    assert (made.state()["regression/label/squares"] > 0).any()
    learn(made, rows(day(2), earlier=True), rows(day(3)))
    learn(trees, rows(day(2)))
    np.testing.assert_array_equal(made.state()["tree/label/value"], trees.state()["tree/label/value"])
    assert (made.state()["regression/label/squares"] > 0).any()


def test_between_two_fits_a_regression_goes_on() -> None:
    made = trainer("gbdt_lr", every=3)
    for seed in range(5):
        learn(made, rows(day(seed)))
    before = made.state()
    assert (before["regression/label/squares"] > 0).any()
    learn(made, rows(day(5)))
    after = made.state()
    np.testing.assert_array_equal(after["tree/label/value"], before["tree/label/value"])
    assert (after["regression/label/squares"] >= before["regression/label/squares"]).all()
    assert not np.array_equal(after["regression/label/weight"], before["regression/label/weight"])


@pytest.mark.parametrize(("model", "options"), [("gbdt", {}), ("gbdt_lr", {"fit": "continued", "added": 3})])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_an_export_answers_as_lightgbm_where_a_number_is_missing_too(
    model: str, options: dict[str, object], missing: float, tmp_path: Path
) -> None:
    """Also where none was missing in training, of an id that nobody has seen, and beyond all values that were met."""
    made = trainer(model, **options)
    learn(made, rows(day(1, missing=missing)))
    learn(made, rows(day(2, missing=missing)))
    exported(made, tmp_path / "model", {"ad": ("int", np.array([70, 80]))}, {})
    asked = day(3, missing=0.3)
    asked.pair_dense[:4] = [[1e30], [-1e30], [np.inf], [-np.inf]]
    run = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    answer = run(
        rate=tf.constant(asked.pair_dense[:, None]), age=tf.constant(asked.request_dense),
        ad=tf.constant(np.full((120, 1), 71)),
    )  # fmt: skip
    np.testing.assert_allclose(answer["logit"][:, 0], made.scores(asked)[:, 0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("model", ["gbdt", "gbdt_lr"])
@pytest.mark.parametrize("odd", [
    replace(day(1), label=np.ones((120, 1), np.int8)),
    replace(day(1), pair_dense=np.ones((120, 1), np.float32)),
    replace(day(1), pair_dense=np.full((120, 1), np.nan, np.float32), request_dense=np.ones((120, 1), np.float32)),
    day(1, requests=0),
    replace(day(1), label=np.full((120, 1), -1, np.int8)),
], ids=["of one class", "of a constant", "without any number", "without rows", "without labels"])  # fmt: skip
def test_a_day_that_tells_little_breaks_no_chain(model: str, odd: DayArrays) -> None:
    """As the first day and as the third, of continued trees; what is stored goes on to the same bits."""
    made, other = (trainer(model, fit="continued", added=3) for _ in range(2))
    seen: list[DayArrays] = []
    for each in (odd, day(2), odd, day(3)):
        before = [rows(seen[-1], earlier=True)] if model == "gbdt_lr" and len(seen) > 1 else []
        learn(made, *before, rows(each))
        other.load(made.state(), made.architecture)
        seen.append(each)
    assert digits(other) == digits(made)
    assert np.isfinite(made.scores(day(4, missing=0.5))).all()


def test_a_number_may_be_added_and_none_left_out() -> None:
    made = trainer()
    learn(made, rows(day(1)))
    heat = Feature("heat", Kind.DENSE, Side.ITEM)
    wide = FeatureSchema((heat, AGE, RATE, AD), SCHEMA.spaces)
    grown = trainer(schema=wide)
    grown.load(made.state(), made.architecture)
    assert grown.growth.inputs == {"tree/columns": {"heat": (0, 1)}}
    np.testing.assert_array_equal(grown.scores(day(2, wide)), made.scores(day(2)))
    with pytest.raises(StateMismatch, match="its trees ask 1 of 'heat', the experiment has 0"):
        made.load(grown.state(), grown.architecture)
    with pytest.raises(StateMismatch, match="it is of the model 'gbdt', the experiment's is 'gbdt_lr'"):
        trainer("gbdt_lr").load(made.state(), made.architecture)


def test_the_taken_candidate_comes_first() -> None:
    """A request of three candidates each: of the rate alone depends which is taken."""
    arrays = day(1, missing=0.0, requests=120)
    best = arrays.pair_dense.reshape(40, 3).argmax(axis=1)
    label = (np.arange(3) == best[:, None]).astype(np.int8).reshape(-1, 1)
    school = replace(
        arrays, offsets=np.arange(0, 121, 3), label=label, weight=np.ones(40, np.float32), user=np.zeros(40, np.int32),
        request_dense=arrays.request_dense[:40], request_ids=arrays.request_ids[:40],
    )  # fmt: skip
    day_of = TrainedRows("rows", school, [Settings(8, 31, seed=3)])
    for options in ({}, {"by": "xendcg"}, {"fit": "continued", "added": 6, "trees": 12}):
        made, other = (
            TreeTrainer(SCHEMA, "lambdarank", {**SMALL, **options}, (Task(loss="softmax"),)) for _ in range(2)
        )
        made.fresh({"ad": 4})
        assert float(made.train([day_of], 0.1, {})[0, 0]) == pytest.approx(np.log(3))
        other.load(made.state(), made.architecture)
        for each in (made, other):
            assert float(each.train([day_of], 0.1, {})[0, 0]) < np.log(3)
        assert digits(other) == digits(made)
        found = made.scores(school).reshape(40, 3).argmax(axis=1)
        assert (found == best).mean() > 0.8
