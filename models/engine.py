"""Training and scoring of one experiment's model: one compiled step over fused tables, and its plain state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models import registry
from models.columns import Matrix, Selection
from models.embeddings import Table, fused_tables, rows_of
from models.growth import grow_slot, grow_table
from models.inputs import ModelInputs
from models.layers.normalise import add_statistics, no_statistics
from models.losses import LOSSES
from models.optimizers import OPTIMIZERS, Adam, Rows, TableVariables
from models.packing import Packer
from models.schema import FIRST, PADDING, DayArrays, FeatureSchema, Layout, Side

COMPILE = ("xla", "graph")
_CHECK_EVERY = 64
_INITIAL_SCALE = 0.05


class NonFiniteLoss(ArithmeticError):
    """The loss, or a weight after the last batch, is NaN or infinite.

    Attributes:
        batch: index of the batch that did it, from 0.
    """

    def __init__(self, batch: int, value: float) -> None:
        super().__init__(f"the loss of batch {batch} is {value}; nothing of this day may be kept")
        self.batch = batch
        self.value = value


class StateMismatch(ValueError):
    """A stored state is not of this model; names the tensor, what was expected and what was found."""


@dataclass(frozen=True)
class Batch:
    """Some requests with their candidates, as a step takes them.

    Attributes:
        selection: where the features stand in the matrices.
        request_rows: int32 ``[batch, columns]`` rows of the fused tables.
        item_rows: int32 ``[batch, candidates, columns]``.
        request_dense: float32 ``[batch, columns]``.
        item_dense: float32 ``[batch, candidates, columns]``.
        pair_dense: float32 ``[batch, candidates, columns]``.
        label: float32 ``[batch, candidates]``, 1 for a positive.
        candidate_mask: float32 ``[batch, candidates]``, 0 for a padding candidate.
        weight: float32 ``[batch]``; 0 for a padding row.
    """

    selection: Selection
    request_rows: NDArray[np.int32]
    item_rows: NDArray[np.int32]
    request_dense: NDArray[np.float32]
    item_dense: NDArray[np.float32]
    pair_dense: NDArray[np.float32]
    label: NDArray[np.float32]
    candidate_mask: NDArray[np.float32]
    weight: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int]:
        """Batch and candidates."""
        return self.label.shape[0], self.label.shape[1]


def configure(threads: int) -> None:
    """Set the threads of TensorFlow, on which the bits of a compiled step depend; before anything else runs.

    Raises:
        RuntimeError: TensorFlow has already started with another number.
    """
    settings = tf.config.threading
    if (settings.get_intra_op_parallelism_threads(), settings.get_inter_op_parallelism_threads()) != (threads, threads):
        settings.set_intra_op_parallelism_threads(threads)
        settings.set_inter_op_parallelism_threads(threads)


def stable_seed(*parts: object) -> int:
    """A seed of 31 bits that depends on the parts alone, alike in every process."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") >> 1


