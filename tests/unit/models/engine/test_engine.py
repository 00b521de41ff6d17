from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.engine.batching import DayBatches, DayView, score_day
from models.engine.engine import Engine, NonFiniteLoss
from models.engine.examples import Settings
from models.engine.state import StateMismatch
from models.schema import DayArrays, FeatureSchema, Side
from models.tasks import Task
from tests.unit.models import linear_and_wide
from tests.unit.models.school import SIZES, digest, make_day, school_schema

Make = Callable[..., Engine]
MODELS = ["pooled", "din"]


def train(engine: Engine, day: DayArrays, epochs: int = 1, **settings: Any) -> np.ndarray:
    batches = DayBatches(engine, day, Settings(**{"batch_size": 16, "negatives": 3, **settings}))
    return np.concatenate([engine.train_epoch(batches, 1e-2, batches.unique_bucket)[:, 0] for _ in range(epochs)])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("loss", ["binary", "softmax"])
def test_training_lowers_the_loss(model: str, loss: str, day: DayArrays, make_engine: Make) -> None:
    losses = train(make_engine(model, tasks=(Task(loss=loss),)), day, epochs=12)
    assert losses[-5:].mean() < 0.8 * losses[:5].mean()


def test_the_stand_in_is_read_only_where_every_day_is_empty(day: DayArrays, make_engine: Make) -> None:
    engine = make_engine("pooled")
    train(engine, day)
    own = [day.layout.request_ids[name] for name in ("chapters", "sections")]
    other = day.layout.request_ids["last_year_chapters"]

    def scores(ids: np.ndarray) -> np.ndarray:
        return score_day(engine, replace(day, request_ids=ids))

    changed = day.request_ids.copy()
    changed[:, other.start : other.stop] = 0
    np.testing.assert_array_equal(scores(changed), scores(day.request_ids))
    without = day.request_ids.copy()
    for place in own:
        without[:, place.start : place.stop] = 0
    neither = without.copy()
    neither[:, other.start : other.stop] = 0
    assert not np.array_equal(scores(neither), scores(without))


def test_growth_keeps_old_rows_slots_and_predictions(day: DayArrays, make_engine: Make) -> None:
    engine = make_engine("din")
    train(engine, day)
    before, scores = engine.state(), score_day(engine, day)
    sizes = {space: size * 9 for space, size in SIZES.items()}
    engine.grow(sizes)
    after = engine.state()
    assert engine.sizes == sizes
    for name, old in before.items():
        np.testing.assert_array_equal(after[name][: len(old)] if old.ndim else after[name], old)
    for space, size in SIZES.items():
        new = after[f"table/{space}"][size:]
        np.testing.assert_array_equal(new, np.broadcast_to(before[f"table/{space}"][1], new.shape))
        assert np.all(after[f"slot/{space}/m"][size:] == 0.0)
        assert np.all(after[f"table/{space}"][0] == 0.0)
    np.testing.assert_array_equal(score_day(engine, day), scores)
    with pytest.raises(ValueError, match="cannot shrink"):
        engine.grow(SIZES)


def test_ids_beyond_the_model_read_as_unknown(day: DayArrays, make_engine: Make) -> None:
    engine = make_engine()
    train(engine, day)
    place = day.layout.request_ids["teacher"]
    behaviours = day.layout.request_ids["behaviours"]
    day.request_ids[:, behaviours.start : behaviours.stop] = 0
    scores = []
    for index in (1, SIZES["teacher"], 2**31 - 1, -5):
        ids = day.request_ids.copy()
        ids[:, place.start] = index
        scores.append(score_day(engine, replace(day, request_ids=ids)))
    for other in scores[1:]:
        np.testing.assert_array_equal(other, scores[0])
    limited = score_day(engine, day, limits={"teacher": 2})
    np.testing.assert_array_equal(limited, scores[0])


def test_a_state_loaded_elsewhere_goes_on_bit_for_bit(day: DayArrays, make_engine: Make) -> None:
    one = make_engine("din")
    train(one, day)
    one.observe(day)
    stored = one.state()
    other = make_engine("din", seed=9)
    assert digest(other.state()) != digest(stored)
    other.load(stored)
    assert digest(other.state()) == digest(stored)
    for engine in (one, other):
        train(engine, day)
    assert digest(one.state()) == digest(other.state())
    assert other.step == 2 * len(DayBatches(other, day, Settings(16, 3)))


