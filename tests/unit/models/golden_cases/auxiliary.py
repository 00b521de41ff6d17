"""Losses beside that of a task."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.layers.next_step_loss import NextStepLoss
from tests.unit.models.golden_cases.case import Arrays, Case, asked


def dien_aux(a: Arrays) -> Mapping[str, tf.Tensor]:
    mask = tf.constant(a["mask"])
    networks = {"inner": [], "mlp": [("a1", "c1"), ("a2", "c2"), ("a3", "c3")]}
    found = {}
    for name, network in networks.items():
        layer = NextStepLoss([a[kernel].shape[1] for kernel, _ in network[:-1]], name="next")
        given = (a["states"], a["positives"], mask, a["negatives"][:, :, None], mask[..., None])
        layer(*given)
        weights = {
            f"{dense.name}/{part}": a[array]
            for dense, arrays in zip(layer.score, network, strict=True)
            for part, array in zip(("kernel", "bias"), arrays, strict=True)
        }
        found[f"out_{name}"] = asked(layer, weights, *given)
    return found


CASES = {"dien_aux": Case(dien_aux, {"inner": ("out_inner",), "mlp": ("out_mlp",)})}
