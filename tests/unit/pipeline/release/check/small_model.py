"""A small SavedModel with what an exported model has: ids and tables that grow, weights, its three signatures."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

CHECKPOINTS = [f"checkpoint/tiny/a/day=2024-03-0{day}/gen=0001" for day in (1, 2)]


def save(
    path: Path, *, weight: float = 2.0, ads: Collection[int] = (7,), users: Collection[str] = ("a",),
    factor: float = 1.0, alone: float = 0.0, checkpoint: str = CHECKPOINTS[0],
) -> Path:  # fmt: skip
    """Score = factor · weight · number of known ids, and ``alone`` more of a request that is asked by itself: both are
    constants of the graph, the rest are variables."""
    import tensorflow as tf

    inputs = [tf.TensorSpec([None, None], tf.int64, "ad"), tf.TensorSpec([None], tf.string, "user")]

    class Model(tf.Module):
        def __init__(self) -> None:
            self.weight = tf.Variable(weight)
            self.ads = tf.Variable(tf.constant(list(ads), tf.int64), shape=[None])
            self.users = tf.lookup.experimental.MutableHashTable(tf.string, tf.int32, 0)
            self.users.insert(tf.constant(list(users)), tf.ones(len(users), tf.int32))
            self.metadata = tf.Variable(json.dumps({"checkpoint": checkpoint}))

        def known(self, ad: tf.Tensor, user: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            ads = tf.reduce_any(ad[..., None] == self.ads, axis=-1)
            return tf.cast(ads, tf.float32), tf.cast(self.users.lookup(user), tf.float32)

        @tf.function(input_signature=inputs)
        def serve(self, ad: tf.Tensor, user: tf.Tensor) -> dict[str, tf.Tensor]:
            ads, users = self.known(ad, user)
            logit = factor * self.weight * (ads + users[:, None])
            logit += alone * tf.cast(tf.shape(ad)[0] == 1, tf.float32)
            return {"logit": logit, "probability": tf.sigmoid(logit)}

        @tf.function(input_signature=inputs)
        def unknown(self, ad: tf.Tensor, user: tf.Tensor) -> dict[str, tf.Tensor]:
            ads, users = self.known(ad, user)
            return {"ad": 1 - tf.reduce_mean(ads), "user": 1 - tf.reduce_mean(users)}

        @tf.function(input_signature=[])
        def describe(self) -> dict[str, tf.Tensor]:
            return {"metadata": tf.identity(self.metadata)}

    model = Model()
    signatures = {"serving_default": model.serve, "unknown": model.unknown, "describe": model.describe}
    tf.saved_model.save(model, str(path), signatures)
    (path / "fingerprint.pb").unlink(missing_ok=True)  # another at every save
    return path


def job(folder: Path, model: Path | None = None, **other: Any) -> dict[str, Any]:
    """What is asked of a model: golden rows of weight 2 where 7 and 'a' are known, and four candidates, one unknown."""
    folder.mkdir(exist_ok=True)
    np.savez(folder / "inputs.npz", ad=np.array([[7, 8], [8, 8]], np.int64), user=np.array(["a", "\x01"]))
    logit = np.array([[4.0, 2.0], [0.0, np.nan]], np.float32)  # the last one is no candidate
    probability, special = 1 / (1 + np.exp(-logit.astype(np.float64))), np.array([False, True])
    np.savez(folder / "outputs.npz", logit=logit, probability=probability, special=special)
    np.savez(folder / "candidates.npz", ad=np.array([[7, 7, 7, 9]], np.int64), user=np.array(["a"]))
    return {
        "model": str(model or folder / "model"), "inputs": str(folder / "inputs.npz"),
        "outputs": str(folder / "outputs.npz"), "candidates": str(folder / "candidates.npz"), "fields": ["ad"],
        "count": 300, **other,
    }  # fmt: skip
