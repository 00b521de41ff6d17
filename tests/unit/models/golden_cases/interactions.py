"""Models of interactions, asked as a whole: half of a case's fields as the request's, half as its candidate's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from models import registry
from models.inputs import ModelInputs
from models.interactions.fm import bi_interaction
from models.schema import Feature, FeatureSchema, Kind, Side
from tests.unit.models.golden_cases.case import Arrays, Case, asked

TOWER = {
    "tower_main/kernel": "w1", "tower_main/bias": "b1", "tower_main_hidden_2/kernel": "w2",
    "tower_main_hidden_2/bias": "b2", "tower_main_hidden_3/kernel": "w3", "tower_main_hidden_3/bias": "b3",
}  # fmt: skip
"""A network of a case, by the paths of the models' own."""


def names_of(count: int, what: str = "f") -> list[str]:
    return [f"{what}{place}" for place in range(count)]


def halves(count: int) -> int:
    """How many fields are the request's."""
    return count // 2


def schema_of(fields: int, dense: int = 0, more: Sequence[str] = ()) -> FeatureSchema:
    """Categories, the first half of the request; then more of the request, and one dense feature of the candidate."""
    ids = [Feature(name, Kind.CATEGORICAL, Side.REQUEST if place < halves(fields) else Side.ITEM, "s")
           for place, name in enumerate(names_of(fields))]  # fmt: skip
    others = [Feature(name, Kind.CATEGORICAL, Side.REQUEST, "s") for name in more]
    floats = [Feature("dense", Kind.DENSE, Side.ITEM, size=dense)] if dense else []
    return FeatureSchema((*ids, *others, *floats), {"s": "int"})


def sides(values: tf.Tensor) -> dict[str, tf.Tensor]:
    """``[batch, fields, width]`` as a model finds it."""
    each = tf.unstack(values, axis=1)
    cut = halves(len(each))
    return {name: value if place < cut else value[:, None] for place, (name, value) in
            enumerate(zip(names_of(len(each)), each, strict=True))}  # fmt: skip


def inputs_of(vectors: tf.Tensor, linear: tf.Tensor | None = None, dense: tf.Tensor | None = None,
              crosses: Mapping[str, tf.Tensor] | None = None) -> ModelInputs:  # fmt: skip
    roles = {} if linear is None else {"linear": {**sides(linear), **(crosses or {})}}
    return ModelInputs(sides(vectors), {}, {} if dense is None else {"dense": dense[:, None]}, roles)


def embedded(a: Arrays) -> tuple[tf.Tensor, tf.Tensor]:
    """Vectors and weights of a case's ids, each times its value."""
    values = a["values"][..., None]
    return tf.gather(a["table"], a["ids"]) * values, tf.gather(a["linear"], a["ids"])[..., None] * values


def built(name: str, schema: FeatureSchema, **options: Any) -> Any:
    return registry.build(name, schema, options)


def answer(model: Any, weights: Mapping[str, tf.Tensor], inputs: ModelInputs) -> tf.Tensor:
    """``[batch]`` logits of the one candidate that each request has."""
    return asked(model, weights, inputs).logits["label"][:, 0]


def named(a: Arrays, paths: Mapping[str, str], **others: tf.Tensor) -> dict[str, tf.Tensor]:
    return {path: a[array] for path, array in paths.items()} | others


def units(a: Arrays) -> list[int]:
    return [a["w1"].shape[1], a["w2"].shape[1]]


def fm(a: Arrays) -> Mapping[str, tf.Tensor]:
    vectors, linear = embedded(a)
    second = bi_interaction(vectors[:, :2], vectors[:, None, 2:])[:, 0]
    weights = {"linear/bias": a["bias"][None]}
    logit = answer(built("fm", schema_of(vectors.shape[1])), weights, inputs_of(vectors, linear))
    return {"out_bi_interaction": second, "out_second_order": tf.reduce_sum(second, axis=-1), "out_logit": logit}


def deepfm(a: Arrays) -> Mapping[str, tf.Tensor]:
    vectors, linear = embedded(a)
    weights = named(a, TOWER) | {"linear/bias": a["bias"][None]}
    model = built("deepfm", schema_of(vectors.shape[1]), units=units(a))
    return {"out_logit": answer(model, weights, inputs_of(vectors, linear))}


def wide_deep(a: Arrays) -> Mapping[str, tf.Tensor]:
    vectors, linear = tf.gather(a["table"], a["ids"]), tf.gather(a["linear"], a["ids"])[..., None]
    crosses = names_of(a["cross_ids"].shape[1], "cross")
    of_crosses = dict(zip(crosses, tf.unstack(tf.gather(a["cross"], a["cross_ids"])[..., None], axis=1), strict=True))
    fields, width, dense = vectors.shape[1], vectors.shape[2], a["dense"].shape[1]
    # A model reads a side's dense values before its vectors; the case the vectors before all dense values.
    first = halves(fields) * width
    kernel = a["w1"]
    kernel = tf.concat([kernel[:first], kernel[-dense:], kernel[first:-dense]], axis=0)
    weights = named(a, TOWER) | {
        "tower_main/kernel": kernel, "linear/bias": a["bias"][None], "linear_values/kernel": a["dense_weight"][:, None],
    }  # fmt: skip
    model = built("wide_deep", schema_of(fields, dense, crosses), units=units(a), wide=crosses)
    return {"out_logit": answer(model, weights, inputs_of(vectors, linear, a["dense"], of_crosses))}


def lr_is_its_linear_part(a: Arrays) -> Mapping[str, tf.Tensor]:
    """``out_linear`` of DeepFM's case."""
    vectors, linear = embedded(a)
    model = built("lr", schema_of(vectors.shape[1]))
    return {"out_linear": answer(model, {"linear/bias": a["bias"][None]}, inputs_of(vectors, linear))}


def both(*outputs: Callable[[Arrays], Mapping[str, tf.Tensor]]) -> Callable[[Arrays], Mapping[str, tf.Tensor]]:
    return lambda a: {name: value for each in outputs for name, value in each(a).items()}


LOGIT = {"": ("out_logit",)}
CASES = {
    "fm": Case(fm, LOGIT),
    "deepfm": Case(both(deepfm, lr_is_its_linear_part), LOGIT),
    "wide_deep": Case(wide_deep, LOGIT),
}