@pytest.mark.parametrize("optimizer", ["catch_up_adam", "lazy_adam", "dense_adam", "adagrad"])
@pytest.mark.parametrize("compile", ["xla", "graph"])
def test_head_room_and_buckets_change_no_bit(optimizer: str, compile: str, day: DayArrays, make_engine: Make) -> None:
    plain = make_engine(optimizer=optimizer, compile=compile)
    batches = DayBatches(plain, day, Settings(16, 3))
    plain.train_epoch(batches, 1e-2)
    wide = make_engine(optimizer=optimizer, compile=compile)
    padding = {table.fused: 64 * table.width for table in wide.fused}
    wide.train_epoch(DayBatches(wide, day, Settings(16, 3)), 1e-2, padding)
    assert digest(plain.state()) == digest(wide.state())


def test_catch_up_is_close_to_dense_adam_and_lazy_is_not(schema: FeatureSchema, make_engine: Make) -> None:
    """Many ids, few of them in a batch, 300 steps: the loss against dense Adam."""
    sizes = dict.fromkeys(SIZES, 400)
    day = make_day(schema, requests=3000, items=300, most=6, sizes=sizes)
    losses = {}
    for optimizer in ("dense_adam", "catch_up_adam", "lazy_adam"):
        engine = make_engine("pooled", optimizer=optimizer)
        engine.fresh(sizes)
        batches = DayBatches(engine, day, Settings(8, 2))
        losses[optimizer] = engine.train_epoch((batches.batch(n) for n in range(300)), 1e-3, batches.unique_bucket)
    dense = losses["dense_adam"]
    assert len(dense) == 300
    near = np.abs(losses["catch_up_adam"] - dense).max()
    far = np.abs(losses["lazy_adam"] - dense).max()
    assert near < 1e-4
    assert far > 3 * near


@pytest.mark.parametrize("compile", ["xla", "graph"])
def test_rows_that_no_batch_read_stay_as_they_were(compile: str, schema: FeatureSchema, make_engine: Make) -> None:
    """After a sweep an untouched row has moved by its momentum, as in dense Adam; a row without any has not."""
    engine = make_engine(compile=compile)
    day = make_day(schema, sizes=dict.fromkeys(SIZES, 6))
    before = engine.state()
    train(engine, day)
    after = engine.state()
    for space in SIZES:
        for name in (f"table/{space}", f"slot/{space}/m", f"slot/{space}/v"):
            np.testing.assert_array_equal(after[name][6:], before[name][6:])
            assert np.all(after[name][0] == 0.0)
        assert np.any(after[f"table/{space}"][2:6] != before[f"table/{space}"][2:6])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("loss", ["binary", "softmax"])
def test_rows_of_weight_zero_change_nothing(model: str, loss: str, day: DayArrays, make_engine: Make) -> None:
    """A batch with rows of weight zero, whatever they hold, against the same batch with these left empty."""
    states = []
    for poison in (False, True):
        engine = make_engine(model, tasks=(Task(loss=loss),))
        *_, last = DayBatches(engine, day, Settings(16, 3))
        if poison:
            empty = last.weight == 0
            for block, rows in zip(last.view.ids, last.rows, strict=True):
                if block.side is Side.REQUEST:
                    rows[empty] = rows[0]
            last.label[empty] = 1.0
            _, mask, _ = last.told
            mask[empty] = 1.0
        engine.train_epoch([last], 1e-2)
        states.append(engine.state())
    for name, value in states[0].items():
        np.testing.assert_allclose(states[1][name], value, atol=1e-7, err_msg=name)


def test_a_loss_that_is_no_number_stops_and_names_the_batch(day: DayArrays, make_engine: Make) -> None:
    engine = make_engine()
    batches = list(DayBatches(engine, day, Settings(8, 3)))
    batches[2].weight[0] = np.inf
    with pytest.raises(NonFiniteLoss, match="batch 2") as error:
        engine.train_epoch(batches, 1e-2)
    assert error.value.batch == 2


