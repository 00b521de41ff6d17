"""The compiled functions of an engine, and the variables that they work on."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from itertools import chain
from typing import Any

import keras
import tensorflow as tf

from models.engine.device import Device, on
from models.engine.divided import divided_step
from models.engine.exchange import Exchange
from models.engine.lowering import Lowered, Lowering
from models.engine.optimizers import TableOptimizer, TableVariables
from models.engine.packing import Batch, size_of
from models.engine.tables import Table
from models.engine.tensors import model_inputs
from models.engine.update_rules import Values
from models.engine.weights import DenseWeights
from models.outputs import check_outputs
from models.randomness import WHOLE, check_no_hidden_draw, check_no_hidden_variables
from models.tables import Fused
from models.tasks import Score, Task

Padding = tuple[int, ...]
"""Distinct rows of each fused table that a batch is padded to."""


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
        device: where all variables and steps stand.
        exchange: with the trainers of the other parts of every batch, if there are any.

    Attributes:
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
        exchange: Exchange | None = None,
        device: Device = "cpu",
    ) -> None:
        self._model = model
        self._exchange = exchange
        self._device: Device = device
        part = exchange.part if exchange is not None else WHOLE
        self._lowering = Lowering(
            model, dense.moved, tasks, pairwise=pairwise, seed=seed, score=score, part=part
        )  # fmt: skip
        self._dense = dense
        self._optimizers = optimizers
        self._tasks = tasks
        self._xla = xla
        self._compiled: dict[tuple[object, ...], Any] = {}
        self._training: dict[tuple[object, ...], tuple[Padding, Any]] = {}
        self._dropped = False
        self.tables: dict[Fused, TableVariables] = {}
        with on(device):
            self.step = tf.Variable(0, dtype=tf.int32, trainable=False, name="step")

    @property
    def parts(self) -> tuple[str, ...]:
        """What a step's losses are of beside the one that is lowered, once there is a step."""
        return self._lowering.parts

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
            with on(self._device):
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
        def placed(*given: tf.Tensor) -> Any:
            with on(self._device):
                return function(*given)

        return tf.function(placed, autograph=False, jit_compile=xla).get_concrete_function(*specs)

    def _compile_train(self, batch: Batch, padding: Padding) -> Any:
        part = self._exchange.part if self._exchange is not None else WHOLE
        own, whole = (size_of(batch.view.dense, (batch.shape[0] // of, batch.shape[1])) for of in (part.of, 1))
        cuts = [*padding, len(batch.ints) // part.of]

        def lowered(ints: tf.Tensor, floats: tf.Tensor, rate: tf.Tensor) -> tuple[tf.Tensor, list[Values], Lowered]:
            step = self.step.assign_add(1)
            *lists, positions = tf.split(ints, cuts)
            states = [
                self._optimizers[fused].read(table, rows, step, rate)
                for (fused, table), rows in zip(self.tables.items(), lists, strict=True)
            ]
            embedded = {fused: state.w for fused, state in zip(self.tables, states, strict=True)}
            return step, states, self._lowering.of(batch, embedded, positions, floats, step)

        def move(ints: tf.Tensor, step: tf.Tensor, states: list[Values], by: Lowered, rate: tf.Tensor) -> tf.Tensor:
            *lists, _ = tf.split(ints, cuts)
            for fused, rows, state, gradient in zip(self.tables, lists, states, by.of_rows, strict=True):
                self._optimizers[fused].write(self.tables[fused], rows, state, gradient, step, rate)
            self._dense.move(by.of_weights, step, rate)
            return by.told

        def run(ints: tf.Tensor, floats: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
            return move(ints, *lowered(ints, floats, rate), rate)

        divided = self._exchange is not None
        if self._exchange is not None:
            run = divided_step(self._exchange, lowered, move, xla=self._xla)
        step = self._concrete(
            run,
            tf.TensorSpec((sum(cuts),), tf.int32),
            tf.TensorSpec((own + len(batch.floats) - whole,), tf.float32),
            tf.TensorSpec((), tf.float32),
            xla=self._xla and not divided,
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

