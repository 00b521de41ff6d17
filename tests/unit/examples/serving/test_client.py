"""A client changes over to another release when its model is loaded and has answered, and never before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from examples.serving import client
from examples.serving.client import Client, ranked, rest_body
from examples.serving.released.ready import Question
from examples.serving.released.release import ReleaseGone


class World:
    """A Redis that names a release, and the models that were loaded and asked, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.served, self.gone, self.told = "r1", set[str](), list[str]()
        world = self

        class FakeRelease:
            def __init__(self, _client: Any, _keys: str, text: bytes) -> None:
                self.text = self.newest = text
                self.id = json.loads(text)["release_id"]
                self.pointer = {"release_id": self.id, "version": int(self.id[1:])}

            def fetch(self, _wanted: Any) -> Any:
                return {"meta": {"config": {"kind": "impressions"}}}

        class FakeReady:
            def __init__(self, release: FakeRelease) -> None:
                self.id = release.id

            def inputs(self, release: FakeRelease, question: Question, _names: Any) -> Any:
                if release.id in world.gone:
                    raise ReleaseGone(release.id)
                release.newest = world.text
                return [7], {"x": np.zeros((1, 1))}

        class FakeModel:
            def __init__(self, folder: Path) -> None:
                self.name, self.types = folder.name, dict[str, Any]()
                world.told.append(f"loaded {self.name}")

            def score(self, _inputs: Any) -> Any:
                world.told.append(f"asked {self.name}")
                return np.zeros(1, np.float32), np.zeros(1, np.float32)

        monkeypatch.setattr(client, "Release", FakeRelease)
        monkeypatch.setattr(client, "Model", FakeModel)
        monkeypatch.setattr(client, "KINDS", {"impressions": FakeReady})

    @property
    def text(self) -> bytes:
        return json.dumps({"release_id": self.served}).encode()

    def get(self, key: str) -> bytes:
        assert key == "d:ads:current"
        return self.text


def test_the_one_before_answers_until_the_new_one_is_loaded_and_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    world: Any = World(monkeypatch)
    asking, question = Client(world, Path("models"), "d:ads"), Question([1])
    assert asking.ask(question).release_id == "r1"
    world.served = "r2"
    assert asking.ask(question).release_id == "r1"  # it is told of the other one by what it reads
    assert asking._coming is not None
    asking._coming.result()
    assert [each for each in world.told if each.endswith("2")] == ["loaded 2", "asked 2"], "with a request of before"
    assert asking.ask(question).release_id == "r2"
    assert world.told.count("loaded 2") == 1


def test_a_release_that_cannot_be_made_ready_leaves_the_one_before_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world: Any = World(monkeypatch)
    asking, question = Client(world, Path("models"), "d:ads"), Question([1])
    world.served, whole = "r2", client.Model

    def lost(folder: Path) -> Any:
        raise OSError(f"{folder}: no such folder")

    monkeypatch.setattr(client, "Model", lost)
    asking.ask(question)
    assert asking._coming is not None
    assert isinstance(asking._coming.exception(), OSError)
    monkeypatch.setattr(client, "Model", whole)
    assert asking.ask(question).release_id == "r1"
    assert "models/2: no such folder" in caplog.text
    assert asking._coming is not None, "tried again"
    asking._coming.result()
    assert asking.ask(question).release_id == "r2"


def test_a_release_that_is_gone_is_left_for_the_one_that_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    world: Any = World(monkeypatch)
    asking = Client(world, Path("models"), "d:ads")
    world.served, world.gone = "r2", {"r1"}
    assert asking.ask(Question([1])).release_id == "r2"


def test_equal_scores_stand_in_the_order_of_their_keys() -> None:
    logits = np.float32([1, 3, 3, 3])
    assert ranked("r", [5, 30, 4, 100], logits, logits).keys == [4, 30, 100, 5]
    assert ranked("r", ["a", "b|2", "b|10", "é"], logits, logits).keys == ["b|10", "b|2", "é", "a"]


def test_a_body_names_the_signature_and_holds_every_input() -> None:
    body = rest_body({"user": np.array([7]), "rate": np.float32([[[np.nan], [0.5]]])})
    assert body == '{"signature_name": "serving_default", "inputs": {"user": [7], "rate": [[[NaN], [0.5]]]}}'
