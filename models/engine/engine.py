"""Training and scoring of one experiment's model: one compiled step over fused tables, and its plain state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models import registry
from models.architecture import Architecture, Axes, Growth
from models.engine.device import Device, on
from models.engine.divided import check_divisible
from models.engine.exchange import Exchange
from models.engine.feature_statistics import Observed
from models.engine.grown_state import growth_of, taken_up
from models.engine.growth import first_table, grow_slot, grow_table
from models.engine.losses import LOSSES
from models.engine.lowering import entire_space
from models.engine.optimizers import fused_by_optimizer, rule_of
from models.engine.packing import Batch, Packer, own_rows, size_of
from models.engine.state import State, check_state, expected_shapes, of_table
from models.engine.steps import Steps
from models.engine.tables import Table, fused_tables
from models.engine.view import View
from models.engine.weights import DenseWeights
from models.optimizer_settings import read_optimizers
from models.randomness import WHOLE, built_from, stable_seed
from models.schema import DayArrays, FeatureSchema, Layout
from models.tables import Fused, TableSpec, check_tables
from models.tasks import IN_BATCH, Score, Task

COMPILE = ("xla", "graph")
_CHECK_EVERY = 64

# What a layer refuses is told in its own words, not among those of every input that it was called with.
keras.config.disable_traceback_filtering()


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
        specs: the model's tables.
        growth: what the model has that the state it was loaded with has not, until it grows.
        part: of every batch that this engine trains on, where others train the other parts.
        serving, towers: the modules that export it and its towers, once there are any; kept here because they are
            traced only once.

    Args:
        schema: the features of the experiment.
        model_name: a model of the registry.
        options: its options.
        dims: embedding width of every id space in use.
        tasks: what it is asked of a candidate; the first is what ranks.
        optimizer: of the tables by its name, dense weights having Adam, or who moves what
            (``models.optimizer_settings``).
        learning_rate: before any decay; a rate of an optimiser's own keeps its proportion to it. ``None``: it stays.
        pairwise: what the order within a user weighs, of batches that keep a user's rows together.
        score: what ranks, where training lowers a loss of it too.
        compile: ``xla`` or ``graph``; the two differ in bits.
        seed: of the first weights and of what a step draws at random.
        exchange: with others that train this model too, each of them on its part of every batch.
        parts: of how many trainers it is to be one, while there is no ``exchange``: whether it can be divided is
            checked.
        device: where variables and steps stand.

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
        tasks: Sequence[Task] = (Task(),),
        optimizer: str | Mapping[str, Any] = "catch_up_adam",
        learning_rate: float | None = None,
        pairwise: float = 0.0,
        score: Score | None = None,
        compile: str = "xla",
        seed: int = 0,
        exchange: Exchange | None = None,
        parts: int = 1,
        device: Device = "cpu",
    ) -> None:
        self.model_name = model_name
        self.spaces = sorted({str(f.space) for f in schema.features if f.has_ids})
        missing = [space for space in self.spaces if dims.get(space, 0) < 1]
        if missing:
            raise ValueError(f"no embedding width for id space {', '.join(missing)}")
        self.tasks = tuple(tasks)
        for task in self.tasks:
            loss = f"loss of the task {task.name}" if len(self.tasks) > 1 else "loss"
            _one_of(loss, task.loss, (*LOSSES, *sorted(IN_BATCH)))
        registry.check_losses(model_name, (task.loss for task in self.tasks))
        self.compile = _one_of("compile", compile, COMPILE)
        self.seed = seed
        settings = read_optimizers(optimizer)
        with built_from(stable_seed(seed, "model")), on(device):
            self.model = registry.build(model_name, schema, options, tuple(task.name for task in self.tasks))
            _check_given(self.model, self.tasks)
            self.schema = schema = self.model.schema
            specs: tuple[TableSpec, ...] = self.model.tables({space: int(dims[space]) for space in self.spaces})
            check_tables(schema, specs)
            self.specs, optimizers = fused_by_optimizer(specs, settings, learning_rate)
            view, rule = self.view(Layout.of(schema, {})), rule_of(settings.dense, learning_rate)
            self._dense = DenseWeights(self.model, view, seed, rule)
        self.part = exchange.part if exchange is not None else WHOLE
        if max(parts, self.part.of) > 1:
            check_divisible(self.model, view, self.tasks, pairwise)
        self._observed = Observed(schema, self.model.normalisers)
        self._slots = {spec.name: optimizers[spec.fused].rule.slots for spec in self.specs}
        self._steps = Steps(
            self.model, self._dense, optimizers, self.tasks,
            xla=self.compile == "xla", pairwise=pairwise, seed=seed, score=score, exchange=exchange,
            device=device,
        )  # fmt: skip
        self._tables: tuple[Table, ...] = ()
        self._packer = Packer()
        self._behind = False
        self._learning_rate = 0.0
        self.growth = Growth()
        self._begins: State = {}
        self.serving: object = None
        self.towers: object = None

    # ---- state

    @property
    def sizes(self) -> dict[str, int]:
        """Number of indices of every id space; an index from here on is unknown to this model."""
        return {table.spaces[name]: size for table in self._tables for name, size in table.sizes.items()}

    @property
    def fused(self) -> tuple[Table, ...]:
        """Where the rows of the model's tables stand, narrowest first."""
        return self._tables

    @property
    def step(self) -> int:
        """Training steps taken since the start of the chain."""
        return int(self._steps.step.numpy())

    def fresh(self, sizes: Mapping[str, int], base_rates: Sequence[float] | None = None) -> None:
        """The first weights, drawn from the seed and each weight's name.

        Args:
            sizes: those of the id maps.
            base_rates: for each task the share of positives, between 0 and 1, that the output starts at, so that the
                first day is not spent on learning it; ``None`` starts at a logit of 0, a probability of one half.
        """
        state: dict[str, NDArray[Any]] = {"step": np.asarray(0, np.int64)}
        for spec in self.specs:
            size = int(sizes[spec.space])
            for part, name in self._tensors(spec.name).items():
                nothing = np.zeros((0, spec.width), np.float32)
                first = self._slots[spec.name].get(part, 0.0)
                state[name] = first_table(spec, size, self.seed) if part == "w" else grow_slot(nothing, size, first)
        self.load(state | self._first(base_rates))

    def _first(self, base_rates: Sequence[float] | None = None) -> dict[str, NDArray[Any]]:
        """What all that is in no table starts from."""
        return self._observed.nothing() | self._dense.first(base_rates)

    @property
    def architecture(self) -> Architecture:
        """What a checkpoint tells beside its tensors, for :meth:`load` of a model that has grown."""
        tables: dict[str, Axes] = {f"table/{spec.name}": (None, spec.columns) for spec in self.specs if spec.columns}
        return Architecture(model=self.model_name, axes=self._dense.axes | tables)

    def load(self, state: State, then: Architecture | None = None) -> None:
        """Take up a stored state.

        Where the model has grown since (:attr:`growth`), it answers as the one that was stored until :meth:`grow` is
        called: what is new is zero, in tables and beside old rows of weights.

        Args:
            then: the ``architecture`` of the model that it was stored by; without it nothing may have grown.

        Raises:
            StateMismatch: a tensor is missing, of another shape, or not of this model.
        """
        self.growth, self._begins = Growth(), {}
        if then is not None:
            first, now = self._first(), self.architecture
            self.growth = growth_of(state, then, now, self.specs, first)
            silent, self._begins = taken_up(
                state, first, self.growth, then, now, self.specs, self._slots, self.seed
            )  # fmt: skip
            state = {**state, **silent}
        others = {name: tuple(each.shape) for name, each in (self._dense.variables | self._observed.state()).items()}
        expected = expected_shapes(self.specs, self._slots, others)
        self._tables = fused_tables(self.specs, check_state(state, expected, self.specs, self._slots))
        self._steps.place(self._tables)
        for table in self._tables:
            variables = self._steps.tables[table.fused]
            for part, variable in variables.parts.items():
                variable.assign(table.fuse({name: state[self._tensors(name)[part]] for name in table.sizes}))
            variables.last.assign(np.full(table.rows, int(state["step"]), np.int32))
        self._steps.step.assign(int(state["step"]))
        for name, variable in self._dense.variables.items():
            variable.assign(state[name])
        self._observed.load(state)
        self._behind = False

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next day starts from, by name; every row is brought up to date first.

        ``table/<name>`` and ``slot/<name>/<slot>`` ``[size, width]``, ``dense/<weight>``,
        ``slot/dense/<weight>/<slot>``, ``step``, ``normalise/<feature>``. Head-room never shows.
        """
        self.sweep()
        state: dict[str, NDArray[Any]] = {"step": np.asarray(self.step, np.int64)}
        for table in self._tables:
            for part, variable in self._steps.tables[table.fused].parts.items():
                apart = table.split(variable.numpy())
                state |= {self._tensors(name)[part]: values for name, values in apart.items()}
        state |= {name: variable.numpy() for name, variable in self._dense.variables.items()}
        return state | self._observed.state()

    def tables(self) -> dict[str, NDArray[np.float32]]:
        """The rows ``[size, width]`` of every table of the model by its name, up to date."""
        self.sweep()
        apart: dict[str, NDArray[np.float32]] = {}
        for table in self._tables:
            apart |= table.split(self._steps.tables[table.fused].w.numpy())
        return apart

    def grow(self, sizes: Mapping[str, int]) -> None:
        """Grow to bigger id maps: old rows and their slots stay bit for bit, new rows copy the unknown row.

        What the model has more than the state that it was loaded with begins as in a new chain.

        Raises:
            ValueError: a size is below what the model has.
        """
        wanted = {space: int(sizes[space]) for space in self.spaces}
        if wanted == self.sizes and not self.growth:
            return
        state = {**self.state(), **self._begins}
        for spec in self.specs:
            size = wanted[spec.space]
            for part, name in self._tensors(spec.name).items():
                first = self._slots[spec.name].get(part, 0.0)
                state[name] = grow_table(state[name], size) if part == "w" else grow_slot(state[name], size, first)
        self.load(state)

    def begin_day(self) -> None:
        """A day of training begins: accumulators that are to fade do, by their optimiser's ``decay_by_day``."""
        self._steps.begin_day()

    def sweep(self) -> None:
        """Bring every row of the tables up to the last step."""
        if not self._behind:
            return
        self._steps.sweep(self._learning_rate)
        self._behind = False

    def observe(self, arrays: DayArrays) -> dict[str, dict[str, Any]]:
        """Add a day's dense values to the statistics that later days are normalised by; what of them was wild."""
        return self._observed.add(self.view(arrays.layout), arrays)

    def view(self, layout: Layout, *, to_train: bool = True) -> View:
        """The columns that this model reads of a day's matrices; those for training alone only ``to_train``."""
        return View.of(self.schema if to_train else self.schema.asked, self.specs, layout)

    # ---- steps

    def train_epoch(
        self,
        batches: Iterable[Batch],
        learning_rate: float,
        unique_bucket: Mapping[Fused, int] | None = None,
        watch: Callable[[Sequence[NDArray[np.float32]]], None] | None = None,
    ) -> NDArray[np.float32]:
        """Train on every batch once.

        Args:
            batches: of one shape; another shape compiles another step.
            learning_rate: of this epoch.
            unique_bucket: for each fused table, the number of distinct rows to which batches are padded
                at first; a batch that holds more raises it, which compiles once more but changes no bit.
            watch: shown the losses of all batches so far, each time that some of them have been settled.

        Returns:
            float32 ``[batches, 1 + parts]``: the loss that was lowered, then those of :attr:`loss_parts`.

        Raises:
            NonFiniteLoss: a loss, or in the end a weight, is NaN or infinite.
        """
        # Rows that are behind would catch up with the wrong learning rate.
        if learning_rate != self._learning_rate:
            self.sweep()
            self._learning_rate = learning_rate
        rate = tf.constant(learning_rate, tf.float32)
        pending: list[tf.Tensor] = []
        losses: list[NDArray[np.float32]] = []
        padding = tuple((unique_bucket or {}).get(table.fused, 0) for table in self._tables)
        for batch in batches:
            ints, padding = self._packer.pack(batch, self._tables, self._steps.padding(batch, padding))
            run = self._steps.train(batch, padding)
            ints, floats = own_rows(batch, ints, self.part) if self.part.of > 1 else (ints, batch.floats)
            pending.append(run(tf.constant(ints), tf.constant(floats), rate))
            self._behind = True
            if len(pending) == _CHECK_EVERY:
                _settle(pending, losses)
                if watch is not None:
                    watch(losses)
        _settle(pending, losses)
        if losses and not self._steps.finite():
            raise NonFiniteLoss(len(losses) - 1, float("nan"))
        return np.stack(losses) if losses else np.zeros((0, 1 + len(self.loss_parts)), np.float32)

    @property
    def loss_parts(self) -> tuple[str, ...]:
        """What a step tells of the loss that it lowers: tasks, auxiliary losses, what layers add; none of one alone."""
        return self._steps.parts

    def score(self, batch: Batch) -> NDArray[np.float32]:
        """Logits ``[batch, candidates, tasks]``; labels and weights are not read."""
        self.sweep()
        floats = batch.floats[: size_of(batch.view.dense, batch.shape)]
        return np.asarray(self._steps.score(batch)(tf.constant(batch.ints), tf.constant(floats)).numpy())

    # ---- inside

    def _tensors(self, name: str) -> dict[str, str]:
        """The tensors of a table in a state: its own, ``w``, and each slot's."""
        return of_table(name, self._slots[name])


def _settle(pending: list[tf.Tensor], losses: list[NDArray[np.float32]]) -> None:
    """Move losses from the device to the list."""
    for tensor in pending:
        told = tensor.numpy()
        if not np.isfinite(told[0]):
            raise NonFiniteLoss(len(losses), float(told[0]))
        losses.append(told)
    pending.clear()


def _check_given(model: keras.layers.Layer, tasks: tuple[Task, ...]) -> None:
    if entire_space(model) and not any(task.given for task in tasks):
        raise ValueError(
            f"model '{model.name}' learns over all rows that two tasks come true, and none of its tasks "
            f"({', '.join(task.name for task in tasks)}) is `given` another; let one be, or take another model"
        )


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{what} '{value}'; expected one of {', '.join(allowed)}")
    return value
