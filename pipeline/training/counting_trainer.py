"""Training by counting: what was judged, and taken, of every item and by every user, fading from day to day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architecture import Architecture, Growth
from models.engine.state import StateMismatch
from models.export.counts import CountsModule
from models.export.serving_module import ServingModule
from models.schema import FIRST, UNKNOWN, DayArrays, FeatureSchema
from models.tasks import Task
from pipeline.training.trainer import PlainTrainer, State, TrainedRows

Float = NDArray[np.float64]


class CountingTrainer(PlainTrainer):
    """Counts of positives and of all that were judged, by task: of all rows, of items, of users' items.

    Its state: ``size/<space>``, ``count/<task>/all [2]``, ``count/<task>/item [size, 2]``; ``pair/key [pairs, 2]`` the
    user and the item, ascending, and ``count/<task>/pair [pairs, 2]``. Counts are float64, as of the last trained day.
    """

    def __init__(
        self, schema: FeatureSchema, model_name: str, options: Mapping[str, object], tasks: tuple[Task, ...]
    ) -> None:
        super().__init__(schema, model_name, options, tasks)
        self._state: dict[str, NDArray[Any]] = {}
        self._module: CountsModule | None = None

    @property
    def sizes(self) -> dict[str, int]:
        return {space: int(self._state[f"size/{space}"]) for space in self.spaces}

    @property
    def _items(self) -> int:
        """Rows of the items' counts."""
        return self.sizes[str(self.model.item.space)] if self.model.item is not None else UNKNOWN + 1

    def fresh(self, sizes: Mapping[str, int], base_rates: Sequence[float] | None = None) -> None:
        self._state = {f"size/{space}": np.asarray(sizes[space], np.int64) for space in self.spaces}
        self._state["pair/key"] = np.zeros((0, 2), np.int64)
        for task in self.tasks:
            self._state[f"count/{task.name}/all"] = np.zeros(2)
            self._state[f"count/{task.name}/item"] = np.zeros((self._items, 2))
            self._state[f"count/{task.name}/pair"] = np.zeros((0, 2))

    @property
    def architecture(self) -> Architecture:
        counted = tuple((feature.name, 1) for feature in (self.model.user, self.model.item) if feature is not None)
        return Architecture(model=self.model_name, axes={"pair/key": (None, counted)})

    def load(self, state: State, then: Architecture | None = None) -> None:
        self.growth = Growth()
        if then is not None:
            if then != self.architecture:
                raise StateMismatch(f"it counts {_counted(then)}, the experiment {_counted(self.architecture)}")
            self.growth = Growth(weights=tuple(f"size/{each}" for each in self.spaces if f"size/{each}" not in state))
            state = {**state, **{name: np.asarray(FIRST, np.int64) for name in self.growth.weights}}
        wanted = {f"size/{space}" for space in self.spaces} | {"pair/key"}
        wanted |= {f"count/{task.name}/{of}" for task in self.tasks for of in ("all", "item", "pair")}
        for name in sorted(wanted ^ set(state)):
            expected, found = ("one", "none") if name in wanted else ("none", "one")
            raise StateMismatch(f"tensor '{name}': expected {expected}, found {found}")
        self._state = {name: np.array(value) for name, value in state.items()}
        for task in self.tasks:
            for of, rows in (("item", self._items), ("pair", len(self._state["pair/key"]))):
                shape = self._state[f"count/{task.name}/{of}"].shape
                if shape != (rows, 2):
                    raise StateMismatch(f"tensor 'count/{task.name}/{of}': expected [{rows}, 2], found {list(shape)}")

    def state(self) -> dict[str, NDArray[Any]]:
        return {name: value.copy() for name, value in self._state.items()}

    def grow(self, sizes: Mapping[str, int]) -> None:
        self.growth = Growth()
        for space in self.spaces:
            if sizes[space] < self.sizes[space]:
                raise ValueError(f"id space '{space}' of {self.sizes[space]} cannot shrink to {sizes[space]}")
            self._state[f"size/{space}"] = np.asarray(sizes[space], np.int64)
        for task in self.tasks:
            old = self._state[f"count/{task.name}/item"]
            grown = np.zeros((self._items, 2))
            grown[: len(old)] = old
            self._state[f"count/{task.name}/item"] = grown

    def train(
        self, rows: Iterable[TrainedRows], learning_rate: float, sizes_before: Mapping[str, int]
    ) -> NDArray[np.float32]:
        for name in self._state:
            if name.startswith("count/"):
                self._state[name] = self._state[name] * self.model.decay
        losses = []
        for part in rows:
            losses.append(self._loss(part.arrays))
            self._count(part.arrays)
        return np.asarray(losses, np.float32).reshape(-1, 1)

    def observe(self, arrays: DayArrays) -> dict[str, dict[str, Any]]:
        return {}

    def scores(self, arrays: DayArrays) -> NDArray[np.float32]:
        user, item = self.model.pairs_of(arrays, self.sizes)
        place, known = self._places(user, item)
        columns = []
        for task in self.tasks:
            # In the precision of the exported model, which has to give the same.
            every, of_item, of_pair = (
                self._state[f"count/{task.name}/{of}"].astype(np.float32) for of in ("all", "item", "pair")
            )
            own = np.zeros((len(item), 2), np.float32)
            own[known] = of_pair[place[known]]
            columns.append(self.model.score(task.loss, every, of_item[item], own, np.log))
        return np.stack(columns, axis=1).astype(np.float32)

    def module(self, kinds: Mapping[str, str]) -> ServingModule:
        if self._module is None:
            self._module = CountsModule(self.model, self.tasks, {space: kinds[space] for space in self.spaces})
        self._module.take(self._state)
        return self._module

    def tower_modules(self, kinds: Mapping[str, str]) -> Mapping[str, ServingModule]:
        return {}

    def _loss(self, arrays: DayArrays) -> float:
        """The first task's loss of the rows before they are counted, over all candidates; 0 where none is judged."""
        task, label = self.tasks[0], arrays.label_of(self.tasks[0].name)
        logit = self.scores(arrays)[:, 0].astype(np.float64)
        if task.loss == "softmax":
            starts = np.asarray(arrays.offsets[:-1])[arrays.candidates > 0]
            chosen = np.logaddexp.reduceat(np.where(label == 1, logit, -np.inf), starts) if len(starts) else logit[:0]
            every = np.logaddexp.reduceat(logit, starts) if len(starts) else logit[:0]
            losses = (every - chosen)[np.isfinite(chosen)]
        else:
            losses = np.logaddexp(0.0, np.where(label == 1, -logit, logit))[label >= 0]
        return float(losses.mean()) if len(losses) else 0.0

    def _count(self, arrays: DayArrays) -> None:
        user, item = self.model.pairs_of(arrays, self.sizes)
        weight = np.repeat(np.asarray(arrays.weight, np.float64), arrays.candidates)
        self._know_pairs(user, item, np.any(np.asarray(arrays.label) >= 0, axis=1))
        place, known = self._places(user, item)
        for task in self.tasks:
            label = arrays.label_of(task.name)
            for column, chosen in enumerate((label == 1, label >= 0)):
                mass = np.where(chosen, weight, 0.0)
                self._state[f"count/{task.name}/all"][column] += mass.sum()
                of_item, of_pair = (self._state[f"count/{task.name}/{of}"] for of in ("item", "pair"))
                of_item[:, column] += np.bincount(item, mass, minlength=len(of_item))
                of_pair[:, column] += np.bincount(place[known], mass[known], minlength=len(of_pair))

    def _know_pairs(self, user: NDArray[np.int64], item: NDArray[np.int64], judged: NDArray[np.bool_]) -> None:
        """Give every judged pair of a known user and item a row, in ascending order."""
        if self.model.user is None:
            return
        told = judged & (user > UNKNOWN) & ((item > UNKNOWN) | (self.model.item is None))
        keys = np.unique(np.concatenate([self._state["pair/key"], np.stack([user[told], item[told]], axis=1)]), axis=0)
        old = _places_of(keys, self._state["pair/key"])
        for task in self.tasks:
            grown = np.zeros((len(keys), 2))
            grown[old] = self._state[f"count/{task.name}/pair"]
            self._state[f"count/{task.name}/pair"] = grown
        self._state["pair/key"] = keys

    def _places(self, user: NDArray[np.int64], item: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The row of each pair, and whether it has one."""
        keys = self._state["pair/key"]
        place = _places_of(keys, np.stack([user, item], axis=1))
        known = np.zeros(len(user), bool)
        if len(keys):
            place = np.minimum(place, len(keys) - 1)
            known = np.all(keys[place] == np.stack([user, item], axis=1), axis=1)
        return place, known


def _counted(architecture: Architecture) -> str:
    names = [name for axis in architecture.axes.get("pair/key", ()) for name, _ in axis or ()]
    return f"{' × '.join(names) or 'nothing'} ({architecture.model})"


def _places_of(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each pair stands, or would stand, among ascending ones."""
    joined, asked = (each[:, 0] << 32 | each[:, 1] for each in (keys, wanted))
    return np.searchsorted(joined, asked)
