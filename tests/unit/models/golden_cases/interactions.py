"""Models of interactions, asked as a whole: half of a case's fields as the request's, half as its candidate's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from models import registry
from models.inputs import ModelInputs
from models.interactions.attention import Interacting
from models.interactions.cin import Cin
from models.interactions.cross import Cross, MatrixCross
from models.interactions.dot import pair_products
from models.interactions.ffm import field_aware
from models.interactions.field_pairs import FieldPairs
from models.interactions.fm import bi_interaction
from models.interactions.gates import EmbeddingGate
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


def ffm(a: Arrays) -> Mapping[str, tf.Tensor]:
    values = a["values"][..., None]
    vectors, linear = tf.gather(a["table"], a["ids"]), tf.gather(a["linear"], a["ids"])[..., None] * values
    vectors *= values[..., None]
    second = tf.reduce_sum(field_aware(vectors), axis=-1)
    roles = {"linear": sides(linear), "aware": sides(tf.reshape(vectors, (*vectors.shape[:2], -1)))}
    model = built("ffm", schema_of(vectors.shape[1]))
    logit = answer(model, {"linear/bias": a["bias"][None]}, ModelInputs({}, {}, {}, roles))
    return {"out_second_order": second, "out_logit": logit}


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


def flat_inputs(x: tf.Tensor) -> tuple[FeatureSchema, ModelInputs]:
    """Values as two features of unlike widths, the first of the request."""
    request, item = x[:, :2], x[:, None, 2:]
    return schema_of(2), ModelInputs({"f0": request, "f1": item}, {}, {}, {})


HIDDEN = {
    "deep_layers/kernel": "w1", "deep_layers/bias": "b1", "deep_layers_hidden_2/kernel": "w2",
    "deep_layers_hidden_2/bias": "b2",
}  # fmt: skip


def dcn(a: Arrays) -> Mapping[str, tf.Tensor]:
    schema, inputs = flat_inputs(a["x0"])
    layers = [
        asked(Cross(n, name="cross"), {"kernel": a["cross_w"][:n], "bias": a["cross_b"][:n]}, a["x0"])
        for n in range(1, len(a["cross_w"]) + 1)
    ]
    weights = named(a, HIDDEN) | {
        "cross/kernel": a["cross_w"], "cross/bias": a["cross_b"], "head/kernel": a["head"][:, None],
        "head/bias": a["head_bias"][None],
    }  # fmt: skip
    model = built("dcn", schema, units=units(a), cross_layers=len(layers))
    return {
        "out_layers": tf.stack(layers, axis=1), "out_cross": layers[-1], "out_logit": answer(model, weights, inputs)
    }  # fmt: skip


def dcn_v2(a: Arrays) -> Mapping[str, tf.Tensor]:
    schema, inputs = flat_inputs(a["x0"])
    count = len(a["cross_b"])
    found = {}
    for name, rank, arrays in (("full", None, {"kernel": "full"}), ("low_rank", a["down"].shape[-1], ("down", "up"))):
        x = a["x0"]
        paths = arrays if isinstance(arrays, dict) else {each: each for each in arrays}
        for layer in range(count):
            weights = {path: a[array][layer] for path, array in paths.items()} | {"bias": a["cross_b"][layer]}
            x = asked(MatrixCross(rank, name="cross"), weights, a["x0"], x)
        found[f"out_{name}"] = x
    crosses = {f"cross_{layer + 1}/kernel": a["full"][layer] for layer in range(count)}
    crosses |= {f"cross_{layer + 1}/bias": a["cross_b"][layer] for layer in range(count)}
    for structure in ("stacked", "parallel"):
        head = {"head/kernel": a[f"{structure}_head"][:, None], "head/bias": a["head_bias"][None]}
        model = built("dcn_v2", schema, units=units(a), cross_layers=count, structure=structure)
        found[f"out_{structure}_logit"] = answer(model, named(a, HIDDEN) | crosses | head, inputs)
    return found


def cin(a: Arrays) -> Mapping[str, tf.Tensor]:
    vectors, linear = embedded(a)
    found = {}
    for split in (False, True):
        second = a["cin_w2_split" if split else "cin_w2"]
        maps = (len(a["cin_w1"]), len(second))
        kernels = {"cin_1/kernel": a["cin_w1"], "cin_2/kernel": second}
        biases = {"cin_1/bias": a["cin_b1"], "cin_2/bias": a["cin_b2"]}
        name = "out_pooled_split" if split else "out_pooled"
        found[name] = asked(Cin(maps, split, False, name="cin"), kernels, vectors)
        found[f"{name}_relu"] = asked(Cin(maps, split, True, name="cin"), kernels | biases, vectors)
    weights = named(a, TOWER) | {
        "linear/bias": a["bias"][None], "cin_head/kernel": a["cin_head"][:, None], "cin_head/bias": tf.zeros(1),
        "cin_1/kernel": a["cin_w1"], "cin_2/kernel": a["cin_w2"],
    }  # fmt: skip
    maps = [len(a["cin_w1"]), len(a["cin_w2"])]
    model = built("xdeepfm", schema_of(vectors.shape[1]), units=units(a), maps=maps, split_half=False)
    found["out_xdeepfm_logit"] = answer(model, weights, inputs_of(vectors, linear))
    return found


def dlrm(a: Arrays) -> Mapping[str, tf.Tensor]:
    bottom = {
        "bottom_layers/kernel": a["bottom_w1"], "bottom_layers/bias": a["bottom_b1"],
        "bottom_end/kernel": a["bottom_w2"], "bottom_end/bias": a["bottom_b2"],
    }  # fmt: skip
    top = {path: a[f"top_{array}"] for path, array in TOWER.items()}
    schema = schema_of(a["vectors"].shape[1], a["dense"].shape[1])
    widths = [a["top_w1"].shape[1], a["top_w2"].shape[1]]
    model = built("dlrm", schema, units=widths, bottom_units=[a["bottom_w1"].shape[1]])
    hidden = tf.nn.relu(a["dense"] @ a["bottom_w1"] + a["bottom_b1"])
    made = tf.nn.relu(hidden @ a["bottom_w2"] + a["bottom_b2"])
    every = tf.concat([made[:, None], a["vectors"]], axis=1)
    return {
        "out_logit": answer(model, bottom | top, inputs_of(a["vectors"], dense=a["dense"])),
        "out_interactions": pair_products(every, with_self=False),
        "out_interactions_self": pair_products(every, with_self=True),
    }


def gate_dnn(a: Arrays) -> Mapping[str, tf.Tensor]:
    vectors, dense = a["vectors"], a["dense"]
    fields = vectors.shape[1]
    cut = halves(fields)
    found = {}
    for kind, array in (("vector", "gate_vector"), ("bit", "gate_bit"), ("shared", "gate_shared")):
        gate = EmbeddingGate(kind, name="gate")  # type: ignore[arg-type]
        request, item = asked(gate, {"kernel": a[array]}, vectors[:, :cut], vectors[:, None, cut:])
        name = "out_bit_shared" if kind == "shared" else f"out_{kind}"
        found[name] = tf.concat([request, item[:, 0]], axis=1)
    network = {
        "hidden_1_layers/kernel": "w1", "hidden_1_layers/bias": "b1", "hidden_2_layers/kernel": "w2",
        "hidden_2_layers/bias": "b2", "head/kernel": "w3", "head/bias": "b3",
    }  # fmt: skip
    hidden = {"hidden_gate_1/kernel": "hidden_gate1", "hidden_gate_2/kernel": "hidden_gate2"}
    for name, embedding, gated in (
        ("out_logit", "vector", True), ("out_logit_embedding", "vector", False), ("out_logit_hidden", None, True),
        ("out_logit_plain", None, False),
    ):  # fmt: skip
        paths = network | (hidden if gated else {}) | ({"gate/kernel": "gate_vector"} if embedding else {})
        model = built("gate_dnn", schema_of(fields, dense.shape[1]), units=units(a), embedding_gate=embedding,
                      hidden_gate=gated)  # fmt: skip
        found[name] = answer(model, named(a, paths), inputs_of(vectors, dense=dense))
    return found


def autoint(a: Arrays) -> Mapping[str, tf.Tensor]:
    vectors = a["vectors"]
    weights = {"query": a["wq"], "key": a["wk"], "value": a["wv"], "residual": a["wres"]}
    width, heads = a["wq"].shape[1], int(a["heads"])
    layer = asked(Interacting(width, heads, name="attention"), weights, vectors, tf.ones(vectors.shape[:2], tf.bool))
    model = built("autoint", schema_of(vectors.shape[1]), attention_widths=[width], heads=heads)
    weights |= {"head/kernel": a["head"][:, None], "head/bias": a["bias"][None]}
    return {"out_layer": layer, "out_logit": answer(model, weights, inputs_of(vectors))}


def deepfefm(a: Arrays) -> Mapping[str, tf.Tensor]:
    vectors, linear = embedded(a)
    pairs = asked(FieldPairs(name="pairs"), {"kernel": a["pair_u"]}, vectors)
    weights = named(a, TOWER) | {"linear/bias": a["bias"][None], "pairs/kernel": a["pair_u"]}
    model = built("deepfefm", schema_of(vectors.shape[1]), units=units(a))
    logit = answer(model, weights, inputs_of(vectors, linear))
    silent = weights | {path: tf.zeros_like(a[array]) for path, array in TOWER.items()}
    fefm = answer(model, silent, inputs_of(vectors, linear))
    return {"out_pairs": pairs, "out_fefm": fefm, "out_deep": logit - fefm, "out_logit": logit}


LOGIT = {"": ("out_logit",)}
CASES = {
    "fm": Case(fm, LOGIT),
    "ffm": Case(ffm, LOGIT),
    "deepfm": Case(both(deepfm, lr_is_its_linear_part), LOGIT),
    "wide_deep": Case(wide_deep, LOGIT),
    "dcn_v1": Case(dcn, LOGIT),
    "dcn_v2": Case(
        dcn_v2,
        {"stacked": ("out_stacked_logit",), "parallel": ("out_parallel_logit",), "low_rank": ("out_low_rank",)},
    ),
    "cin": Case(cin, {"xdeepfm": ("out_xdeepfm_logit",), "split_relu": ("out_pooled_split_relu",)}),
    "dlrm": Case(dlrm, LOGIT),
    "deepfefm": Case(deepfefm, {"fefm": ("out_fefm",), "deepfefm": ("out_logit",)}),
    "gate_dnn": Case(gate_dnn, LOGIT | {"bit": ("out_bit",), "bit_shared": ("out_bit_shared",)}),
    "autoint": Case(autoint, LOGIT),
}
