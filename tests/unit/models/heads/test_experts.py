"""Levels of experts: which a task sees, and what goes on to the level above."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models.heads.experts import Level, Read

X = Read(tf.zeros((1, 0)), tf.constant([[[1.0, 2.0]]]), (("x", 2),))


def told(level: Level) -> dict[str, float]:
    """What each task is told where every expert gives the number that it is called by, and gates weigh them alike."""
    level.mix(X, dict.fromkeys(level.tasks, X))
    for layer in level.layers:
        for weight in layer.weights:
            weight.assign(0 * weight)
        if "gate" not in layer.name:
            layer.layers.bias.assign([float(layer.name[-1]) * (10 if "one" in layer.name else 1)])
    found, above = level.mix(X, dict.fromkeys(level.tasks, X))
    shared = {} if above is None else {"above": float(above[0, 0, 0])}
    return {task: float(each.values[0, 0, 0]) for task, each in found.items()} | shared


def test_shared_experts_are_seen_by_all() -> None:
    level = Level(("one", "two"), 2, 0, (1,), "relu")
    assert told(level) == {"one": 1.5, "two": 1.5}
    assert [layer.name for layer in level.layers] == ["expert_1", "expert_2", "gate_one", "gate_two"]


def test_a_task_sees_its_own_and_the_shared_ones_and_all_of_them_go_on() -> None:
    """Shared: 1 and 2; of `one` 10, of `two` 1: (10 + 1 + 2) / 3, (1 + 1 + 2) / 3; all: 14 / 4."""
    found = told(Level(("one", "two"), 2, 1, (1,), "relu", above=True))
    assert found == pytest.approx({"one": 13 / 3, "two": 4 / 3, "above": 14 / 4})


def test_it_is_told_how_much_each_is_used() -> None:
    level = Level(("one", "two"), 1, 1, (1,), "relu")
    found, _ = level.mix(X, dict.fromkeys(level.tasks, X))
    assert list(found["two"].use) == ["expert_two_1", "expert_1"]
    assert float(tf.add_n(list(found["two"].use.values()))) == pytest.approx(1.0)
