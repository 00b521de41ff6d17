"""Training by fitting trees, on the day's rows and on those of days before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.architecture import TREE_COLUMNS, Architecture, Growth, Segments
from models.engine.examples import NO_PAIR, examples_of
from models.engine.state import StateMismatch
from models.export.serving_module import ServingModule
from models.export.trees import TreesModule
from models.forest import Forest
from models.schema import FIRST, DayArrays, FeatureSchema
from models.tasks import Task
from models.zoo.gbdt_lr import GbdtLr
from pipeline.training.leaf_regression import LeafRegression
from pipeline.training.trainer import PlainTrainer, State, TrainedRows

if TYPE_CHECKING:
    from pipeline.training.boosting import Asked, Rows

Float = NDArray[np.float64]


class TreeTrainer(PlainTrainer):
    """Trees by task, fitted anew or continued; of ``gbdt_lr`` a regression over their leaves too.

    Its state: ``size/<space>``, ``days`` (trained until now), ``base/<task>`` (the logit that the trees are added to),
    ``tree/<task>/<array>`` (``models.forest.Forest``), ``regression/<task>/<array>`` (``LeafRegression``).
    """

    def __init__(
        self, schema: FeatureSchema, model_name: str, options: Mapping[str, object], tasks: tuple[Task, ...]
    ) -> None:
        super().__init__(schema, model_name, options, tasks)
        self._regresses = isinstance(self.model, GbdtLr)
        self._module: TreesModule | None = None
        self.fresh({})

    @property
    def sizes(self) -> dict[str, int]:
        return dict(self._sizes)

    def fresh(self, sizes: Mapping[str, int], base_rates: Sequence[float] | None = None) -> None:
        self._sizes = {space: sizes.get(space, FIRST) for space in self.spaces}
        self._days = 0
        self.growth = Growth()
        self._base = {task.name: 0.0 for task in self.tasks}
        self._forests = {task.name: Forest.none() for task in self.tasks}
        self._regressions = {
            name: LeafRegression.begun(forest, 0.0) for name, forest in self._forests.items() if self._regresses
        }
        self._asked: dict[str, Asked] = {}

    @property
    def architecture(self) -> Architecture:
        return Architecture(model=self.model_name, axes={TREE_COLUMNS: (self.model.columns,)})

    def load(self, state: State, then: Architecture | None = None) -> None:
        before = then or self.architecture
        if before.model != self.model_name:
            raise StateMismatch(f"it is of the model '{before.model}', the experiment's is '{self.model_name}'")
        told = before.axes[TREE_COLUMNS][0] or ()
        moved = self._moved(told)
        sizes = {space: state.get(f"size/{space}") for space in self.spaces}
        for name in sorted(self._wanted ^ (set(state) | {f"size/{s}" for s, size in sizes.items() if size is None})):
            expected, found = ("one", "none") if name in self._wanted else ("none", "one")
            raise StateMismatch(f"tensor '{name}': expected {expected}, found {found}")
        self.fresh({space: int(size) for space, size in sizes.items() if size is not None})
        self._days = int(state["days"])
        for task in self.tasks:
            forest = Forest.of(_under(state, f"tree/{task.name}/"))
            self._forests[task.name] = forest.asking(moved)
            self._base[task.name] = float(state[f"base/{task.name}"])
            if self._regresses:
                self._regressions[task.name] = LeafRegression.of(_under(state, f"regression/{task.name}/"))
        new = {name: (0, size) for name, size in self.model.columns if name not in dict(told)}
        self.growth = Growth(
            inputs={TREE_COLUMNS: new} if new else {},
            weights=tuple(f"size/{space}" for space, size in sizes.items() if size is None),
        )

    def state(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {f"size/{space}": np.asarray(n, np.int64) for space, n in self._sizes.items()}
        found["days"] = np.asarray(self._days, np.int64)
        for name, forest in self._forests.items():
            found[f"base/{name}"] = np.asarray(self._base[name], np.float64)
            found |= {f"tree/{name}/{array}": values for array, values in forest.tensors.items()}
        for name, regression in self._regressions.items():
            found |= {f"regression/{name}/{array}": values for array, values in regression.tensors.items()}
        return found

    def grow(self, sizes: Mapping[str, int]) -> None:
        self.growth = Growth()
        for space in self.spaces:
            if sizes[space] < self._sizes[space]:
                raise ValueError(f"id space '{space}' of {self._sizes[space]} cannot shrink to {sizes[space]}")
        self._sizes = {space: sizes[space] for space in self.spaces}

    def train(
        self, rows: Iterable[TrainedRows], learning_rate: float, sizes_before: Mapping[str, int]
    ) -> NDArray[np.float32]:
        parts = list(rows)
        own, earlier = ([part for part in parts if part.earlier is of] for of in (False, True))
        loss = sum(task.weight * self._learn(task, own, earlier) for task in self.tasks)
        self._days += 1
        return np.asarray([[loss]], np.float32)

    def observe(self, arrays: DayArrays) -> dict[str, dict[str, Any]]:
        return {}

    def scores(self, arrays: DayArrays) -> NDArray[np.float32]:
        request = np.repeat(np.arange(arrays.requests), arrays.candidates)
        x = self.model.matrix(arrays, np.arange(arrays.pairs), request)
        return np.stack([self._logits(task.name, x) for task in self.tasks], axis=1).astype(np.float32)

    def module(self, kinds: Mapping[str, str]) -> ServingModule:
        if self._module is None:
            self._module = TreesModule(self.model, self.tasks, {space: kinds[space] for space in self.spaces})
        for name, forest in self._forests.items():
            value, base = forest.value, self._base[name]
            if self._regresses:
                value, base = self._regressions[name].answering(forest)
            self._module.take(name, forest, value, base)
        return self._module

    def tower_modules(self, kinds: Mapping[str, str]) -> Mapping[str, ServingModule]:
        return {}

    def _learn(self, task: Task, own: Sequence[TrainedRows], earlier: Sequence[TrainedRows]) -> float:
        """A task's part of a day; the loss of the day's own rows as they were met."""
        options, rows = self.model.options, _joined([self._rows(task, part) for part in own])
        met = self._logits(task.name, rows.x)
        if options.fits(self._days):
            before = [self._rows(task, part) for part in earlier]
            # Trees that are continued under a regression leave it the day itself.
            left = self._regresses and options.fit == "continued" and bool(before)
            days = _fading(before if left else [*before, rows], options.half_life)
            self._fit(task, _joined(days), own[-1].epochs[0].seed)
            if not left:  # rows that made the leaves tell a regression nothing
                return _loss(task, rows, met)
        if self._regresses:
            forest, asked = self._forests[task.name], self._trees(task.name)
            met = self._regressions[task.name].learn(
                asked.leaves(rows.x), forest.value.shape[1], rows.label, rows.weight,
                batch=own[-1].epochs[0].batch_size, rate=options.regression_rate,
            )  # fmt: skip
        return _loss(task, rows, met)

    def _fit(self, task: Task, rows: Rows, seed: int) -> None:
        from pipeline.training import boosting

        if not len(rows):
            return
        options, objective, forest = self.model.options, self.model.objective, Forest.none()
        continued, ranks = options.fit == "continued", objective != "binary"
        if continued:
            forest = self._forests[task.name].newest(options.trees - options.added)
        if not (continued and len(self._forests[task.name])):  # a first day without rows has told no share
            self._base[task.name] = 0.0 if ranks else _logit_of(rows)
        begun = self._base[task.name] + boosting.Asked(forest, rows.x.shape[1]).values(rows.x)
        settings = {
            "objective": objective, "num_leaves": options.leaves, "learning_rate": options.rate,
            "min_data_in_leaf": options.rows, "feature_fraction": options.features, "lambda_l2": options.l2,
        }  # fmt: skip
        added = boosting.fitted(
            rows, begun, options.added if continued else options.trees, settings, ranks=ranks, seed=seed
        )
        self._forests[task.name] = forest = forest.followed_by(added)
        self._asked.pop(task.name, None)
        if self._regresses:
            self._regressions[task.name] = LeafRegression.begun(forest, self._base[task.name])

    def _trees(self, task: str) -> Asked:
        from pipeline.training import boosting

        if task not in self._asked:
            columns = sum(size for _, size in self.model.columns)
            self._asked[task] = boosting.Asked(self._forests[task], columns)
        return self._asked[task]

    def _logits(self, task: str, x: NDArray[np.float32]) -> Float:
        if not self._regresses:
            return self._base[task] + self._trees(task).values(x)
        return self._regressions[task].logits(self._trees(task).leaves(x), self._forests[task].value.shape[1])

    def _rows(self, task: Task, part: TrainedRows) -> Rows:
        """The examples of some rows; a pair that nobody judged is a negative where it was drawn as one."""
        from pipeline.training.boosting import Rows

        arrays, settings = part.arrays, part.epochs[0]
        examples, label = examples_of(arrays, settings, [each.name for each in self.tasks]), arrays.label_of(task.name)
        inside = examples.pairs != NO_PAIR
        if settings.negatives is None:
            inside &= label[examples.pairs] >= 0
        groups = inside.sum(axis=1)
        pairs, request = examples.pairs[inside], np.repeat(examples.request, groups)
        return Rows(
            self.model.matrix(arrays, pairs, request), (label[pairs] > 0).astype(np.int8),
            np.asarray(arrays.weight, np.float64)[request], groups[groups > 0],
        )  # fmt: skip

    @property
    def _wanted(self) -> set[str]:
        """Names of the tensors of a state."""
        return set(self.state())

    def _moved(self, told: Segments) -> list[int]:
        """Where each column stands now that a checkpoint's trees ask; raises ``StateMismatch``."""
        now = _places(self.model.columns)
        for name, size in told:
            if dict(self.model.columns).get(name) != size:
                raise StateMismatch(f"its trees ask {size} of '{name}', the experiment has "
                                    f"{dict(self.model.columns).get(name, 0)}")  # fmt: skip
        return [place for name, size in told for place in range(now[name], now[name] + size)]


