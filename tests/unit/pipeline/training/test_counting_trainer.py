"""Counts of three days by hand: two users, two ads, and a model that knows nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.engine.engine import configure
from models.engine.examples import Settings
from models.engine.state import StateMismatch
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Layout, Side
from models.tasks import Task
from pipeline.training.counting_trainer import CountingTrainer
from pipeline.training.trainer import TrainedRows
from tests.unit.models.asked import exported

configure(2)  # the threads of the jobs' settings, whichever test starts TensorFlow
SCHEMA = FeatureSchema(
    (
        Feature("user", Kind.CATEGORICAL, Side.REQUEST, "user"),
        Feature("age", Kind.DENSE, Side.REQUEST),
        Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad"),
    ),
    {"user": "str", "ad": "int"},
)
SIZES = {"user": 4, "ad": 4}
MAPS: Any = {"user": ("str", np.array(["u", "v"], object)), "ad": ("int", np.array([70, 80]))}


def impressions(*rows: tuple[int, int, int]) -> DayArrays:
    """A day of (user, ad, label), indices from 2."""
    user, ad, label = (np.array(each, np.int32) for each in zip(*rows, strict=True))
    empty = np.zeros((len(rows), 0), np.float32)
    return DayArrays(
        layout=Layout.of(SCHEMA, {}), request_ids=user[:, None], request_dense=np.zeros((len(rows), 1), np.float32),
        item_ids=ad[:, None], item_dense=empty, offsets=np.arange(len(rows) + 1),
        pair_item=np.arange(len(rows), dtype=np.int32), pair_dense=empty, label=label[:, None].astype(np.int8),
        weight=np.ones(len(rows), np.float32), user=user,
    )  # fmt: skip


def trainer(tasks: tuple[Task, ...] = (Task(),), **options: object) -> CountingTrainer:
    made = CountingTrainer(SCHEMA, "popularity", {"smoothing": 2.0, "half_life": 1.0, **options}, tasks)
    made.fresh(SIZES)
    return made


def trained(made: CountingTrainer, arrays: DayArrays) -> np.ndarray:
    return made.train([TrainedRows("rows", arrays, [Settings(8)])], 1e-3, SIZES)


FIRST = impressions((2, 2, 1), (2, 2, 1), (2, 3, 0), (3, 2, 0), (3, 3, 0))
SECOND = impressions((2, 2, 0), (3, 3, 1))


def test_an_id_that_is_not_counted_may_be_added_but_none_that_is() -> None:
    made = trainer()
    trained(made, FIRST)
    grown = FeatureSchema((*SCHEMA.features, Feature("city", Kind.CATEGORICAL, Side.REQUEST, "city")),
                          {**SCHEMA.spaces, "city": "int"})  # fmt: skip
    other = CountingTrainer(grown, "popularity", {"smoothing": 2.0, "half_life": 1.0}, (Task(),))
    other.load(made.state(), made.architecture)
    assert other.growth.weights == ("size/city",)
    assert other.sizes == {**SIZES, "city": 2}
    other.grow({**SIZES, "city": 9})
    assert other.sizes == {**SIZES, "city": 9}
    assert not other.growth
    np.testing.assert_array_equal(other.scores(SECOND), made.scores(SECOND))
    by_city = CountingTrainer(grown, "popularity", {"user": "city"}, (Task(),))
    with pytest.raises(StateMismatch, match=r"it counts user × ad \(popularity\), the experiment city × ad"):
        by_city.load(made.state(), made.architecture)


def logit(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def test_counts_fade_by_half_a_day_and_the_day_is_added() -> None:
    made = trainer()
    trained(made, FIRST)
    trained(made, SECOND)
    state = made.state()
    assert state["count/label/all"].tolist() == [2 / 2 + 1, 5 / 2 + 2]
    assert state["count/label/item"].tolist() == [[0, 0], [0, 0], [1, 2.5], [1, 2]]
    assert state["pair/key"].tolist() == [[2, 2], [2, 3], [3, 2], [3, 3]]
    assert state["count/label/pair"].tolist() == [[1, 2], [0, 0.5], [0, 0.5], [1, 1.5]]


def test_a_pair_that_comes_to_stand_before_others_leaves_them_theirs() -> None:
    made = trainer()
    trained(made, impressions((3, 2, 1), (3, 2, 1)))
    trained(made, impressions((2, 3, 0)))
    assert made.state()["pair/key"].tolist() == [[2, 3], [3, 2]]
    assert made.state()["count/label/pair"].tolist() == [[0, 1], [1, 1]]


def test_a_rate_is_smoothed_by_the_items_and_that_by_the_rate_of_all() -> None:
    """All: 3/7, with one of each more. Ad 2: (2 + 2·3/7) / (3 + 2); user 2 of it: (2 + 2·that) / (2 + 2)."""
    made = trainer()
    trained(made, FIRST)
    base = 3 / 7
    of_ad = (2 + 2 * base) / 5
    asked = impressions((2, 2, 0), (9, 2, 0), (2, 9, 0), (9, 9, 0))
    expected = [(2 + 2 * of_ad) / 4, of_ad, base, base]
    np.testing.assert_allclose(made.scores(asked)[:, 0], [logit(rate) for rate in expected], rtol=1e-6)


def test_a_candidate_has_the_logarithm_of_its_count() -> None:
    """Ad 2 was taken twice, both times by user 2: ln(1 + 2 + 10·2) for him, ln 3 for others."""
    made = trainer((Task(loss="softmax"),))
    trained(made, FIRST)
    asked = impressions((2, 2, 0), (3, 2, 0), (2, 3, 0))
    np.testing.assert_allclose(made.scores(asked)[:, 0], np.log([23, 3, 1]), rtol=1e-6)


def test_the_loss_is_of_the_rows_before_they_are_counted() -> None:
    made = trainer()
    (first,) = trained(made, FIRST)
    assert float(first[0]) == pytest.approx(np.log(2))  # nothing is known: one half
    # Faded by half, 2/4.5 of all; ad 2 (1 + 2·that) / 3.5 = .5397 and user 2 of it (1 + 2·.5397) / 3 = .6931, not
    # clicked now; ad 3 2·.4444 / 3 = .2963 and user 3 of it 2·.2963 / 2.5 = .2370, clicked now.
    (second,) = trained(made, SECOND)
    assert float(second[0]) == pytest.approx(-(np.log(1 - 0.693122) + np.log(0.237037)) / 2, abs=1e-5)


def test_the_loss_of_a_ranking_is_that_of_the_positives_share_of_a_request() -> None:
    """Of two ads the first is taken: one half at first. Then it was taken twice, which has faded to once: (1 + 1) of
    (1 + 1) + 1. A request without a positive tells nothing."""
    made = trainer((Task(loss="softmax"),), own=0.0)
    rows = impressions((2, 2, 1), (2, 3, 0), (3, 2, 1), (3, 3, 0), (2, 2, 0))
    three = [0, 2, 4]
    asked = replace(
        rows, offsets=np.array([0, 2, 4, 5]), request_ids=rows.request_ids[three],
        request_dense=rows.request_dense[three], weight=rows.weight[three], user=rows.user[three],
    )  # fmt: skip
    assert trained(made, asked)[0] == pytest.approx(np.log(2))
    assert trained(made, asked)[0] == pytest.approx(-np.log(2 / 3))


def test_growth_keeps_counts_and_a_stored_state_is_taken_up_bit_for_bit() -> None:
    made, again = trainer(), trainer()
    trained(made, FIRST)
    before = made.state()
    made.grow({"user": 9, "ad": 6})
    assert made.sizes == {"user": 9, "ad": 6}
    np.testing.assert_array_equal(made.state()["count/label/item"][:4], before["count/label/item"])
    assert not made.state()["count/label/item"][4:].any()
    again.load(made.state())
    for each in (made, again):
        trained(each, SECOND)
    assert {n: v.tolist() for n, v in made.state().items()} == {n: v.tolist() for n, v in again.state().items()}
    with pytest.raises(ValueError, match="id space 'ad' of 6 cannot shrink to 4"):
        made.grow(SIZES)


@pytest.mark.parametrize("name", ["count/label/item", "pair/key"])
def test_a_state_of_another_model_is_refused(name: str) -> None:
    made = trainer()
    state = made.state()
    del state[name]
    with pytest.raises(StateMismatch, match=f"tensor '{name}': expected one, found none"):
        made.load(state)
    with pytest.raises(StateMismatch, match=r"'count/label/item': expected \[4, 2\], found \[3, 2\]"):
        made.load(made.state() | {"count/label/item": np.zeros((3, 2))})


def test_unjudged_rows_are_counted_in_no_task_and_weights_count() -> None:
    made = trainer((Task("click"), Task("view")))
    labels = np.array([[1, 1], [1, 0], [0, -1], [0, -1], [0, -1]], np.int8)
    weight = np.array([1, 1, 1, 1, 0.5], np.float32)
    trained(made, replace(FIRST, label=labels, weight=weight, tasks=("click", "view")))
    assert made.state()["count/click/all"].tolist() == [2, 4.5]
    assert made.state()["count/view/all"].tolist() == [1, 2]


def test_the_exported_model_scores_as_the_trainer_does(tmp_path: Path) -> None:
    """Known, unknown and missing ids; the second export is of the grown model, by the first one's graph."""
    made = trainer((Task("click"), Task("view")))
    both = replace(FIRST, label=np.repeat(FIRST.label, 2, axis=1), tasks=("click", "view"))
    exported(made, tmp_path / "empty", MAPS, {})
    trained(made, both)
    exported(made, tmp_path / "model", MAPS, {"job": "ads"})
    serve = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    answer = serve(
        user=tf.constant(["u", "v", "nobody"]), age=tf.constant([[1.0]] * 3),
        ad=tf.constant([[70, 80], [70, 9], [70, 80]], tf.int64),
    )
    asked = [(2, 2, 0), (2, 3, 0), (3, 2, 0), (3, 1, 0), (1, 2, 0), (1, 3, 0)]
    expected = made.scores(impressions(*asked))
    for number, name in enumerate(("click/logit", "view/logit")):
        np.testing.assert_allclose(answer[name].numpy().ravel(), expected[:, number], rtol=1e-5)
    np.testing.assert_array_equal(answer["logit"], answer["click/logit"])
