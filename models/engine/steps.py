"""The compiled functions of an engine, and the variables that they work on."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from itertools import chain
from typing import Any

import keras
import tensorflow as tf

from models.engine.losses import Among, by_task, of_score, pairwise, weighted_sum
from models.engine.optimizers import TableOptimizer, TableVariables
from models.engine.packing import Batch, size_of, told_shapes
from models.engine.tables import Table
from models.engine.tensors import cut, model_inputs
from models.engine.weights import DenseWeights
from models.outputs import ITEM, USER, Auxiliary, Outputs, check_outputs
from models.randomness import check_no_hidden_draw, check_no_hidden_variables, drawn_at
from models.tables import Fused
from models.tasks import SCORE, Score, Task

ADDED = "added by layers"
"""Among the parts of a loss; no task is called so."""
PAIRS = "pairs of a user"
"""Likewise."""


Padding = tuple[int, ...]
"""Distinct rows of each fused table that a batch is padded to."""


def entire_space(model: keras.layers.Layer) -> bool:
    """Whether a task that is given another is learnt of all rows, by the probability that both come true."""
    return bool(getattr(model, "entire_space", False))


class Steps:
    """Train, score, sweep and check, each traced once a shape and kept while the tables keep theirs.

    Only the training step is ever compiled by XLA: the others run too seldom to earn back seconds of compiling.

    Args:
        model: a built model.
        dense: its dense weights.
        optimizers: of the fused tables.
        tasks: what the model is asked, in the order of a batch's labels.
        xla: compile the training step as one XLA program, or run it as a graph.
        pairwise: what the order within a user weighs (``losses.pairwise``) in batches that tell whose their rows are.
        seed: what a step draws at random is a function of this and of the step's number.
        score: what ranks, where it has a loss of its own.

    Attributes:
        parts: what a step's losses are of beside the one that is lowered, once there is a step.
        step: int32, training steps taken.
        tables: variables of the fused tables.
    """

    def __init__(
        self,
        model: keras.layers.Layer,
        dense: DenseWeights,
        optimizers: Mapping[Fused, TableOptimizer],
        tasks: tuple[Task, ...],
        *,
        xla: bool,
        pairwise: float,
        seed: int,
        score: Score | None = None,
    ) -> None:
        self._model = model
        self._score = score
        self._dense = dense
        self._optimizers = optimizers
        self._tasks = tasks
        self._xla = xla
        self._pairwise = pairwise
        self._seed = seed
        self.parts: tuple[str, ...] = ()
        self._compiled: dict[tuple[object, ...], Any] = {}
        self._training: dict[tuple[object, ...], tuple[Padding, Any]] = {}
        self._dropped = False
        self.tables: dict[Fused, TableVariables] = {}
        self.step = tf.Variable(0, dtype=tf.int32, trainable=False, name="step")

    def place(self, tables: tuple[Table, ...]) -> None:
        """Make variables for the tables; those of the same shape, and all that was compiled on them, stay."""
        if [(t.fused, t.rows) for t in tables] == [(f, int(table.w.shape[0])) for f, table in self.tables.items()]:
            return
        self._dropped |= bool(self._training)
        self._compiled.clear()
        self._training.clear()
        self.tables = {}
        for table in tables:
            shape = (table.rows, table.width)
            name, declared = "emb_{}_{}".format(*table.fused), self._optimizers[table.fused].rule.slots
            w, *slots = (
                tf.Variable(tf.zeros(shape), trainable=False, name=f"{name}_{part}") for part in ("w", *declared)
            )
            last = tf.Variable(tf.zeros(table.rows, tf.int32), trainable=False, name=f"{name}_last")
            self.tables[table.fused] = TableVariables(w, dict(zip(declared, slots, strict=True)), last)

    def padding(self, batch: Batch, least: Padding) -> Padding:
        """What a batch is padded to at least: no less than what there is a step for, as more changes no bit."""
        padding, _ = self._training.get(self._key(batch), (least, None))
        return tuple(map(max, padding, least))

    def train(self, batch: Batch, padding: Padding) -> Any:
        """The step for batches of this shape: packed ints, packed floats, learning rate to losses, ``[1 + parts]``:

        the one that is lowered, then, where there are several, each task's and each auxiliary one by its name, before
        their weights, and the sum of what layers add (see :attr:`parts`).
        """
        known, step = self._training.get(self._key(batch), (None, None))
        if known != padding:
            # The step of another padding is not asked for again, and takes as much memory as a day's everything.
            step = None
            self._dropped |= self._training.pop(self._key(batch), None) is not None
            if self._dropped:
                gc.collect()  # a graph is full of cycles
                self._dropped = False
            step = self._compile_train(batch, padding)
            self._training[self._key(batch)] = padding, step
        return step

    def _key(self, batch: Batch) -> tuple[object, ...]:
        return batch.shape, batch.view.key, batch.by_user, batch.by_item

    def score(self, batch: Batch) -> Any:
        """The scorer for batches of this shape: plain ints and floats to logits ``[batch, candidates, tasks]``."""
        key = ("score", batch.shape, batch.view.key)
        if key not in self._compiled:
            self._compiled[key] = self._compile_score(batch)
        return self._compiled[key]

    def sweep(self, learning_rate: float) -> None:
        """Bring every row of the tables up to the last step."""
        if ("sweep",) not in self._compiled:

            def run(rate: tf.Tensor) -> None:
                for fused, variables in self.tables.items():
                    self._optimizers[fused].sweep(variables, tf.identity(self.step), rate)

            self._compiled["sweep",] = self._concrete(run, tf.TensorSpec((), tf.float32))
        self._compiled["sweep",](tf.constant(learning_rate, tf.float32))

    def begin_day(self) -> None:
        """What happens to the optimisers' slots when a day of training begins."""
        self._dense.begin_day()
        for fused, variables in self.tables.items():
            self._optimizers[fused].rule.begin_day(list(variables.slots.values()))

    def finite(self) -> bool:
        """Whether every weight is a number."""
        if ("finite",) not in self._compiled:

            def run() -> tf.Tensor:
                every = [*self._dense.moved, *(table.w for table in self.tables.values())]
                return tf.reduce_all(tf.stack([tf.reduce_all(tf.math.is_finite(w)) for w in every]))

            self._compiled["finite",] = self._concrete(run)
        return bool(self._compiled["finite",]().numpy())

    def _concrete(self, function: Any, *specs: tf.TensorSpec, xla: bool = False) -> Any:
        return tf.function(function, autograph=False, jit_compile=xla).get_concrete_function(*specs)

    def _compile_train(self, batch: Batch, padding: Padding) -> Any:
        view, shape, weights = batch.view, batch.shape, self._dense.moved
        dense = size_of(view.dense, shape)

        def run(ints: tf.Tensor, floats: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
            step = self.step.assign_add(1)
            *lists, positions = tf.split(ints, [*padding, len(batch.ints)])
            values, told = tf.split(floats, [dense, len(batch.floats) - dense])
            states = [
                self._optimizers[fused].read(table, rows, step, learning_rate)
                for (fused, table), rows in zip(self.tables.items(), lists, strict=True)
            ]
            embedded = [state.w for state in states]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(embedded)
                tape.watch(weights)
                inputs = model_inputs(view, shape, positions, values, dict(zip(self.tables, embedded, strict=True)))
                told_of = cut(told, told_shapes(batch))
                candidates, weight = told_of[len(self._tasks) : len(self._tasks) + 2]
                inputs = inputs._replace(real=(candidates > 0) & (weight > 0)[:, None])
                with drawn_at(self._seed, step):
                    outputs = self._model(inputs, training=True)
                labelled = told_of[: len(self._tasks) + 2]
                among = _among(outputs, told_of) if batch.by_item else None
                losses = by_task(self._tasks, outputs, labelled, among, entire=entire_space(self._model))
                auxiliary = dict(outputs.losses)
                if self._score is not None:
                    own = of_score(self._tasks, self._score, outputs.logits, labelled)
                    auxiliary[SCORE] = Auxiliary(own, self._score.loss)
                if batch.by_user:
                    label, (mask, weight, user) = told_of[0], told_of[len(self._tasks) : len(self._tasks) + 3]
                    ranked = pairwise(outputs.logits[self._tasks[0].name], label, mask, weight, user)
                    auxiliary[PAIRS] = Auxiliary(ranked, self._pairwise)
                # Of their weights or of what passes through them, as `add_loss` and regularisers have it.
                of_layers = self._model.losses
                loss = weighted_sum(self._tasks, losses, auxiliary.values(), of_layers, outputs.weights)
            of_rows, of_weights = tape.gradient(
                loss, (embedded, weights), unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            for (fused, table), rows, state, gradient in zip(self.tables.items(), lists, states, of_rows, strict=True):
                gradient = tf.convert_to_tensor(gradient)
                self._optimizers[fused].write(table, rows, state, gradient, step, learning_rate)
            self._dense.move(of_weights, step, learning_rate)
            parts = losses | {name: each.value for name, each in auxiliary.items()}
            if of_layers:
                parts[ADDED] = tf.add_n(of_layers)
            parts |= outputs.told
            self.parts = tuple(parts) if len(parts) > 1 else ()
            return tf.stack([loss, *(parts[name] for name in self.parts)])

        step = self._concrete(
            run,
            tf.TensorSpec((sum(padding) + len(batch.ints),), tf.int32),
            tf.TensorSpec(batch.floats.shape, tf.float32),
            tf.TensorSpec((), tf.float32),
            xla=self._xla,
        )
        check_no_hidden_draw(step.graph, self._model.name)
        check_no_hidden_variables(step, self._known(), self._model.name)
        return step

    def _known(self) -> list[tf.Variable]:
        """What a checkpoint holds, or is made from it."""
        of_tables = [each for table in self.tables.values() for each in (*table.parts.values(), table.last)]
        of_weights = [weight.value for weight in self._model.weights]
        return [*of_weights, *chain(*self._dense.slots.values()), self.step, *of_tables]

    def _compile_score(self, batch: Batch) -> Any:
        view, shape = batch.view, batch.shape
        tables = {fused: table.w for fused, table in self.tables.items()}

        def run(ints: tf.Tensor, floats: tf.Tensor) -> tf.Tensor:
            outputs = self._model(model_inputs(view, shape, ints, floats, tables), training=False)
            check_outputs(self._model.name, outputs, self._tasks)
            return tf.stack([outputs.logits[task.name] for task in self._tasks], axis=-1)

        floats = tf.TensorSpec((size_of(view.dense, shape),), tf.float32)
        return self._concrete(run, tf.TensorSpec(batch.ints.shape, tf.int32), floats)


def _among(outputs: Outputs, told: list[tf.Tensor]) -> Among:
    """What a loss over a batch's items compares, of a model whose logits are inner products."""
    same, log_q = told[-2:]
    return Among(outputs.vectors[USER], outputs.vectors[ITEM], same, log_q)
