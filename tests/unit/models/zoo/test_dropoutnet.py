"""Two towers of which each reads its own side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.engine.batching import DayBatches, score_day
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.schema import UNKNOWN, DayArrays, FeatureSchema, Kind, Side
from models.tasks import Task
from tests.unit.models.school import SIZES, make_day, school_schema
from tests.unit.models.zoo.field_models import ROWS, WHOLE, built, inputs

Make = Callable[..., Engine]
PREFERENCE: dict[str, Any] = {"preference": ["teacher", "style"], "units": [8], "width": 4}


def test_each_tower_reads_its_own_side_preference_first() -> None:
    given = inputs(user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
    model = built("dropoutnet", WHOLE, units=[], width=2, preference=["user", "ad"], temperature=0.5)
    outputs = model(given)
    assert [[name for name, _ in model.towers[side].reads] for side in (Side.REQUEST, Side.ITEM)] == [
        ["user", "hour", "pooled of clicks"], ["ad", "price"],
    ]  # fmt: skip
    model.towers[Side.REQUEST].kernel.assign([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])  # (2, 3)
    model.towers[Side.ITEM].kernel.assign([[1.0, 0.0], [0.0, 1.0]])  # (5, 1), (7, 2)
    outputs = model(given)
    expected = [13 / 0.5 / np.sqrt(13 * 26), 20 / 0.5 / np.sqrt(13 * 53)]
    np.testing.assert_allclose(outputs.logits["label"][0], expected, rtol=1e-6)
    np.testing.assert_allclose(
        np.sum(outputs.vectors["user"][:, None] * outputs.vectors["item"], axis=-1), outputs.logits["label"], rtol=1e-6
    )


def test_what_it_lacks_or_cannot_read_is_named() -> None:
    with pytest.raises(ValueError, match="needs a feature of the item: its tower would read nothing"):
        built("dropoutnet", ROWS)
    with pytest.raises(ValueError, match=r"'clicks' is no single id and no vector .* there are user, hour, ad"):
        built("dropoutnet", WHOLE, preference=["clicks"])
    with pytest.raises(ValueError, match="one score for each pair, got the tasks click, buy"):
        built("dropoutnet", WHOLE, "click", "buy")
    with pytest.raises(ValueError, match="a tower reads its own side alone; leave it out"):
        built("dropoutnet", WHOLE, crosses={"user": ["ad"]})
    with pytest.raises(ValueError, match="'drop' would have no effect: there is no `preference`"):
        built("dropoutnet", WHOLE, drop=0.25)


def test_a_loss_over_the_batch_needs_vectors(make_engine: Make) -> None:
    with pytest.raises(ValueError, match="loss: 'pooled' has none that is in_batch, only binary, softmax"):
        make_engine("pooled", tasks=(Task(loss="in_batch"),))


def impressions(schema: FeatureSchema) -> DayArrays:
    """A day whose requests have one candidate each; a half are positive."""
    day = make_day(schema, requests=128, most=1)
    return replace(day, label=(np.arange(128) % 2).astype(np.int8)[:, None])


@pytest.mark.parametrize("loss", ["in_batch", "in_batch_log_q", "binary"])
def test_training_lowers_the_loss_and_killed_it_goes_on_bit_for_bit(
    loss: str, schema: FeatureSchema, make_engine: Make
) -> None:
    day, settings = impressions(schema), Settings(batch_size=32, seed=3)

    def trained(engine: Engine, epochs: int) -> np.ndarray:
        batches = DayBatches(engine, day, settings)
        return np.concatenate([engine.train_epoch(batches, 1e-2)[:, 0] for _ in range(epochs)])

    engine = make_engine("dropoutnet", PREFERENCE | {"instead": "mean"}, tasks=(Task(loss=loss),))
    losses = trained(engine, 6)
    assert losses[-4:].mean() < 0.9 * losses[:4].mean()
    between = engine.state()
    straight = (trained(engine, 1), engine.state())[1]
    engine.load(between)
    resumed = (trained(engine, 1), engine.state())[1]
    for name, values in straight.items():
        np.testing.assert_array_equal(values, resumed[name], err_msg=name)


def test_who_is_not_known_is_as_one_whose_preference_is_dropped(schema: FeatureSchema, make_engine: Make) -> None:
    """An id beyond the tables, one that reads as unknown and one that is missing say the same."""
    engine, day = make_engine("dropoutnet", PREFERENCE), impressions(school_schema())
    column = day.layout.request_ids["teacher"].start

    def scores(teacher: int) -> np.ndarray:
        ids = day.request_ids.copy()
        ids[:, column] = teacher
        return score_day(engine, replace(day, request_ids=ids))

    np.testing.assert_array_equal(scores(SIZES["teacher"] + 5), scores(UNKNOWN))
    assert not np.array_equal(scores(3), scores(UNKNOWN))
    # Histories of the same space know what is unknown apart: theirs is another table.
    assert {spec.name for spec in engine.specs if spec.space == "teacher"} == {"teacher", "preference.teacher"}
    assert not any(f.side is Side.PAIR for f in engine.schema.features)
    assert all(f.of is None for f in engine.schema.features if f.kind is not Kind.NEGATIVES)
