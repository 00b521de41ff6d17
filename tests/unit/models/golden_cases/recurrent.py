"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.layers.attention_gru import AGRU, AIGRU, AUGRU
from models.layers.gru import GRU, Bidirectional, Recurrent
from models.layers.pooling import pool
from tests.unit.models.golden_cases.case import Arrays, Case, asked, beside


def gru(reset: str) -> Case:
    def outputs(a: Arrays) -> Mapping[str, tf.Tensor]:
        weights = {name: a[name] for name in ("kernel", "recurrent_kernel", "bias")}
        states = asked(GRU(len(a["recurrent_kernel"]), reset, name="gru"), weights, a["x"], a["mask"])  # type: ignore[arg-type]
        return {"out_states": states, "out_last": states[:, -1]}

    return Case(outputs, {"": ("out_states", "out_last")})


def both_ways(a: Arrays, prefix: str = "", gate: str = "gru", steps: str = "x") -> tuple[tf.Tensor, tf.Tensor]:
    weights = {
        f"{way}/{name}": a[f"{prefix}{short}_{name}"]
        for way, short in (("both_forwards", "fw"), ("both_backwards", "bw"))
        for name in ("kernel", "recurrent_kernel", "bias")
    }
    units = len(a[f"{prefix}fw_recurrent_kernel"])
    return asked(Bidirectional(units, gate, name="both"), weights, a[steps], a["mask"])


def bgru(a: Arrays) -> Mapping[str, tf.Tensor]:
    states, ends = both_ways(a)
    return {"out_last": ends, "out_mean": pool(states, tf.constant(a["mask"]), "mean"), "out_states": states}


def day_birnn(a: Arrays) -> Mapping[str, tf.Tensor]:
    batch, days, values, dim = a["values"].shape
    flat = {**a, "x": tf.reshape(a["values"], (-1, values, dim)), "mask": a["mask"].reshape(-1, values)}
    return {
        f"out_{kind}": tf.reshape(both_ways(flat, f"{kind}_", gate)[1], (batch, days, -1))
        for kind, gate in (("gru", "gru"), ("rnn", "none"))
    }


def attended(layer: type[Recurrent], reset: str, gates: str, a: Arrays, *, second: tf.Tensor | None = None,
             scores: tf.Tensor | None = None, **settings: str) -> tf.Tensor:  # fmt: skip
    """The states of a layer whose gates the file has apart: ``w``, ``u``, ``b`` with each letter of ``gates``."""
    kernel, recurrent, bias = (beside(a, *(f"{kind}{gate}" for gate in gates)) for kind in "wub")
    if reset == "after":
        bias = tf.stack([bias, tf.zeros_like(bias) if second is None else second])
    weights = {"kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}
    made = layer(len(recurrent), reset=reset, name="cell", **settings)  # type: ignore[arg-type]
    return asked(made, weights, a["x"], a["mask"], a["scores"] if scores is None else scores)


def augru(a: Arrays) -> Mapping[str, tf.Tensor]:
    found = {}
    for gate in ("paper", "reference"):
        for reset in ("after", "before"):
            name = f"out_{gate}_{reset}"
            states = attended(AUGRU, reset, "urh", a, gate=gate)
            found |= {f"{name}_states": states, f"{name}_last": states[:, -1]}
            for word, fill in (("zeros", tf.zeros_like), ("ones", tf.ones_like)):
                full = attended(AUGRU, reset, "urh", a, scores=fill(a["scores"]), gate=gate)
                found[f"{name}_{word}_last"] = full[:, -1]
        second = tf.concat([tf.zeros(2 * len(a["bh"])), a["ch"]], axis=0)
        two = attended(AUGRU, "after", "urh", a, second=second, gate=gate)
        found[f"out_{gate}_after_two_biases_last"] = two[:, -1]
    return found


def agru(a: Arrays) -> Mapping[str, tf.Tensor]:
    found = {}
    for reset in ("after", "before"):
        states = attended(AGRU, reset, "rh", a)
        found |= {f"out_{reset}_states": states, f"out_{reset}_last": states[:, -1]}
    return found


def aigru(a: Arrays) -> Mapping[str, tf.Tensor]:
    weights = {name: a[name] for name in ("kernel", "recurrent_kernel", "bias")}
    layer = AIGRU(len(a["recurrent_kernel"]), name="aigru")
    states = asked(layer, weights, a["x"], a["mask"], a["scores"])
    return {"out_states": states, "out_last": states[:, -1]}


CASES = {
    "gru_reset_after": gru("after"),
    "gru_reset_before": gru("before"),
    "bgru": Case(bgru, {"": ("out_states", "out_last")}),
    "day_birnn": Case(day_birnn, {"gru": ("out_gru",), "rnn": ("out_rnn",)}),
    "augru": Case(
        augru,
        {name: (f"out_{name}_last",) for name in (
            "paper_after", "paper_before", "reference_after", "reference_before", "paper_after_two_biases",
            "reference_after_two_biases",
        )},
    ),
    "agru": Case(agru, {name: (f"out_{name}_last",) for name in ("after", "before")}),
    "aigru": Case(aigru, {"": ("out_last",)}),
}  # fmt: skip
