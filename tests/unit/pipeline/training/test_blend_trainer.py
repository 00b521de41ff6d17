"""A blend is the sum of its members by their weights; it takes up their states and takes no step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.architecture import Architecture, Growth
from models.engine.state import StateMismatch
from models.schema import FeatureSchema
from models.tasks import Task
from pipeline.training.blend_trainer import BlendTrainer, blended, mean_weights
from pipeline.training.blend_weights import Fit

TASKS = (Task("click"), Task("view"))


def member(name: str, **sizes: int) -> Any:
    loaded: list[Any] = []
    return SimpleNamespace(
        spaces=sorted(sizes), sizes=sizes, loaded=loaded, load=lambda state, then: loaded.append((state, then)),
        state=lambda: {"table/ad": np.full(2, len(name))}, architecture=Architecture(model=name),
        growth=Growth(tables={"ad": (0, 8)}, weights=("dense/a",)),
    )  # fmt: skip


def made() -> BlendTrainer:
    members = {"two": member("two", ad=9), "one": member("one1", ad=5, user=3)}
    return BlendTrainer(FeatureSchema(()), members, TASKS)


def test_two_members_by_hand() -> None:
    """click: 1/4 · 2 + 3/4 · 6 + 1 = 6; view: the mean of 4 and 8."""
    logits = [np.array([[2, 4]], np.float32), np.array([[6, 8]], np.float32)]
    weights = [np.array([0.25, 0.75, 1], np.float32), np.array([0.5, 0.5, 0], np.float32)]
    assert blended(logits, weights).tolist() == [[6, 6]]
    assert {name: each.tolist() for name, each in mean_weights(2, TASKS).items()} == {
        "click": [0.5, 0.5, 0], "view": [0.5, 0.5, 0]
    }  # fmt: skip


def test_members_stand_by_name_whatever_order_they_are_written_in() -> None:
    trainer = made()
    assert list(trainer.members) == ["one", "two"]
    assert (trainer.spaces, trainer.sizes) == (["ad", "user"], {"ad": 5, "user": 3})
    assert trainer.growth == Growth(
        tables={"one/ad": (0, 8), "two/ad": (0, 8)}, weights=("one/dense/a", "two/dense/a")
    )
    assert list(trainer.state()) == ["weights.click", "weights.view", "one/table/ad", "two/table/ad"]


def test_a_state_is_given_to_the_members_whose_it_is() -> None:
    trainer = made()
    state = trainer.state() | {"weights.click": np.array([1, 2, 3], np.float32)}
    trainer.load(state, trainer.architecture)
    for name, each in trainer.members.items():
        ((given, then),) = each.loaded  # type: ignore[attr-defined]
        assert given["table/ad"].tolist() == [{"one": 4, "two": 3}[name]] * 2
        assert then == Architecture(model={"one": "one1", "two": "two"}[name])
    assert trainer.weights["click"].tolist() == [1, 2, 3]


def test_what_tests_said_of_the_weights_goes_on_with_them() -> None:
    trainer = made()
    fit = Fit(np.arange(4.0).reshape(2, 2), np.array([7.0, 8]))
    state = trainer.state() | {"fit.view": fit.tensor}
    trainer.load(state, trainer.architecture)
    assert list(trainer.fits) == ["view"]
    assert trainer.state()["fit.view"].tolist() == [[0, 1, 7], [2, 3, 8]]
    trainer.load({name: values for name, values in state.items() if name != "fit.view"}, trainer.architecture)
    assert trainer.fits == {}, "of a day before weights were fitted"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights.click": np.zeros(2, np.float32)}, "weights.click, weights.view: expected weights.click, weights.v"),
        ({"three/table/ad": np.zeros(2)}, "tensor 'three/table/ad': expected none"),
        ({"fit.buy": np.zeros((3, 4))}, "tensor 'fit.buy': expected none"),
        ({"fit.view": np.zeros((3, 4))}, r"tensor 'fit.view': expected \[2, 3\], found \[3, 4\]"),
    ],
)
def test_a_state_of_others_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(StateMismatch, match=message):
        made().load(made().state() | change)


def test_another_choice_of_members_is_another_blend() -> None:
    then = Architecture(model="blend", members={"one": Architecture(model="one1"), "three": Architecture(model="x")})
    with pytest.raises(StateMismatch, match="it is a blend of one, three, not of one, two"):
        made().load(made().state(), then)


def test_there_is_nothing_to_train() -> None:
    assert made().train([], 1e-3, {}).shape == (0, 1)
    assert made().observe(None) == {}  # type: ignore[arg-type]
