"""Several tasks: ESMM's losses and towers, MMoE as a whole."""

from __future__ import annotations

import tensorflow as tf

from models.engine.losses import binary, by_task, weighted_sum
from models.heads.joint import joint_logit, log_power
from models.inputs import ModelInputs
from models.outputs import Outputs
from models.schema import Feature, FeatureSchema, Kind, Side
from models.tasks import Task
from models.zoo.esmm import Esmm, EsmmOptions
from models.zoo.mmoe import Mmoe, MmoeOptions
from tests.unit.models.golden_cases.case import Arrays, Case, asked


def schema_of(values: int) -> FeatureSchema:
    """Numbers, the first of the request and the others of its candidate."""
    first = Feature("first", Kind.VECTOR, Side.REQUEST, size=1)
    return FeatureSchema((first, Feature("others", Kind.VECTOR, Side.ITEM, size=values - 1)), {})


def split(x: tf.Tensor) -> ModelInputs:
    return ModelInputs({}, {}, {"first": x[:, :1], "others": x[:, None, 1:]}, {})


def flagged(kernel: tf.Tensor) -> tf.Tensor:
    """Weights of ``x``'s values, with those of the flags that tell vectors which are missing: none here is."""
    nothing = tf.zeros_like(kernel[:1])
    return tf.concat([kernel[:1], nothing, kernel[1:], nothing], axis=0)


def esmm(a: Arrays) -> dict[str, tf.Tensor]:
    """The rows that are kept, in the loss; the towers, as the model has them."""
    keep = (a["click"] == 1) | (a["buy"] == 0)
    pctr, pcvr = (tf.sigmoid(a[f"logit_{name}"]) for name in ("ctr", "cvr"))
    joint = joint_logit(a["logit_ctr"], a["logit_cvr"])
    kept = {name: tf.boolean_mask(a[name], keep) for name in ("click", "buy", "weight", "logit_ctr", "logit_cvr")}
    tasks = (Task("ctr", weight=1.0), Task("cvr", weight=0.6, given="ctr"))
    # As a day has them: what is not clicked is not judged.
    label = tf.where(kept["click"] == 1, kept["buy"], -1.0)
    told = [kept["click"][:, None], label[:, None], tf.ones_like(label)[:, None], kept["weight"]]
    outputs = Outputs({"ctr": kept["logit_ctr"][:, None], "cvr": kept["logit_cvr"][:, None]}, {}, {})
    losses = by_task(tasks, outputs, told, entire=True)
    ones = tf.ones(1)

    def each(logit: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        pairs = zip(tf.unstack(logit), tf.unstack(labels), strict=True)
        return tf.stack([binary(z[None, None], y[None, None], ones[:, None], ones) for z, y in pairs])

    both = {"ctr": {f"ctr_{n}": a[f"ctr_{n}"] for n in ("w1", "b1", "w2", "b2", "w3", "b3")}}
    both["cvr"] = {f"cvr_{n}": a[f"cvr_{n}"] for n in ("w1", "b1", "w2", "b2", "w3", "b3")}
    weights = {}
    for task in ("ctr", "cvr"):
        w = both[task]
        weights |= {
            f"tower_{task}/kernel": flagged(w[f"{task}_w1"]), f"tower_{task}/bias": w[f"{task}_b1"],
            f"tower_{task}_hidden_2/kernel": w[f"{task}_w2"], f"tower_{task}_hidden_2/bias": w[f"{task}_b2"],
            f"tower_{task}_hidden_3/kernel": w[f"{task}_w3"], f"tower_{task}_hidden_3/bias": w[f"{task}_b3"],
        }  # fmt: skip
    answer = asked(Esmm(schema_of(3), EsmmOptions(units=(4, 2)), ("ctr", "cvr")), weights, split(a["x"]))
    towers = {task: answer.logits[task][:, 0] for task in ("ctr", "cvr")}
    return {
        "out_log_pctcvr": tf.math.log_sigmoid(joint),
        "out_log_not_pctcvr": tf.math.log_sigmoid(-joint),
        "out_pctr": pctr,
        "out_pcvr": pcvr,
        "out_pctcvr": pctr * pcvr,
        "out_keep": keep,
        "out_discarded": tf.reduce_sum(tf.cast(~keep, tf.int32)),
        "out_loss_ctr_each": each(a["logit_ctr"], a["click"]),
        "out_loss_ctcvr_each": each(joint, a["click"] * a["buy"]),
        "out_loss_ctr": losses["ctr"],
        "out_loss_ctcvr": losses["cvr"],
        "out_loss": weighted_sum(tasks, losses, (), (), {}),
        "out_score": tf.exp(log_power(tf.stack([a["logit_ctr"], a["logit_cvr"]], -1), tf.constant([1.0, 0.5]))),
        "out_tower_logit_ctr": towers["ctr"],
        "out_tower_logit_cvr": towers["cvr"],
        "out_tower_pctcvr": tf.sigmoid(joint_logit(towers["ctr"], towers["cvr"])),
    }


def mmoe(a: Arrays) -> dict[str, tf.Tensor]:
    tasks, weights = ("one", "two"), {}
    for n in range(2):
        weights |= {
            f"expert_{n + 1}_layers/kernel": flagged(a["expert_w"][n]),
            f"expert_{n + 1}_layers/bias": a["expert_b"][n],
            f"gate_{tasks[n]}/kernel": flagged(a["gate_w"][n]),
            f"tower_{tasks[n]}/kernel": a["tower_w1"][n],
            f"tower_{tasks[n]}/bias": a["tower_b1"][n],
            f"tower_{tasks[n]}_hidden_2/kernel": a["tower_w2"][n],
            f"tower_{tasks[n]}_hidden_2/bias": a["tower_b2"][n],
        }
    options = MmoeOptions(units=(3,), experts=2, expert_units=(3,))
    answer = asked(Mmoe(schema_of(4), options, tasks), weights, split(a["x"]))
    return {"out_logits": tf.concat([answer.logits[task] for task in tasks], axis=-1)}


CASES = {
    "esmm": Case(esmm, {"": ("out_loss",), "tower": ("out_tower_pctcvr",)}),
    "mmoe": Case(mmoe, {"": ("out_logits",)}),
}
