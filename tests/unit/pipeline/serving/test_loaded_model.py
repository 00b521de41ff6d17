"""A serving process keeps the two versions that were asked for last, and asks a model with arrays as they are."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.serving import loaded_model
from pipeline.serving.loaded_model import LoadedModel, ModelCache


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders from which models were loaded."""
    found: list[str] = []

    class Loading:
        def __init__(self, folder: Path, *, fixed: bool) -> None:
            assert fixed
            found.append(folder.name)
            self.folder = folder

    monkeypatch.setattr(loaded_model, "LoadedModel", Loading)
    return found


def pointer(version: int, model: str = "digest") -> Any:
    return SimpleNamespace(version=version, model=model)


def folder(of: Any) -> Path:
    return Path(f"{of.version}{of.model}")


def test_the_one_not_asked_for_the_longest_goes(loads: list[str]) -> None:
    cache = ModelCache()
    for version in (1, 2, 1, 3, 1, 2):
        assert cache.get(pointer(version), folder).folder == folder(pointer(version))  # type: ignore[attr-defined]
    # 2 went when 3 came, as 1 had been asked for since.
    assert loads == ["1digest", "2digest", "3digest", "2digest"]


def test_another_model_under_the_same_number_is_another(loads: list[str]) -> None:
    cache = ModelCache()
    cache.get(pointer(1, "a"), folder)
    cache.get(pointer(1, "b"), folder)
    cache.get(pointer(1, "a"), folder)
    assert loads == ["1a", "1b"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["variables", "fixed", "cannot be fixed"])
def test_a_model_is_asked_with_texts_numbers_and_the_arrays_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    import tensorflow as tf

    def asked(**raw: Any) -> dict[str, Any]:
        length = tf.cast(module.table.lookup(raw["text"]), tf.float32) * module.scale
        logit = length + raw["dense"][..., 0] + tf.cast(raw["number"], tf.float32)[:, None]
        return {"logit": logit, "probability": logit / 2}

    specs = {
        "text": tf.TensorSpec([None, None], tf.string), "number": tf.TensorSpec([None], tf.int64),
        "dense": tf.TensorSpec([None, None, 1], tf.float32),
    }  # fmt: skip
    module = tf.Module()
    module.scale, module.table = tf.Variable(1.0), tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 5)
    module.table.insert(tf.constant(["a", "bcd", "abcde", "yy"]), tf.constant([1, 3, 5, 2], tf.int64))
    module.asked = tf.function(asked).get_concrete_function(**specs)
    tf.saved_model.save(module, str(tmp_path / "model"), signatures={"serving_default": module.asked})
    if how == "cannot be fixed":
        monkeypatch.setattr(loaded_model, "_with_constants", lambda call: (call._inference_function, []))
    model = LoadedModel(tmp_path / "model", fixed=how != "variables")
    assert len(model._captured) == (1 if how == "fixed" else 3), "the table; not the variable, nor the number of others"
    assert model.inputs == {"text", "number", "dense"}
    inputs = {
        "text": np.array([["a", "bcd"]], object), "number": np.array([10]), "dense": np.float32([[[0.5], [0.25]]]),
    }  # fmt: skip
    for number in (10, 20):
        logits, probabilities = model.score({**inputs, "number": np.array([number])})
        assert logits.tolist() == [[number + 1.5, number + 3.25]]
        assert probabilities.tolist() == [[(number + 1.5) / 2, (number + 3.25) / 2]]
    # An array that is not contiguous, as a part of a wider one is.
    wide = np.array([["abcde", "x", "yy", "x"]], object)  # x is not in the table, and not asked
    assert model.score({**inputs, "text": wide[:, ::2]})[0].tolist() == [[15.5, 12.25]]


@pytest.mark.slow
def test_a_model_may_hold_a_loop(tmp_path: Path) -> None:
    import tensorflow as tf

    def asked(x: Any) -> dict[str, Any]:
        doubled = tf.while_loop(lambda i, _: i < tf.shape(x)[0], lambda i, y: (i + 1, y * 2), [tf.constant(0), x])[1]
        return {"logit": doubled, "probability": doubled}

    module = tf.Module()
    module.asked = tf.function(asked).get_concrete_function(x=tf.TensorSpec([None, None], tf.float32))
    tf.saved_model.save(module, str(tmp_path / "model"), signatures={"serving_default": module.asked})
    assert LoadedModel(tmp_path / "model").score({"x": np.float32([[1, 2], [3, 4]])})[0].tolist() == [[4, 8], [12, 16]]