class Engine:
    """One model, its tables and optimiser, from one day's state to the next.

    An engine is used for many days: :meth:`fresh` or :meth:`load`, then :meth:`grow`, :meth:`train_epoch`,
    :meth:`state`. Compiled steps are kept as long as shapes stay; the bits of the result do not depend on it.

    Args:
        schema: the features of the experiment.
        model_name: a model of the registry.
        options: its options.
        dims: embedding width of every id space in use.
        loss: ``binary`` or ``softmax``.
        optimizer: of the tables: ``catch_up_adam``, ``lazy_adam`` or ``dense_adam``; dense weights have Adam.
        compile: ``xla`` or ``graph``; the two differ in bits.
        seed: of the first weights.
        beta_1: of Adam.
        beta_2: of Adam.
        epsilon: of Adam.

    Raises:
        ValueError: an argument is not among the allowed values, which the message lists.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        model_name: str,
        options: Mapping[str, object],
        *,
        dims: Mapping[str, int],
        loss: str = "binary",
        optimizer: str = "catch_up_adam",
        compile: str = "xla",
        seed: int = 0,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.schema = schema
        self.model_name = model_name
        self.spaces = sorted({str(f.space) for f in schema.features if f.has_ids})
        missing = [space for space in self.spaces if dims.get(space, 0) < 1]
        if missing:
            raise ValueError(f"no embedding width for id space {', '.join(missing)}")
        self.dims = {space: int(dims[space]) for space in self.spaces}
        self.loss_name = _one_of("loss", loss, tuple(LOSSES))
        self.compile = _one_of("compile", compile, COMPILE)
        self.seed = seed
        self._adam = Adam(beta_1, beta_2, epsilon)
        self._optimizer = OPTIMIZERS[_one_of("optimizer", optimizer, tuple(OPTIMIZERS))](self._adam)
        self._loss = LOSSES[loss]
        self.model = registry.build(model_name, schema, options)
        self._statistics = {
            f.name: no_statistics(f.size) for f in schema.features if not f.has_ids and f.normalise != "none"
        }
        self._build_model()
        self._step = tf.Variable(0, dtype=tf.int32, trainable=False, name="step")
        self._tables: tuple[Table, ...] = ()
        self._variables: dict[int, TableVariables] = {}
        self._compiled: dict[tuple[object, ...], Any] = {}
        self._packer = Packer()
        self._behind = False
        self._learning_rate = 0.0

    # ---- state

    @property
    def sizes(self) -> dict[str, int]:
        """Number of indices of every id space; an index from here on is unknown to this model."""
        return {space: size for table in self._tables for space, size in table.sizes.items()}

    @property
    def step(self) -> int:
        """Training steps taken since the start of the chain."""
        return int(self._step.numpy())

    def fresh(self, sizes: Mapping[str, int]) -> None:
        """The first weights, drawn from the seed and each weight's name."""
        state: dict[str, NDArray[Any]] = {"step": np.asarray(0, np.int64)}
        for space, dim in self.dims.items():
            size = max(FIRST, int(sizes[space]))
            draw = np.random.Generator(np.random.Philox(stable_seed(self.seed, "table", space)))
            table = draw.uniform(-_INITIAL_SCALE, _INITIAL_SCALE, (size, dim)).astype(np.float32)
            table[PADDING] = 0.0
            state[f"table/{space}"] = table
            for slot in "mv":
                state[f"slot/{space}/{slot}"] = np.zeros((size, dim), np.float32)
        for name, value in self._initial.items():
            state[f"dense/{name}"] = value
            if name in self._trainable:
                for slot in "mv":
                    state[f"slot/dense/{name}/{slot}"] = np.zeros_like(value)
        for name, statistics in self._statistics.items():
            state[f"normalise/{name}"] = np.zeros_like(statistics)
        self.load(state)

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up a stored state.

        Raises:
            StateMismatch: a tensor is missing, of another shape, or not of this model.
        """
        sizes = self._check(state)
        self._place(fused_tables(self.dims, sizes))
        for table in self._tables:
            variables = self._variables[table.width]
            for variable, prefix, suffix in (
                (variables.w, "table", ""),
                (variables.m, "slot", "/m"),
                (variables.v, "slot", "/v"),
            ):
                variable.assign(table.fuse({space: state[f"{prefix}/{space}{suffix}"] for space in table.sizes}))
            variables.last.assign(np.full(table.rows, int(state["step"]), np.int32))
        self._step.assign(int(state["step"]))
        for name, weight in self._weights.items():
            weight.assign(state[f"dense/{name}"])
        for slot, variable in (("m", self._dense_m), ("v", self._dense_v)):
            flat = [np.ravel(state[f"slot/dense/{name}/{slot}"]) for name in self._trainable]
            variable.assign(np.concatenate(flat))
        for name in self._statistics:
            self._statistics[name] = np.array(state[f"normalise/{name}"], np.float64)
            self.model.normalisers[name].set_statistics(self._statistics[name])
        self._behind = False

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next day starts from, by name; every row is brought up to date first.

        ``table/<space>`` and ``slot/<space>/m|v`` ``[size, dim]``, ``dense/<weight>``,
        ``slot/dense/<weight>/m|v``, ``step``, ``normalise/<feature>``. Head-room never shows.
        """
        self.sweep()
        state: dict[str, NDArray[Any]] = {"step": np.asarray(self.step, np.int64)}
        for table in self._tables:
            variables = self._variables[table.width]
            for space, part in table.split(variables.w.numpy()).items():
                state[f"table/{space}"] = part
            for slot, variable in (("m", variables.m), ("v", variables.v)):
                for space, part in table.split(variable.numpy()).items():
                    state[f"slot/{space}/{slot}"] = part
        for name, weight in self._weights.items():
            state[f"dense/{name}"] = weight.numpy()
        for slot, variable in (("m", self._dense_m), ("v", self._dense_v)):
            flat, start = variable.numpy(), 0
            for name in self._trainable:
                shape = tuple(self._weights[name].shape)
                stop = start + int(np.prod(shape, dtype=np.int64))
                state[f"slot/dense/{name}/{slot}"] = flat[start:stop].reshape(shape).copy()
                start = stop
        for name, statistics in self._statistics.items():
            state[f"normalise/{name}"] = statistics.copy()
        return state

    def grow(self, sizes: Mapping[str, int]) -> None:
        """Grow to bigger id maps: old rows and their slots stay bit for bit, new rows copy the unknown row.

        Raises:
            ValueError: a size is below what the model has.
        """
        wanted = {space: int(sizes[space]) for space in self.spaces}
        if wanted == self.sizes:
            return
        state = self.state()
        for space, size in wanted.items():
            state[f"table/{space}"] = grow_table(state[f"table/{space}"], size)
            for slot in "mv":
                state[f"slot/{space}/{slot}"] = grow_slot(state[f"slot/{space}/{slot}"], size)
        self.load(state)

    def sweep(self) -> None:
        """Bring every row of the tables up to the last step."""
        if not self._behind:
            return
        key = ("sweep",)
        if key not in self._compiled:

            def run(learning_rate: tf.Tensor) -> None:
                for variables in self._variables.values():
                    self._optimizer.sweep(variables, tf.identity(self._step), learning_rate)

            self._compiled[key] = self._concrete(run, tf.TensorSpec((), tf.float32))
        self._compiled[key](tf.constant(self._learning_rate, tf.float32))
        self._behind = False

    def observe(self, arrays: DayArrays) -> None:
        """Add a day's dense values to the statistics that later days are normalised by."""
        selection = self.select(arrays.layout)
        for matrix, values in (
            (selection.request_dense, arrays.request_dense),
            (selection.item_dense, arrays.item_dense),
            (selection.pair_dense, arrays.pair_dense),
        ):
            for name, place in matrix.blocks[0].places.items():
                if name in self._statistics:
                    columns = matrix.source[place.start : place.stop]
                    self._statistics[name] = add_statistics(self._statistics[name], np.asarray(values)[:, columns])
                    self.model.normalisers[name].set_statistics(self._statistics[name])

    # ---- ids

    def select(self, layout: Layout) -> Selection:
        """The columns that this model reads of a day's matrices."""
        return Selection.of(self.schema, self.dims, layout)

    def global_rows(
        self,
        side: Side,
        ids: NDArray[np.int32],
        layout: Layout,
        limits: Mapping[str, int] | None = None,
        hidden: Mapping[str, NDArray[np.int64]] | None = None,
    ) -> NDArray[np.int32]:
        """Rows of the fused tables for a day's indices; no index whatever reaches beyond a table.

        Args:
            side: request or item.
            ids: int32 ``[rows, columns]`` indices of their id spaces.
            layout: of ``ids``.
            limits: sizes of id spaces below the model's own; an index from there on reads as unknown.
            hidden: for an id space, indices that read as unknown all the same.

        Returns:
            int32 ``[rows, own columns]``, columns as in :meth:`select`.
        """
        selection = self.select(layout)
        matrix = selection.request_ids if side is Side.REQUEST else selection.item_ids
        lookups = {
            space: table.lookup(space, (limits or {}).get(space), (hidden or {}).get(space))
            for table in self._tables
            for space in table.sizes
        }
        out = np.empty((len(ids), matrix.width), np.int32)
        for block in matrix.blocks.values():
            for name, place in block.places.items():
                start, stop = block.start + place.start, block.start + place.stop
                source = ids[:, matrix.source[start] : matrix.source[start] + stop - start]
                out[:, start:stop] = rows_of(lookups[str(self.schema[name].space)], source)
        return out

    # ---- steps

    def train_epoch(
        self, batches: Iterable[Batch], learning_rate: float, unique_bucket: Mapping[int, int] | None = None
    ) -> NDArray[np.float32]:
        """Train on every batch once.

        Args:
            batches: of one shape; another shape compiles another step.
            learning_rate: of this epoch.
            unique_bucket: for each embedding width, the number of distinct rows to which batches are padded
                at first; a batch that holds more raises it, which compiles once more but changes no bit.

        Returns:
            float32 ``[batches]`` losses.

        Raises:
            NonFiniteLoss: a loss, or in the end a weight, is NaN or infinite.
        """
        # Rows that are behind would catch up with the wrong learning rate.
        if learning_rate != self._learning_rate:
            self.sweep()
            self._learning_rate = learning_rate
        rate = tf.constant(learning_rate, tf.float32)
        pending: list[tf.Tensor] = []
        losses: list[float] = []
        buckets = tuple((unique_bucket or {}).get(table.width, 0) for table in self._tables)
        for batch in batches:
            packed = self._packer.pack(batch, self._tables, buckets)
            buckets = packed.buckets
            key = ("train", batch.shape, batch.selection.key, buckets)
            if key not in self._compiled:
                self._compiled[key] = self._compile_train(batch, buckets)
            pending.append(self._compiled[key](tf.constant(packed.ints), tf.constant(packed.floats), rate))
            self._behind = True
            if len(pending) == _CHECK_EVERY:
                _settle(pending, losses)
        _settle(pending, losses)
        if losses and not self._finite():
            raise NonFiniteLoss(len(losses) - 1, float("nan"))
        return np.asarray(losses, np.float32)

    def score(self, batch: Batch) -> NDArray[np.float32]:
        """Logits ``[batch, candidates]``; labels and weights are not read."""
        self.sweep()
        key = ("score", batch.shape, batch.selection.key)
        if key not in self._compiled:
            self._compiled[key] = self._compile_score(batch)
        ints, floats = self._packer.plain(batch)
        return np.asarray(self._compiled[key](tf.constant(ints), tf.constant(floats)).numpy())

    # ---- inside

    def _build_model(self) -> None:
        """Create the dense weights, each drawn from the seed and its own name."""
        _seed_initializers(self.model, self.seed)
        layout = Layout.of(self.schema, {})
        selection = self.select(layout)
        self.model(
            self._inputs(
                selection,
                (1, 1),
                _nothing(selection.request_ids),
                _nothing(selection.item_ids),
                tf.zeros((1, selection.request_dense.width)),
                tf.zeros((1, 1, selection.item_dense.width)),
                tf.zeros((1, 1, selection.pair_dense.width)),
            ),
            training=False,
        )
        derived = {id(v) for layer in self.model.normalisers.values() for v in layer.weights}
        prefix = f"{self.model.name}/"
        kept = [v for v in self.model.weights if id(v) not in derived]
        self._weights: dict[str, keras.Variable] = {v.path.removeprefix(prefix): v for v in kept}
        if len(self._weights) != len(kept):
            raise ValueError(f"model '{self.model_name}': two weights share a name: {sorted(v.path for v in kept)}")
        self._trainable = [name for name, v in self._weights.items() if v.trainable]
        self._initial = {name: v.numpy() for name, v in self._weights.items()}
        count = sum(int(np.prod(self._weights[name].shape, dtype=np.int64)) for name in self._trainable)
        self._dense_m = tf.Variable(tf.zeros(count), trainable=False, name="dense_m")
        self._dense_v = tf.Variable(tf.zeros(count), trainable=False, name="dense_v")

    def _check(self, state: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        """The sizes of a state's tables, once every name and shape has been found right."""
        expected: dict[str, tuple[int | None, ...]] = {"step": ()}
        for space, dim in self.dims.items():
            for name in (f"table/{space}", f"slot/{space}/m", f"slot/{space}/v"):
                expected[name] = (None, dim)
        for name, weight in self._weights.items():
            expected[f"dense/{name}"] = tuple(weight.shape)
            if name in self._trainable:
                expected[f"slot/dense/{name}/m"] = expected[f"slot/dense/{name}/v"] = tuple(weight.shape)
        for name, statistics in self._statistics.items():
            expected[f"normalise/{name}"] = statistics.shape
        for name, shape in expected.items():
            if name not in state:
                raise StateMismatch(f"tensor '{name}': expected {_shape(shape)}, found none")
            found = state[name].shape
            if len(found) != len(shape) or any(e not in (None, f) for e, f in zip(shape, found, strict=True)):
                raise StateMismatch(f"tensor '{name}': expected {_shape(shape)}, found {_shape(found)}")
        extra = sorted(set(state) - set(expected))
        if extra:
            raise StateMismatch(f"tensor '{extra[0]}': expected none, found {_shape(state[extra[0]].shape)}")
        sizes = {space: len(state[f"table/{space}"]) for space in self.dims}
        for space, size in sizes.items():
            for slot in "mv":
                found = state[f"slot/{space}/{slot}"].shape
                if found[0] != size:
                    raise StateMismatch(f"tensor 'slot/{space}/{slot}': expected [{size}, …], found {_shape(found)}")
        return sizes

    def _place(self, tables: tuple[Table, ...]) -> None:
        """Make variables for the tables; those of the same shape, and all that was compiled on them, stay."""
        shapes = [(t.width, t.rows) for t in tables]
        if shapes != [(t.width, t.rows) for t in self._tables]:
            self._compiled.clear()
            self._variables = {}
            for table in tables:
                shape = (table.rows, table.width)
                w, m, v = (
                    tf.Variable(tf.zeros(shape), trainable=False, name=f"emb_{table.width}_{part}") for part in "wmv"
                )
                last = tf.Variable(tf.zeros(table.rows, tf.int32), trainable=False, name=f"emb_{table.width}_last")
                self._variables[table.width] = TableVariables(w, m, v, last)
        self._tables = tables

    def _concrete(self, function: Any, *specs: tf.TensorSpec) -> Any:
        return tf.function(function, autograph=False, jit_compile=self.compile == "xla").get_concrete_function(*specs)

    def _compile_train(self, batch: Batch, buckets: tuple[int, ...]) -> Any:
        shapes = self._packer.shapes(batch, self._tables, buckets)
        widths = [table.width for table in self._tables]
        weights = [self._weights[name].value for name in self._trainable]

        def run(ints: tf.Tensor, floats: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
            step = self._step.assign_add(1)
            parts = shapes.unpack(ints, floats)
            states = [
                self._optimizer.read(self._variables[w], rows, step, learning_rate)
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
                inputs = self._inputs(
                    batch.selection, batch.shape, request, item, parts.request_dense, parts.item_dense, parts.pair_dense
                )
                logits = self.model(inputs, training=True)
                loss = self._loss(logits, parts.label, parts.mask, parts.weight)
            of_rows, of_weights = tape.gradient(
                loss, (embedded, weights), unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            for w, rows, state, gradient in zip(widths, parts.unique, states, of_rows, strict=True):
                gradient = tf.convert_to_tensor(gradient)
                self._optimizer.write(self._variables[w], rows, state, gradient, step, learning_rate)
            self._update_dense(weights, of_weights, step, learning_rate)
            return loss

        return self._concrete(
            run,
            tf.TensorSpec((shapes.ints,), tf.int32),
            tf.TensorSpec((shapes.floats,), tf.float32),
            tf.TensorSpec((), tf.float32),
        )

    def _update_dense(
        self, weights: list[tf.Variable], gradients: list[tf.Tensor], step: tf.Tensor, learning_rate: tf.Tensor
    ) -> None:
        """Adam on all dense weights as one vector: a handful of kernels instead of one set a weight."""
        sizes = [int(np.prod(w.shape, dtype=np.int64)) for w in weights]
        flat = Rows(
            tf.concat([tf.reshape(w, [-1]) for w in weights], axis=0),
            tf.identity(self._dense_m),
            tf.identity(self._dense_v),
        )
        gradient = tf.concat([tf.reshape(tf.convert_to_tensor(g), [-1]) for g in gradients], axis=0)
        rate = learning_rate * self._adam.correction(tf.cast(step, tf.float32))
        moved = self._adam.move(*flat, gradient, rate)
        self._dense_m.assign(moved.m)
        self._dense_v.assign(moved.v)
        for weight, value in zip(weights, tf.split(moved.w, sizes), strict=True):
            weight.assign(tf.reshape(value, weight.shape))

    def _compile_score(self, batch: Batch) -> Any:
        shapes = self._packer.shapes(batch, self._tables, ())
        widths = [table.width for table in self._tables]

        def run(ints: tf.Tensor, floats: tf.Tensor) -> tf.Tensor:
            parts = shapes.unpack(ints, floats)
            request, item = (
                {
                    w: (tf.gather(self._variables[w].w, rows), rows != 0)
                    for w, rows in zip(widths, per_table, strict=True)
                }
                for per_table in (parts.request, parts.item)
            )
            inputs = self._inputs(
                batch.selection, batch.shape, request, item, parts.request_dense, parts.item_dense, parts.pair_dense
            )
            return self.model(inputs, training=False)

        return self._concrete(run, tf.TensorSpec((shapes.ints,), tf.int32), tf.TensorSpec((shapes.floats,), tf.float32))

    def _inputs(
        self,
        selection: Selection,
        shape: tuple[int, int],
        request: Mapping[int, tuple[tf.Tensor, tf.Tensor]],
        item: Mapping[int, tuple[tf.Tensor, tf.Tensor]],
        request_dense: tf.Tensor,
        item_dense: tf.Tensor,
        pair_dense: tf.Tensor,
    ) -> ModelInputs:
        """Model inputs from, for each width, flat vectors and masks of all columns of a side."""
        vectors: dict[str, tf.Tensor] = {}
        mask: dict[str, tf.Tensor] = {}
        dense: dict[str, tf.Tensor] = {}
        for matrix, lead, sides in (
            (selection.request_ids, shape[:1], request),
            (selection.item_ids, shape, item),
        ):
            for width, (values, real) in sides.items():
                _take_apart(matrix, width, lead, values, real, vectors, mask)
        for matrix, values in (
            (selection.request_dense, request_dense),
            (selection.item_dense, item_dense),
            (selection.pair_dense, pair_dense),
        ):
            places = matrix.blocks[0].places
            if places:
                sizes = [place.stop - place.start for place in places.values()]
                dense.update(zip(places, tf.split(values, sizes, axis=-1), strict=True))
        return ModelInputs(vectors, mask, dense)

    def _finite(self) -> bool:
        key = ("finite",)
        if key not in self._compiled:

            def run() -> tf.Tensor:
                every = [*(v.value for v in self._weights.values()), *(t.w for t in self._variables.values())]
                return tf.reduce_all(tf.stack([tf.reduce_all(tf.math.is_finite(v)) for v in every]))

            self._compiled[key] = self._concrete(run)
        return bool(self._compiled[key]().numpy())


def _nothing(matrix: Matrix) -> dict[int, tuple[tf.Tensor, tf.Tensor]]:
    """Vectors and masks of one row without a value."""
    counts = {width: block.stop - block.start for width, block in matrix.blocks.items()}
    return {width: (tf.zeros((count, width)), tf.zeros(count, tf.bool)) for width, count in counts.items()}


def _take_apart(
    matrix: Matrix,
    width: int,
    lead: tuple[int, ...],
    values: tf.Tensor,
    real: tf.Tensor,
    vectors: dict[str, tf.Tensor],
    mask: dict[str, tf.Tensor],
) -> None:
    """Split a side's columns of one width by feature; split, not slices, whose gradients pad."""
    block = matrix.blocks[width]
    if not block.places:
        return
    sizes = [place.stop - place.start for place in block.places.values()]
    axis = len(lead)
    values = tf.split(tf.reshape(values, (*lead, block.stop - block.start, width)), sizes, axis=axis)
    real = tf.split(tf.reshape(real, (*lead, block.stop - block.start)), sizes, axis=axis)
    for (name, place), value, there in zip(block.places.items(), values, real, strict=True):
        vectors[name] = tf.reshape(value, (*lead, *place.shape, width))
        mask[name] = tf.reshape(there, (*lead, *place.shape))


def _seed_initializers(model: keras.layers.Layer, seed: int) -> None:
    """Seed every random initialiser of a model by its layer's name, so that order of creation does not matter."""
    for layer in model._flatten_layers():
        for attribute, value in sorted(vars(layer).items()):
            if isinstance(value, keras.initializers.Initializer) and hasattr(value, "seed"):
                value.seed = stable_seed(seed, layer.path or layer.name, attribute)


def _settle(pending: list[tf.Tensor], losses: list[float]) -> None:
    """Move losses from the device to the list."""
    for tensor in pending:
        value = float(tensor.numpy())
        if not np.isfinite(value):
            raise NonFiniteLoss(len(losses), value)
        losses.append(value)
    pending.clear()


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{what} '{value}'; expected one of {', '.join(allowed)}")
    return value


def _shape(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("any" if n is None else str(n) for n in shape) + "]"
