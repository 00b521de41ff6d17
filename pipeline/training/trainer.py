"""What trains, scores and exports a model, from one day's state to the next: one class a way of training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models import registry
from models.architecture import Architecture, Growth
from models.engine.examples import Settings
from models.export.serving_module import ServingModule
from models.schema import DayArrays, FeatureSchema
from models.tasks import Task

State = Mapping[str, NDArray[Any]]
"""Tensors by name: what a checkpoint holds."""


@dataclass(frozen=True)
class TrainedRows:
    """Rows that are trained together: a day's own, or those of a replayed one.

    Attributes:
        name: of the rows.
        arrays: them, with the weights that they are trained with.
        epochs: how they become batches, once an epoch.
        earlier: whether they are of a day that the chain was trained on before (``earlier_days``).
    """

    name: str
    arrays: DayArrays
    epochs: Sequence[Settings]
    earlier: bool = False


class RowsFailed(Exception):
    """The training of some rows ended; ``__cause__`` says why, ``name`` which rows."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Trainer(Protocol):
    """One experiment's model, used for many days: fresh or loaded, grown, trained, observed, its state taken.

    Attributes:
        tasks: what the model is asked.
        spaces: id spaces of its features.
        sets_first_output: whether a new chain's first answer can be set to the base rate.
    """

    tasks: tuple[Task, ...]
    spaces: list[str]
    sets_first_output: bool

    @property
    def growth(self) -> Growth:
        """What the model has that the state it was loaded with has not, until it grows."""

    @property
    def sizes(self) -> dict[str, int]:
        """Number of indices of every id space; an index from here on is unknown to the model."""

    @property
    def loss_parts(self) -> tuple[str, ...]:
        """Names of the losses that :meth:`train` gives beside the one that counts."""

    def fresh(self, sizes: Mapping[str, int], base_rates: Sequence[float] | None = None) -> None:
        """Begin a chain; ``base_rates`` by task is where the first answer starts, if it can be set."""

    @property
    def architecture(self) -> Architecture:
        """What the tensors of :meth:`state` are of."""

    def load(self, state: State, then: Architecture | None = None) -> None:
        """Take up a stored state; what is new since tells nothing until :meth:`grow`; raises ``StateMismatch``."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next day starts from."""

    def grow(self, sizes: Mapping[str, int]) -> None:
        """Grow to bigger id maps; what is known of old ids stays bit for bit, and :attr:`growth` begins."""

    def train(
        self, rows: Iterable[TrainedRows], learning_rate: float, sizes_before: Mapping[str, int]
    ) -> NDArray[np.float32]:
        """Train a day: all of its rows, in order.

        Args:
            sizes_before: of the id spaces before the day; ids from there on are new.

        Returns:
            float32 ``[steps, 1 + parts]``: the loss, then :attr:`loss_parts`.

        Raises:
            RowsFailed: rows that cannot be trained.
        """

    def observe(self, arrays: DayArrays) -> dict[str, dict[str, Any]]:
        """Add the day's own rows to what later days are normalised by; what of them was wild, by feature."""

    def scores(self, arrays: DayArrays) -> NDArray[np.float32]:
        """Logits ``[pairs, tasks]`` of a day's rows."""

    def module(self, kinds: Mapping[str, str]) -> ServingModule:
        """What is exported: it answers as the model does now. Made once and then brought up to date.

        Args:
            kinds: for each id space of :attr:`spaces`, ``int`` or ``str``.
        """

    def tower_modules(self, kinds: Mapping[str, str]) -> Mapping[str, ServingModule]:
        """By name what is exported of each tower of a model that compares two, likewise; none of any other."""


class PlainTrainer:
    """What a trainer without gradients holds beside its state: the model of a schema, and its id spaces."""

    sets_first_output = False
    loss_parts: tuple[str, ...] = ()

    def __init__(
        self, schema: FeatureSchema, model_name: str, options: Mapping[str, object], tasks: tuple[Task, ...]
    ) -> None:
        self.schema = schema
        self.model_name = model_name
        self.tasks = tasks
        self.model = registry.build(model_name, schema, options, tuple(task.name for task in tasks))
        self.spaces = sorted({str(f.space) for f in schema.features if f.has_ids})
        self.growth = Growth()
