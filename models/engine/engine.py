"""Training and scoring of one experiment's model: one compiled step over fused tables, and its plain state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models import registry
from models.engine.assembly import one_empty_request
from models.engine.growth import grow_slot, grow_table
from models.engine.losses import LOSSES
from models.engine.optimizers import OPTIMIZERS, Adam
from models.engine.packing import Batch, Packer, plain
from models.engine.selection import Selection
from models.engine.state import State, check_state, expected_shapes
from models.engine.steps import Steps
from models.engine.tables import Table, fused_tables, rows_of
from models.layers.normalise import bound, merge, no_statistics
from models.randomness import built_from, check_no_hidden_state, seed_initializers, stable_seed
from models.schema import DayArrays, FeatureSchema, Layout, Side

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


def configure(threads: int) -> None:
    """Set the threads of TensorFlow, on which the bits of a compiled step depend; before anything else runs.

    Raises:
        RuntimeError: TensorFlow has already started with another number.
    """
    settings = tf.config.threading
    if (settings.get_intra_op_parallelism_threads(), settings.get_inter_op_parallelism_threads()) != (threads, threads):
        settings.set_intra_op_parallelism_threads(threads)
        settings.set_inter_op_parallelism_threads(threads)


class Engine:
    """One model, its tables and optimiser, from one day's state to the next.

    An engine is used for many days: :meth:`fresh` or :meth:`load`, then :meth:`grow`, :meth:`train_epoch`,
    :meth:`state`. Compiled steps are kept as long as shapes stay; the bits of the result do not depend on it.

    Attributes:
        serving: the module that exports it, once there is one; kept here because it is traced only once.

    Args:
        schema: the features of the experiment.
        model_name: a model of the registry.
        options: its options.
        dims: embedding width of every id space in use.
        loss: ``binary`` or ``softmax``.
        optimizer: of the tables: ``catch_up_adam``, ``lazy_adam`` or ``dense_adam``; dense weights have Adam.
        compile: ``xla`` or ``graph``; the two differ in bits.
        seed: of the first weights and of what a step draws at random.
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
        adam = Adam(beta_1, beta_2, epsilon)
        self._statistics = {
            f.name: no_statistics(f.size) for f in schema.features if not f.has_ids and f.normalise != "none"
        }
        with built_from(stable_seed(seed, "model")):
            self.model = registry.build(model_name, schema, options)
            self._build_model()
        self._steps = Steps(
            self.model,
            [self._weights[name] for name in self._trainable],
            adam,
            OPTIMIZERS[_one_of("optimizer", optimizer, tuple(OPTIMIZERS))](adam),
            LOSSES[self.loss_name],
            xla=self.compile == "xla",
            seed=seed,
        )
        self._tables: tuple[Table, ...] = ()
        self._packer = Packer()
        self._behind = False
        self._learning_rate = 0.0
        self.serving: object = None

    # ---- state

    @property
    def sizes(self) -> dict[str, int]:
        """Number of indices of every id space; an index from here on is unknown to this model."""
        return {space: size for table in self._tables for space, size in table.sizes.items()}

    @property
    def fused(self) -> tuple[Table, ...]:
        """Where the rows of the id spaces stand, narrowest table first."""
        return self._tables

    @property
    def step(self) -> int:
        """Training steps taken since the start of the chain."""
        return int(self._steps.step.numpy())

    def fresh(self, sizes: Mapping[str, int], base_rate: float | None = None) -> None:
        """The first weights, drawn from the seed and each weight's name.

        Args:
            sizes: those of the id maps.
            base_rate: share of positives, between 0 and 1, that the output starts at, so that the first day is not
                spent on learning it; ``None`` starts at a logit of 0, a probability of one half.
        """
        state: dict[str, NDArray[Any]] = {"step": np.asarray(0, np.int64)}
        for space, dim in self.dims.items():
            draw = np.random.Generator(np.random.Philox(stable_seed(self.seed, "table", space)))
            unknown = draw.uniform(-_INITIAL_SCALE, _INITIAL_SCALE, dim).astype(np.float32)
            # As for ids that come later, every row starts as the unknown row: an id about which nothing is
            # known yet is scored like an unknown one. Rows drawn at random lose .0035 AUC on KuaiRand.
            start = np.stack([np.zeros(dim, np.float32), unknown])
            state[f"table/{space}"] = grow_table(start, int(sizes[space]))
            for slot in "mv":
                state[f"slot/{space}/{slot}"] = np.zeros((int(sizes[space]), dim), np.float32)
        for name, value in self._initial.items():
            state[f"dense/{name}"] = value
            if base_rate is not None and self._weights[name] is self.model.output_bias:
                state[f"dense/{name}"] = np.full_like(value, np.log(base_rate / (1.0 - base_rate)))
            if name in self._trainable:
                for slot in "mv":
                    state[f"slot/dense/{name}/{slot}"] = np.zeros_like(value)
        for name, statistics in self._statistics.items():
            state[f"normalise/{name}"] = np.zeros_like(statistics)
        self.load(state)

    def load(self, state: State) -> None:
        """Take up a stored state.

        Raises:
            StateMismatch: a tensor is missing, of another shape, or not of this model.
        """
        shapes = {name: tuple(weight.shape) for name, weight in self._weights.items()}
        statistics = {name: array.shape for name, array in self._statistics.items()}
        expected = expected_shapes(self.dims, shapes, self._trainable, statistics)
        self._tables = fused_tables(self.dims, check_state(state, expected, self.spaces))
        self._steps.place(self._tables)
        for table in self._tables:
            variables = self._steps.tables[table.width]
            for variable, prefix, suffix in (
                (variables.w, "table", ""),
                (variables.m, "slot", "/m"),
                (variables.v, "slot", "/v"),
            ):
                variable.assign(table.fuse({space: state[f"{prefix}/{space}{suffix}"] for space in table.sizes}))
            variables.last.assign(np.full(table.rows, int(state["step"]), np.int32))
        self._steps.step.assign(int(state["step"]))
        for name, weight in self._weights.items():
            weight.assign(state[f"dense/{name}"])
        for slot, moments in (("m", self._steps.dense_m), ("v", self._steps.dense_v)):
            for name, moment in zip(self._trainable, moments, strict=True):
                moment.assign(state[f"slot/dense/{name}/{slot}"])
        for name in self._statistics:
            self._statistics[name] = np.array(state[f"normalise/{name}"], np.float64)
            self.model.normalisers[name].set_statistics(self._statistics[name])
        self._behind = False

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next day starts from, by name; every row is brought up to date first.

        ``table/<space>`` and ``slot/<space>/m|v`` ``[size, dim]``, ``dense/<weight>``,
        ``slot/dense/<weight>/m|v``, ``step``, ``normalise/<feature>``. Head-room never shows.
        """
        state: dict[str, NDArray[Any]] = {"step": np.asarray(self.step, np.int64)}
        state.update({f"table/{space}": part for space, part in self.tables().items()})
        for table in self._tables:
            variables = self._steps.tables[table.width]
            for slot, variable in (("m", variables.m), ("v", variables.v)):
                for space, part in table.split(variable.numpy()).items():
                    state[f"slot/{space}/{slot}"] = part
        for name, weight in self._weights.items():
            state[f"dense/{name}"] = weight.numpy()
        for slot, moments in (("m", self._steps.dense_m), ("v", self._steps.dense_v)):
            for name, moment in zip(self._trainable, moments, strict=True):
                state[f"slot/dense/{name}/{slot}"] = moment.numpy()
        for name, statistics in self._statistics.items():
            state[f"normalise/{name}"] = statistics.copy()
        return state

    def tables(self) -> dict[str, NDArray[np.float32]]:
        """The embedding ``[size, dim]`` of every id space, up to date."""
        self.sweep()
        return {
            space: part
            for table in self._tables
            for space, part in table.split(self._steps.tables[table.width].w.numpy()).items()
        }

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
        self._steps.sweep(self._learning_rate)
        self._behind = False

    def observe(self, arrays: DayArrays) -> dict[str, dict[str, Any]]:
        """Add a day's dense values to the statistics that later days are normalised by.

        Returns:
            By feature with wild values, which entered bounded, or whose statistics began anew: ``wild`` of ``known``
            values, the ``furthest`` of them, ``anew``.
        """
        selection, told = self.select(arrays.layout), {}
        for matrix, values in (
            (selection.request_dense, arrays.request_dense),
            (selection.item_dense, arrays.item_dense),
            (selection.pair_dense, arrays.pair_dense),
        ):
            for name, place in matrix.blocks[0].places.items():
                if name in self._statistics:
                    columns = matrix.source[place.start : place.stop]
                    day = bound(self._statistics[name], np.asarray(values)[:, columns])
                    self._statistics[name] = merge(self._statistics[name], day)
                    self.model.normalisers[name].set_statistics(self._statistics[name])
                    if day.wild.any() or day.anew.any():
                        told[name] = day.record()
        return told

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
            run = self._steps.train(batch, buckets)
            pending.append(run(tf.constant(packed.ints), tf.constant(packed.floats), rate))
            self._behind = True
            if len(pending) == _CHECK_EVERY:
                _settle(pending, losses)
        _settle(pending, losses)
        if losses and not self._steps.finite():
            raise NonFiniteLoss(len(losses) - 1, float("nan"))
        return np.asarray(losses, np.float32)

    def score(self, batch: Batch) -> NDArray[np.float32]:
        """Logits ``[batch, candidates]``; labels and weights are not read."""
        self.sweep()
        ints, floats = plain(batch)
        return np.asarray(self._steps.score(batch)(tf.constant(ints), tf.constant(floats)).numpy())

    # ---- inside

    def _build_model(self) -> None:
        """Create the dense weights, each drawn from the seed and its own name."""
        seed_initializers(self.model, self.seed)
        self.model(one_empty_request(self.select(Layout.of(self.schema, {}))), training=False)
        check_no_hidden_state(self.model)
        derived = {id(v) for layer in self.model.normalisers.values() for v in layer.weights}
        prefix = f"{self.model.name}/"
        kept = [v for v in self.model.weights if id(v) not in derived]
        self._weights: dict[str, keras.Variable] = {v.path.removeprefix(prefix): v for v in kept}
        if len(self._weights) != len(kept):
            raise ValueError(f"model '{self.model_name}': two weights share a name: {sorted(v.path for v in kept)}")
        self._trainable = [name for name, v in self._weights.items() if v.trainable]
        self._initial = {name: v.numpy() for name, v in self._weights.items()}


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
