"""Towers that do without preferences, and a loss over a batch's items."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.engine.losses import Among, in_batch
from models.layers.cosine import Cosine
from models.layers.preference import Preference
from models.layers.tower import Tower
from tests.unit.models.golden_cases.case import Arrays, Case, asked


def dropoutnet(a: Arrays) -> Mapping[str, tf.Tensor]:
    layer = Preference(0.0, name="preference")

    def tower(side: str, keep: tf.Tensor) -> tf.Tensor:
        preference = a[f"{side}_preference"]
        known = tf.broadcast_to(keep[:, None] > 0, preference.shape)
        whole = tf.concat([layer(preference, known), a[f"{side}_content"]], axis=-1)[:, None]
        names = {"kernel": "w1", "bias": "b1", "hidden_2/kernel": "w2", "hidden_2/bias": "b2"}
        weights = {f"tower_{name}" if "/" in name else name: a[f"{side}_{own}"] for name, own in names.items()}
        return asked(Tower((4,), "tanh", scores=3, name="tower"), weights, whole[:, 0, :0], whole)[:, 0]

    def dots(all_of: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tower("user", all_of) * tower("item", all_of), axis=-1)

    user, item = tower("user", a["keep_user"]), tower("item", a["keep_item"])
    weights = {"log_temperature": tf.math.log(a["temperature"])[None], "bias": tf.zeros(1)}
    users, items = (
        asked(Cosine(0.5, name="cosine"), weights, vectors, of=side)
        for side, vectors in (("user", user), ("item", item))
    )
    logit = tf.reduce_sum(users * items, axis=-1)
    return {
        "out_user": user, "out_item": item, "out_dot": tf.reduce_sum(user * item, axis=-1),
        "out_dot_warm": dots(tf.ones(4)), "out_dot_cold": dots(tf.zeros(4)),
        "out_item_unit": items[:, :-1], "out_user_unit": users[:, :-1] * a["temperature"],
        "out_cosine": logit * a["temperature"], "out_logit": logit,
    }  # fmt: skip


def in_batch_softmax(a: Arrays) -> Mapping[str, tf.Tensor]:
    ones = tf.ones((5, 1))
    same = tf.cast(a["item_id"][:, None], tf.float32)
    among = Among(a["user"] / a["temperature"], a["item"][:, None], same, a["log_q"][:, None])
    return {
        "out_loss": in_batch(among, ones, ones, tf.ones(5), log_q=False, hits=True),
        "out_loss_logq": in_batch(among, ones, ones, tf.ones(5), log_q=True, hits=True),
        "out_loss_logq_no_hits": in_batch(among, ones, ones, tf.ones(5), log_q=True),
    }


CASES = {
    "dropoutnet": Case(dropoutnet, {"cosine": ("out_logit",)}),
    "in_batch_softmax": Case(
        in_batch_softmax,
        {"plain": ("out_loss",), "logq": ("out_loss_logq",), "logq_no_hits": ("out_loss_logq_no_hits",)},
    ),
}