def _places(columns: Segments) -> dict[str, int]:
    """Where each feature's columns begin."""
    ends = np.cumsum([size for _, size in columns])
    return {name: int(end) - size for (name, size), end in zip(columns, ends, strict=True)}


def _under(state: State, prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): values for name, values in state.items() if name.startswith(prefix)}


def _fading(days: Sequence[Rows], half_life: float | None) -> list[Rows]:
    """Rows of days, the oldest first, each day weighing half of one so much younger."""
    if half_life is None:
        return list(days)
    return [replace(day, weight=day.weight * 0.5 ** ((len(days) - 1 - at) / half_life)) for at, day in enumerate(days)]


def _joined(parts: Sequence[Rows]) -> Rows:
    from pipeline.training.boosting import Rows

    return Rows(**{
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "label", "weight", "groups")
    })  # fmt: skip


def _logit_of(rows: Rows) -> float:
    """Of the share of positives, as if one of each more had been seen."""
    positive, every = float(rows.weight @ rows.label) + 1.0, float(rows.weight.sum()) + 2.0
    return float(np.log(positive / (every - positive)))


def _loss(task: Task, rows: Rows, logit: Float) -> float:
    """Mean over the examples; of a group the first is the one that was taken."""
    if not len(rows):
        return 0.0
    if task.loss == "softmax":
        starts = np.cumsum(rows.groups) - rows.groups
        return float((np.logaddexp.reduceat(logit, starts) - logit[starts]).mean())
    return float(np.logaddexp(0.0, np.where(rows.label == 1, -logit, logit)).mean())
