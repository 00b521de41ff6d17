"""Random numbers of a training step: a function of the experiment's seed, a name and the step, and of nothing else."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import keras
import tensorflow as tf


class Part(NamedTuple):
    """Which of the equal parts of a batch's rows: ``number``, from 0, ``of`` so many."""

    number: int = 0
    of: int = 1

    def cut(self, rows: tf.Tensor) -> tf.Tensor:
        """The part's rows of those of the whole batch; its axis is the first."""
        return rows if self.of == 1 else tf.split(rows, self.of)[self.number]


WHOLE = Part()

_AT: ContextVar[tuple[int, tf.Tensor, Part] | None] = ContextVar("step", default=None)
_DRAWS = re.compile(
    r"Random|^Rng|Multinomial|^Stateful(Uniform|StandardNormal)|TruncatedNormal|NonDeterministic|PyFunc"
)
"""Operations whose results nothing in the graph determines; of Python functions nobody knows."""


class HiddenState(ValueError):
    """A model's step hangs on what neither a checkpoint nor a seed determines; says on what."""


def stable_seed(*parts: object) -> int:
    """A seed of 31 bits that depends on the parts alone, alike in every process."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") >> 1


def seed_initializers(model: keras.layers.Layer, seed: int) -> None:
    """Seed every random initialiser of a model by its layer's name, so that order of creation does not matter.

    Of layers of one name, such as the two cells of a ``Bidirectional``, each but the first by its number too.
    """
    before: Counter[str] = Counter()
    for layer in model._flatten_layers():
        number = (before[layer.name],) if before[layer.name] else ()
        before[layer.name] += 1
        for attribute, value in sorted(vars(layer).items()):
            if isinstance(value, keras.initializers.Initializer) and hasattr(value, "seed"):
                value.seed = stable_seed(seed, layer.name, attribute, *number)


@contextmanager
def built_from(seed: int) -> Iterator[None]:
    """Within, what has no seed takes one that is a function of ``seed`` and of the order in which it is made.

    :func:`seed_initializers` finds the initialisers of layers that are there before a model is built; not those that
    are given by name to ``add_weight``, nor those of layers that are made in ``build``: Keras draws their seeds.
    """
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


@contextmanager
def drawn_at(seed: int, step: tf.Tensor, part: Part = WHOLE) -> Iterator[None]:
    """Within, :func:`uniform` draws for this step, int32 ``[]``, of an experiment with this seed: for a part of a batch
    what it would for these rows of the whole."""
    token = _AT.set((seed, step, part))
    try:
        yield
    finally:
        _AT.reset(token)


def uniform(name: str, shape: tf.Tensor) -> tf.Tensor:
    """Numbers from [0, 1) of ``shape``; those of another name, step or seed are independent of them.

    Of a part of a batch, ``shape`` begins with its rows.

    Raises:
        RuntimeError: no training step is being taken.
    """
    at = _AT.get()
    if at is None:
        raise RuntimeError(f"'{name}' draws random numbers outside of a training step; draw only where `training`")
    seed, step, part = at
    both = tf.stack([tf.constant(stable_seed(seed, name), tf.int32), tf.cast(step, tf.int32)])
    if part.of > 1:
        shape = tf.concat([part.of * shape[:1], shape[1:]], axis=0)
    return part.cut(tf.random.stateless_uniform(shape, both, alg="philox"))


def check_no_hidden_state(model: keras.layers.Layer) -> None:
    """Refuse a layer that keeps a state beside its weights, such as a generator of random numbers.

    No checkpoint holds it, so a chain that was killed and resumed would not end as one that was not. Recurrent layers
    have a generator that they use for nothing but dropout: without it they pass.

    Raises:
        HiddenState: names the state.
    """
    known = {id(weight) for weight in model.weights}
    known |= {id(layer.seed_generator.state) for layer in model._flatten_layers() if _draws_nothing(layer)}
    hidden = sorted(variable.path for variable in model.variables if id(variable) not in known)
    if hidden:
        raise HiddenState(_hidden(model.name, hidden))


def check_no_hidden_variables(step: Any, known: Collection[tf.Variable], model: str) -> None:
    """Refuse a traced step that reads or writes a variable that is not ``known``, such as Keras's global generator.

    Raises:
        HiddenState: names the variables.
    """
    handles = {id(variable.handle) for variable in known}
    hidden = sorted({variable.name for variable in step.variables if id(variable.handle) not in handles})
    if hidden:
        raise HiddenState(_hidden(model, hidden))


def _draws_nothing(layer: keras.layers.Layer) -> bool:
    """Of a cell of a recurrent layer, whether it leaves nothing out."""
    rates = [getattr(layer, name, None) for name in ("dropout", "recurrent_dropout")]
    return rates == [0.0, 0.0] and isinstance(getattr(layer, "seed_generator", None), keras.random.SeedGenerator)


def _hidden(model: str, names: list[str]) -> str:
    return (
        f"model '{model}': {', '.join(names)} is state that no checkpoint holds, such as the generator of a "
        "keras.layers.Dropout or of keras.random; use models.layers.dropout.Dropout, draw by "
        "models.randomness.uniform, and keep what is to last in weights (`add_weight`)"
    )


def check_no_hidden_draw(graph: tf.Graph, model: str) -> None:
    """Refuse a traced step that draws random numbers which neither seed nor step determine.

    Raises:
        HiddenState: names the operation.
    """
    functions = graph.as_graph_def().library.function
    names = [(op.type, op.name) for op in graph.get_operations()]
    names += [(node.op, node.name) for function in functions for node in function.node_def]
    hidden = [(kind, name) for kind, name in names if not kind.startswith("Stateless") and _DRAWS.search(kind)]
    draws = sorted({f"{name} ({kind})" for kind, name in hidden})
    if draws:
        raise HiddenState(
            f"model '{model}' draws random numbers that no seed determines: {', '.join(draws)}; "
            "draw by models.randomness.uniform"
        )