def test_a_weight_that_is_no_number_after_the_last_batch_stops_too(day: DayArrays, make_engine: Make) -> None:
    engine = make_engine()
    with pytest.raises(NonFiniteLoss):
        engine.train_epoch([DayBatches(engine, day, Settings(8, 3)).batch(0)], float("inf"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("table/style"), r"tensor 'table/style': expected \[any, 4\], found none"),
        (lambda s: s.update(extra=np.zeros(3)), r"tensor 'extra': expected none, found \[3\]"),
        (
            lambda s: s.update({"table/style": np.zeros((8, 6), np.float32)}),
            r"tensor 'table/style': expected \[any, 4\], found \[8, 6\]",
        ),
        (
            lambda s: s.update({"slot/style/v": np.zeros((7, 4), np.float32)}),
            r"tensor 'slot/style/v': expected \[8, 4\], found \[7, 4\]",
        ),
        (
            lambda s: s.update({"dense/tower_main/bias": np.zeros(17, np.float32)}),
            r"tensor 'dense/tower_main/bias': expected \[16\], found \[17\]",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused(change: Callable[[Any], None], message: str, make_engine: Make) -> None:
    engine = make_engine()
    state = engine.state()
    change(state)
    with pytest.raises(StateMismatch, match=message):
        engine.load(state)


def test_wild_values_of_a_day_are_told_by_feature(day: DayArrays, make_engine: Make) -> None:
    engine = make_engine()
    assert engine.observe(day) == {}
    place = day.layout.request_dense["study"]
    dense = np.array(day.request_dense)
    dense[:2, place.start] = 3.4e38
    told = engine.observe(replace(day, request_dense=dense))
    assert told.keys() == {"study"}
    assert (told["study"]["wild"], told["study"]["furthest"]) == (2, pytest.approx(3.4e38))
    assert engine.state()["normalise/study"].max() < 1e6


def test_statistics_are_of_observed_days_only_and_kept(day: DayArrays, make_engine: Make) -> None:
    engine = make_engine()
    before = score_day(engine, day)
    wild = replace(day, request_dense=day.request_dense * 100)
    np.testing.assert_array_equal(score_day(engine, wild), before)
    engine.observe(day)
    stored = engine.state()
    place = day.layout.request_dense["study"]
    np.testing.assert_allclose(
        stored["normalise/study"][1], np.nanmean(day.request_dense[:, place.start : place.stop], axis=0), rtol=1e-6
    )
    after = score_day(engine, day)
    assert not np.array_equal(after, before)
    other = make_engine()
    other.load(stored)
    np.testing.assert_array_equal(score_day(other, day), after)


def test_an_experiment_may_read_a_part_of_the_day(schema: FeatureSchema, day: DayArrays) -> None:
    part = schema.subset({"teacher", "style", "counters"})
    engine = Engine(part, "pooled", {"units": [8]}, dims={"teacher": 4, "style": 4}, compile="graph")
    engine.fresh(SIZES)
    losses = train(engine, day, negatives=None)
    assert np.all(np.isfinite(losses))
    seen = DayView(engine, day)
    assert [(block.side, [read.feature for read in block.places]) for block in (*seen.view.ids, *seen.view.dense)] == [
        (Side.REQUEST, ["teacher"]), (Side.ITEM, ["style"]), (Side.PAIR, ["counters"]),
    ]  # fmt: skip
    place = day.layout.request_ids["teacher"].start
    teachers = day.request_ids[:, [place]]
    np.testing.assert_array_equal(seen.rows[0], teachers + engine.fused[0].offsets["teacher"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": (Task(loss="hinge"),)}, "loss 'hinge'; expected one of binary, softmax"),
        ({"optimizer": "adam"}, "optimizer 'adam'; expected one of catch_up_adam, lazy_adam, dense_adam"),
        ({"compile": "jit"}, "compile 'jit'; expected one of xla, graph"),
        ({"dims": {"teacher": 4}}, "no embedding width for id space chapter, section, style"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str, make_engine: Make) -> None:
    with pytest.raises(ValueError, match=message):
        make_engine(**settings)


PROGRAM = """
import sys
from models.engine.engine import Engine, configure
configure(1)
from models.engine.batching import DayBatches
from models.engine.examples import Settings
from tests.unit.models.school import SIZES, digest, make_day, school_schema
schema = school_schema()
day = make_day(schema)
if sys.argv[1] == "detour":
    Engine(schema, "pooled", {}, dims=dict.fromkeys(SIZES, 8), compile="graph").fresh(SIZES)
engine = Engine(schema, "din", {"units": [16]}, dims=dict.fromkeys(SIZES, 8), seed=int(sys.argv[2]))
engine.fresh(SIZES)
batches = DayBatches(engine, day, Settings(16, 3, unknown_share=0.3), {**SIZES, "teacher": 9})
engine.train_epoch(batches, 1e-2, batches.unique_bucket)
print(digest(engine.state()))
"""


@pytest.mark.slow
def test_two_processes_give_the_same_bits_and_another_seed_others() -> None:
    """Neither what a process did before nor the order in which layers were made matters."""
    root = Path(__file__).parents[4]
    runs = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=root, stdout=subprocess.PIPE, text=True)
        for arguments in (("plain", "3"), ("detour", "3"), ("plain", "4"))
    ]
    digests = [run.communicate(timeout=300)[0].split()[-1] for run in runs]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_a_table_of_width_one_beside_a_wide_one_learns_grows_and_is_restored(day: DayArrays, make_engine: Make) -> None:
    engine = make_engine(linear_and_wide.NAME)
    train(engine, day)
    before, scores = engine.state(), score_day(engine, day)
    linear, wide = before["table/linear.style"], before["table/style"]
    assert (linear.shape, wide.shape) == ((SIZES["style"], 1), (SIZES["style"], 4))
    shown = np.unique(day.item_ids[:, day.layout.item_ids["style"].start])
    # Of zeros at first: what moved is what was read, and the padding row never.
    assert np.all(linear[shown[shown > 0]] != 0.0)
    assert linear[0] == 0.0
    engine.grow({space: size + 20 for space, size in SIZES.items()})
    np.testing.assert_array_equal(engine.state()["table/linear.style"][: SIZES["style"]], linear)
    np.testing.assert_array_equal(score_day(engine, day), scores)
    again = make_engine(linear_and_wide.NAME)
    again.load(before)
    assert digest(again.state()) == digest(before)
    np.testing.assert_array_equal(score_day(again, day), scores)


def test_the_gradient_of_a_width_one_table_is_that_of_its_logit(day: DayArrays, make_engine: Make) -> None:
    """One step of dense Adam moves a weight by the rate, against the sign of its gradient: the sum of p − y."""
    engine = make_engine(linear_and_wide.NAME, optimizer="dense_adam", tasks=(Task(),))
    batches = DayBatches(engine, day, Settings(4096, None, order="stored"))
    batch = batches.batch(0)
    error = (1 / (1 + np.exp(-engine.score(batch)[..., 0])) - batch.label) * batch.told[1]
    styles = day.item_ids[np.asarray(day.pair_item)[batches.examples.pairs[:, 0]], day.layout.item_ids["style"].start]
    gradient = np.bincount(styles, error[: len(styles), 0], minlength=SIZES["style"])
    engine.train_epoch([batch], 1e-2)
    moved = engine.state()["table/linear.style"][:, 0]
    np.testing.assert_allclose(moved[2:], -1e-2 * np.sign(gradient[2:]), rtol=1e-3)


def test_the_order_within_a_user_is_lowered_and_told_apart(make_engine: Make) -> None:
    """Two users whose clicks follow from nothing but the item; a state stored between two days goes on bit for bit."""
    day = make_day(school_schema(), most=1)
    label = (day.pair_item % 2).astype(np.int8)[:, None]
    day = replace(day, label=label, user=np.arange(day.requests, dtype=np.int32) // 20)
    engine = make_engine(tasks=(Task(loss="binary"),), pairwise=0.5)
    engine.fresh(SIZES)
    batches = DayBatches(engine, day, Settings(16, together=True))
    told = [engine.train_epoch(batches, 1e-2) for _ in range(3)]
    assert engine.loss_parts == ("label", "pairs of a user")
    np.testing.assert_allclose(told[0][:, 0], told[0][:, 1] + 0.5 * told[0][:, 2], rtol=1e-6)
    assert told[2][:, 2].mean() < told[0][:, 2].mean()
    stored, whole = engine.state(), engine.train_epoch(batches, 1e-2)
    engine.load(stored)
    np.testing.assert_array_equal(engine.train_epoch(batches, 1e-2), whole)
