"""The compiled functions of an engine, and the variables that they work on."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from models.engine.assembly import assemble
from models.engine.losses import Loss
from models.engine.optimizers import Adam, TableOptimizer, TableVariables
from models.engine.packing import Batch, shapes_of
from models.engine.tables import PADDING_ROW, Table
from models.randomness import check_no_hidden_draw, check_no_hidden_variables, drawn_at


class Steps:
    """Train, score, sweep and check, each traced once a shape and kept while the tables keep theirs.

    Only the training step is ever compiled by XLA: the others run too seldom to earn back seconds of compiling.

    Args:
        model: a built model.
        weights: its dense weights that the optimiser moves, in a fixed order.
        adam: of the dense weights.
        optimizer: of the tables.
        loss: of logits, labels, mask and weights.
        xla: compile the training step as one XLA program, or run it as a graph.
        seed: what a step draws at random is a function of this and of the step's number.

    Attributes:
        step: int32, training steps taken.
        dense_m: first moments of the dense weights, in the order of ``weights``.
        dense_v: second moments likewise.
        tables: variables of the fused tables by width.
    """

    def __init__(
        self,
        model: keras.layers.Layer,
        weights: list[keras.Variable],
        adam: Adam,
        optimizer: TableOptimizer,
        loss: Loss,
        *,
        xla: bool,
        seed: int,
    ) -> None:
        self._model = model
        self._weights = [weight.value for weight in weights]
        self._adam = adam
        self._optimizer = optimizer
        self._loss = loss
        self._xla = xla
        self._seed = seed
        self._layout: tuple[Table, ...] = ()
        self._compiled: dict[tuple[object, ...], Any] = {}
        self.tables: dict[int, TableVariables] = {}
        self.step = tf.Variable(0, dtype=tf.int32, trainable=False, name="step")
        self.dense_m, self.dense_v = (
            [tf.Variable(tf.zeros(weight.shape), trainable=False, name=slot) for weight in self._weights]
            for slot in ("dense_m", "dense_v")
        )

    def place(self, tables: tuple[Table, ...]) -> None:
        """Make variables for the tables; those of the same shape, and all that was compiled on them, stay."""
        shapes = [(t.width, t.rows) for t in tables]
        if shapes != [(t.width, t.rows) for t in self._layout]:
            self._compiled.clear()
            self.tables = {}
            for table in tables:
                shape = (table.rows, table.width)
                w, m, v = (
                    tf.Variable(tf.zeros(shape), trainable=False, name=f"emb_{table.width}_{part}") for part in "wmv"
                )
                last = tf.Variable(tf.zeros(table.rows, tf.int32), trainable=False, name=f"emb_{table.width}_last")
                self.tables[table.width] = TableVariables(w, m, v, last)
        self._layout = tables

    def train(self, batch: Batch, buckets: tuple[int, ...]) -> Any:
        """The step for batches of this shape: packed ints, packed floats, learning rate to the loss."""
        key = ("train", batch.shape, batch.selection.key, buckets)
        if key not in self._compiled:
            self._compiled[key] = self._compile_train(batch, buckets)
        return self._compiled[key]

    def score(self, batch: Batch) -> Any:
        """The scorer for batches of this shape: plain ints and floats to logits ``[batch, candidates]``."""
        key = ("score", batch.shape, batch.selection.key)
        if key not in self._compiled:
            self._compiled[key] = self._compile_score(batch)
        return self._compiled[key]

    def sweep(self, learning_rate: float) -> None:
        """Bring every row of the tables up to the last step."""
        if ("sweep",) not in self._compiled:

            def run(rate: tf.Tensor) -> None:
                for variables in self.tables.values():
                    self._optimizer.sweep(variables, tf.identity(self.step), rate)

            self._compiled["sweep",] = self._concrete(run, tf.TensorSpec((), tf.float32))
        self._compiled["sweep",](tf.constant(learning_rate, tf.float32))

    def finite(self) -> bool:
        """Whether every weight is a number."""
        if ("finite",) not in self._compiled:

            def run() -> tf.Tensor:
                every = [*self._weights, *(table.w for table in self.tables.values())]
                return tf.reduce_all(tf.stack([tf.reduce_all(tf.math.is_finite(w)) for w in every]))

            self._compiled["finite",] = self._concrete(run)
        return bool(self._compiled["finite",]().numpy())

    def _concrete(self, function: Any, *specs: tf.TensorSpec, xla: bool = False) -> Any:
        return tf.function(function, autograph=False, jit_compile=xla).get_concrete_function(*specs)

    def _compile_train(self, batch: Batch, buckets: tuple[int, ...]) -> Any:
        shapes = shapes_of(batch, self._layout, buckets)
        widths = [table.width for table in self._layout]
        weights = self._weights

        def run(ints: tf.Tensor, floats: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
            step = self.step.assign_add(1)
            parts = shapes.unpack(ints, floats)
            states = [
                self._optimizer.read(self.tables[w], rows, step, learning_rate)
                for w, rows in zip(widths, parts.unique, strict=True)
            ]
            embedded = [state.w for state in states]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(embedded)
                tape.watch(weights)
                request, item = (
                    {
                        w: (tf.gather(table, inverse), inverse != 0)
                        for w, table, inverse in zip(widths, embedded, inverses, strict=True)
                    }
                    for inverses in (parts.request, parts.item)
                )
                inputs = assemble(
                    batch.selection, batch.shape, request, item, parts.request_dense, parts.item_dense, parts.pair_dense
                )
                with drawn_at(self._seed, step):
                    logits = self._model(inputs, training=True)
                loss = self._loss(logits, parts.label, parts.mask, parts.weight)
                # What layers add: regularisers of their weights, and auxiliary losses.
                for added in self._model.losses:
                    loss += added
            of_rows, of_weights = tape.gradient(
                loss, (embedded, weights), unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            for w, rows, state, gradient in zip(widths, parts.unique, states, of_rows, strict=True):
                gradient = tf.convert_to_tensor(gradient)
                self._optimizer.write(self.tables[w], rows, state, gradient, step, learning_rate)
            self._update_dense(of_weights, step, learning_rate)
            return loss

        step = self._concrete(
            run,
            tf.TensorSpec((shapes.ints,), tf.int32),
            tf.TensorSpec((shapes.floats,), tf.float32),
            tf.TensorSpec((), tf.float32),
            xla=self._xla,
        )
        check_no_hidden_draw(step.graph, self._model.name)
        check_no_hidden_variables(step, self._known(), self._model.name)
        return step

    def _known(self) -> list[tf.Variable]:
        """What a checkpoint holds, or is made from it."""
        of_tables = [each for table in self.tables.values() for each in (table.w, table.m, table.v, table.last)]
        return [*(weight.value for weight in self._model.weights), *self.dense_m, *self.dense_v, self.step, *of_tables]

    def _update_dense(self, gradients: list[tf.Tensor], step: tf.Tensor, learning_rate: tf.Tensor) -> None:
        rate = learning_rate * self._adam.correction(tf.cast(step, tf.float32))
        for w, m, v, gradient in zip(self._weights, self.dense_m, self.dense_v, gradients, strict=True):
            state = (tf.identity(w), tf.identity(m), tf.identity(v))
            moved = self._adam.move(*state, tf.convert_to_tensor(gradient), rate)
            for variable, value in zip((w, m, v), moved, strict=True):
                variable.assign(value)

    def _compile_score(self, batch: Batch) -> Any:
        shapes = shapes_of(batch, self._layout, ())
        widths = [table.width for table in self._layout]

        def run(ints: tf.Tensor, floats: tf.Tensor) -> tf.Tensor:
            parts = shapes.unpack(ints, floats)
            request, item = (
                {
                    w: (tf.gather(self.tables[w].w, rows), rows != PADDING_ROW)
                    for w, rows in zip(widths, per_table, strict=True)
                }
                for per_table in (parts.request, parts.item)
            )
            inputs = assemble(
                batch.selection, batch.shape, request, item, parts.request_dense, parts.item_dense, parts.pair_dense
            )
            return self._model(inputs, training=False)

        return self._concrete(run, tf.TensorSpec((shapes.ints,), tf.int32), tf.TensorSpec((shapes.floats,), tf.float32))
