"""A blend of other experiments' models: it has their states and a weight for each, and no steps of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.architecture import Architecture, Growth
from models.engine.state import StateMismatch
from models.export.blend import BlendModule
from models.export.serving_module import ServingModule
from models.schema import DayArrays, FeatureSchema
from models.tasks import Task
from pipeline.training.blend_weights import Fit
from pipeline.training.trainer import State, TrainedRows, Trainer

V = TypeVar("V")


class BlendTrainer:
    """Trainers of the members, each at its own state of a day.

    Its state: ``weights.<task> [members + 1]``, float32, of the members by name, and last what is added to their sum;
    where weights are fitted, ``fit.<task> [members, members + 1]``, float64, what tests said of them (``Fit``);
    and that of every member, each tensor as ``<member>/<tensor>``.

    Args:
        schema: the features of all members together.
        members: trainers by name, of the same tasks.
    """

    sets_first_output = False
    loss_parts: tuple[str, ...] = ()

    def __init__(self, schema: FeatureSchema, members: Mapping[str, Trainer], tasks: tuple[Task, ...]) -> None:
        self.schema = schema
        self.members = dict(sorted(members.items()))
        self.tasks = tasks
        self.spaces = sorted({space for member in self.members.values() for space in member.spaces})
        self.weights = mean_weights(len(self.members), tasks)
        self.fits: dict[str, Fit] = {}
        self._module: BlendModule | None = None

    @property
    def growth(self) -> Growth:
        """Of all members, what each name is of before it."""
        told = [(name, member.growth) for name, member in self.members.items()]
        return Growth(
            tables=_joined((name, growth.tables) for name, growth in told),
            inputs=_joined((name, growth.inputs) for name, growth in told),
            weights=tuple(f"{name}/{weight}" for name, growth in told for weight in growth.weights),
        )

    @property
    def sizes(self) -> dict[str, int]:
        """Of a space that a member knows less of than another, as long as it has not grown, the least."""
        found: dict[str, int] = {}
        for member in self.members.values():
            for space, size in member.sizes.items():
                found[space] = min(size, found.get(space, size))
        return found

    def fresh(self, sizes: Mapping[str, int], base_rates: Sequence[float] | None = None) -> None:
        self._each(lambda member: member.fresh(sizes))
        self.weights, self.fits = mean_weights(len(self.members), self.tasks), {}

    @property
    def architecture(self) -> Architecture:
        members = {name: member.architecture for name, member in self.members.items()}
        return Architecture(model="blend", members=members)

    def load(self, state: State, then: Architecture | None = None) -> None:
        if then is not None and sorted(then.members) != list(self.members):
            raise StateMismatch(f"it is a blend of {', '.join(sorted(then.members))}, not of {', '.join(self.members)}")
        told = {name: values for name, values in state.items() if name.startswith("weights.")}
        wanted = {f"weights.{task.name}": (len(self.members) + 1,) for task in self.tasks}
        if {name: values.shape for name, values in told.items()} != wanted:
            raise StateMismatch(f"tensors {', '.join(sorted(told)) or 'of weights'}: expected {', '.join(wanted)} of "
                                f"{len(self.members)} members and what is added")  # fmt: skip
        fits, wide = fits_of(state, self.tasks), len(self.members)
        unfit = next((f"fit.{name}" for name, fit in fits.items() if fit.tensor.shape != (wide, wide + 1)), None)
        if unfit is not None:
            found = list(state[unfit].shape)
            raise StateMismatch(f"tensor '{unfit}': expected [{wide}, {wide + 1}], found {found}")
        own = {*told, *(f"fit.{name}" for name in fits)}
        strange = sorted(name for name in set(state) - own if name.partition("/")[0] not in self.members)
        if strange:
            raise StateMismatch(f"tensor '{strange[0]}': expected none, found one")
        for name, member in self.members.items():
            part = {each.removeprefix(f"{name}/"): v for each, v in state.items() if each.startswith(f"{name}/")}
            try:
                member.load(part, then.members[name] if then is not None else None)
            except StateMismatch as error:
                raise StateMismatch(f"its member '{name}': {error}") from None
        self.weights = {task.name: np.array(told[f"weights.{task.name}"]) for task in self.tasks}
        self.fits = fits

    def state(self) -> dict[str, NDArray[Any]]:
        states = {name: member.state() for name, member in self.members.items()}
        return own_state(self.weights, self.fits) | _joined(states.items())

    def grow(self, sizes: Mapping[str, int]) -> None:
        self._each(lambda member: member.grow(sizes))

    def train(
        self, rows: Iterable[TrainedRows], learning_rate: float, sizes_before: Mapping[str, int]
    ) -> NDArray[np.float32]:
        """No step: the members are trained by themselves, and taken up by :meth:`load`."""
        return np.zeros((0, 1), np.float32)

    def observe(self, arrays: DayArrays) -> dict[str, dict[str, Any]]:
        return {}

    def scores(self, arrays: DayArrays) -> NDArray[np.float32]:
        of_members = [member.scores(arrays) for member in self.members.values()]
        return blended(of_members, [self.weights[task.name] for task in self.tasks])

    def module(self, kinds: Mapping[str, str]) -> ServingModule:
        modules = [member.module(kinds) for member in self.members.values()]
        if self._module is None:
            self._module = BlendModule(
                self.schema, self.tasks, {space: kinds[space] for space in self.spaces}, modules
            )  # fmt: skip
        self._module.take(self.weights)
        return self._module

    def tower_modules(self, kinds: Mapping[str, str]) -> Mapping[str, ServingModule]:
        return {}

    def _each(self, do: Callable[[Trainer], None]) -> None:
        for member in self.members.values():
            do(member)


def mean_weights(members: int, tasks: Sequence[Task]) -> dict[str, NDArray[np.float32]]:
    """By task: every member weighs the same, and nothing is added."""
    return {task.name: np.append(np.full(members, 1 / members, np.float32), np.float32(0)) for task in tasks}


def own_state(weights: Mapping[str, NDArray[np.float32]], fits: Mapping[str, Fit]) -> dict[str, NDArray[Any]]:
    """What of a blend's state is no member's."""
    state: dict[str, NDArray[Any]] = {f"weights.{name}": values.copy() for name, values in weights.items()}
    return state | {f"fit.{name}": fit.tensor for name, fit in fits.items()}


def fits_of(state: State, tasks: Sequence[Task]) -> dict[str, Fit]:
    """By task, what tests said of the weights; nothing in a state whose weights were not fitted."""
    names = [task.name for task in tasks if f"fit.{task.name}" in state]
    return {name: Fit.of(state[f"fit.{name}"]) for name in names}


def blended(
    logits: Sequence[NDArray[np.float32]], weights: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The members' logits ``[pairs, tasks]`` as one, by the weights ``[members + 1]`` of each task."""
    by_task = np.stack(weights, axis=1)
    total = np.zeros_like(logits[0])
    for each, weight in zip(logits, by_task, strict=False):
        total += each * weight
    return np.asarray(total + by_task[-1], np.float32)


def _joined(parts: Iterable[tuple[str, Mapping[str, V]]]) -> dict[str, V]:
    """What each has by name, under names that say whose it is."""
    return {f"{whose}/{name}": value for whose, part in parts for name, value in part.items()}
