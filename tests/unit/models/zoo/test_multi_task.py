"""Models of several tasks: what each reads, what their losses weigh, and what is said of options that cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.inputs import ModelInputs
from models.schema import FeatureSchema
from tests.unit.models.zoo.field_models import SPACES, WHOLE, built, inputs

TASKS = ("click", "buy")
GIVEN = {"user": [2.0], "hour": [3.0], "ad": [5.0, 7.0], "price": [0.25, 0.5], "clicks": [4.0, 6.0]}
ALL = ["esmm", "shared_bottom", "mmoe", "ple"]


def given(**changed: list[float]) -> ModelInputs:
    return inputs(**{**GIVEN, **changed})


def answers(model: Any, asked: ModelInputs) -> list[list[float]]:
    return [model(asked).logits[task].numpy()[0].tolist() for task in TASKS]


@pytest.mark.parametrize("name", ALL)
def test_what_is_a_tasks_own_moves_that_task_alone(name: str) -> None:
    model = built(name, WHOLE, *TASKS, own={"buy": ["hour", "price"], "click": ["clicks"]})
    click, buy = answers(model, given())
    assert answers(model, given(hour=[9.0], price=[0.75, 0.0]))[0] == click
    assert answers(model, given(hour=[9.0]))[1] != buy
    assert answers(model, given(price=[0.75, 0.0]))[1] != buy
    both = answers(model, given(user=[8.0]))
    assert both[0] != click
    assert both[1] != buy


@pytest.mark.parametrize("name", ALL)
def test_every_task_begins_where_its_own_bias_is(name: str) -> None:
    model = built(name, WHOLE, *TASKS)
    before = answers(model, given())
    for bias, more in zip(model.output_bias, (1.0, 10.0), strict=True):
        bias.assign(bias + more)
    assert np.subtract(answers(model, given()), before) == pytest.approx(np.array([[1.0] * 2, [10.0] * 2]), abs=1e-5)


def test_rates_of_the_item_say_in_which_proportion_a_row_teaches_the_tasks() -> None:
    """Rates of ¼ and ½ of the two candidates, for one task the price itself, for the other 1 where it is missing."""
    model = built("esmm", WHOLE, *TASKS, weighting="rates", rates={"click": "price", "buy": "price"})
    assert [model(given(), training=True).weights[task].numpy().tolist() for task in TASKS] == [[[1.0, 1.0]]] * 2
    asked = given(price=[0.25, float("nan")])
    asked.dense["other"] = tf.constant([[[0.75], [0.5]]])
    model.options.rates["buy"] = "other"
    weights = model(asked, training=True).weights
    assert [weights[task].numpy()[0].tolist() for task in TASKS] == [[0.5, 1.0], [1.5, 1.0]]
    assert not model(asked).weights


def test_experts_are_told_of_in_training_alone() -> None:
    model = built("mmoe", WHOLE, *TASKS, experts=2)
    told = model(given(), training=True).told
    assert list(told) == [f"use/{task}/expert_{n}" for task in TASKS for n in (1, 2)]
    assert float(told["use/buy/expert_1"] + told["use/buy/expert_2"]) == pytest.approx(1.0)
    assert not model(given()).told
    levels = built("ple", WHOLE, *TASKS, experts=1, shared_experts=1, levels=2)(given(), training=True).told
    assert [name for name in levels if name.startswith("use/buy")] == [
        "use/buy/level_1_expert_buy_1", "use/buy/level_1_expert_1", "use/buy/level_2_expert_buy_1",
        "use/buy/level_2_expert_1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"own": {"view": ["hour"]}}, "option 'own.view': there is no such task; the model's tasks: click, buy"),
        ({"own": {"buy": ["nobody"]}}, "option 'own.buy': there is no feature or history 'nobody' in use; there are "
         "user, hour, ad, price, clicks"),
        ({"own": {"buy": ["hour"], "click": ["hour"]}}, "'hour' is another task's own; what both read is shared"),
        ({"own": {"buy": ["user", "hour", "ad", "price", "clicks"]}}, "nothing is left that the tasks share"),
        ({"rates": {"buy": "price"}}, "'rates' would have no effect without `weighting: rates`"),
        ({"weighting": "rates", "rates": {"buy": "price"}}, "names buy; give every task one: click, buy"),
        ({"weighting": "rates", "rates": {"buy": "price", "click": "hour"}}, "'hour' is no number in use; one of p"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_told(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        built("esmm", WHOLE, *TASKS, **options)


def test_one_task_has_nothing_to_be_weighed_against() -> None:
    schema = FeatureSchema(WHOLE.features, SPACES)
    with pytest.raises(ValueError, match="option 'weighting' would have no effect: there is one task"):
        built("shared_bottom", schema, "click", weighting="learnt")
