"""What models of several tasks share: what is read once for all, a tower a task, and what each task's loss weighs."""

from __future__ import annotations

from typing import Literal

import keras
import tensorflow as tf
from pydantic import Field

from models.heads.uncertainty import Uncertainty
from models.inputs import ModelInputs
from models.layers.tower import Tower
from models.options import Names, Widths
from models.outputs import USE, Auxiliary, Outputs
from models.schema import FeatureSchema, Kind
from models.zoo.base import FeatureModel, Part, RankingOptions
from models.zoo.ranking import Sides, idle_without_layers

LEAST_RATE = 1e-3


class TaskOptions(RankingOptions):
    """Options of every model with a tower a task."""

    units: Widths = Field((128, 64), description="widths of the hidden layers of each task's tower")
    own: dict[str, Names] = Field(
        default_factory=dict, description="by task, features and histories that its tower alone reads, beside the rest"
    )
    weighting: Literal["fixed", "learnt", "rates"] = Field(
        "fixed",
        description="what the tasks' losses weigh beside their `weight`s: nothing, what is learnt of how uncertain "
        "each is, or (`rates`) by row what the item's past rates say",
    )
    rates: dict[str, str] = Field(
        default_factory=dict,
        description="by task, the feature that is the item's past rate of it, from 0 to 1, for `weighting: rates`: a "
        "row teaches the tasks in proportion to them",
    )


class EntireOptions(TaskOptions):
    """Options of those that may learn over all rows."""

    entire_space: bool = Field(
        False,
        description="learn a task that is given another by the probability that both come true, of all rows, as `esmm` "
        "does; not of the rows alone in which it was judged",
    )


class MultiTaskModel(FeatureModel):
    """A tower a task over what :meth:`below` makes for it of all that the tasks share, and over what is its own.

    Attributes:
        entire_space: whether a task that is given another is learnt over all rows, by the probability that both come
            true; it then has no loss of its own.

    Raises:
        ValueError: an option names no such task or feature, or leaves nothing that the tasks share.
    """

    Options: type[TaskOptions] = TaskOptions
    options: TaskOptions
    family = "multi-task"
    entire_space = False

    def __init__(self, schema: FeatureSchema, options: TaskOptions, tasks: tuple[str, ...], *, name: str) -> None:
        super().__init__(schema, options, tasks, name=name)
        self._check_own()
        self._check_rates()
        self.entire_space = getattr(options, "entire_space", self.entire_space)
        self.towers = {
            task: Tower(options.units, options.activation, options.dropout, name=f"tower_{task}") for task in tasks
        }
        self.uncertainty = Uncertainty(name="uncertainty") if options.weighting == "learnt" else None

    def below(
        self, shared: tuple[list[Part], list[Part]], sides: Sides, inputs: ModelInputs, training: bool
    ) -> tuple[dict[str, tuple[list[Part], list[Part]]], dict[str, tf.Tensor]]:
        """What each task's tower reads of what is shared, of a request and of its candidates, and what is told of it.

        Args:
            shared: parts of a request and of its candidates.
            sides: the same, side by side.
        """
        raise NotImplementedError

    def call(self, inputs: ModelInputs, training: bool = False) -> Outputs:
        """Logits of every task."""
        request, item, losses = self.parts(inputs, training)
        whole = Sides.of(request, item)
        names = {task: self.parts_of(self.options.own.get(task, ())) for task in self.tasks}
        kept: set[str] = set().union(*names.values())
        shared = _left(request, item, kept)
        made, told = self.below(shared, Sides.of(*shared, whole), inputs, training)
        logits = {}
        for task in self.tasks:
            own = _named(request, item, names[task])
            sides = Sides.of(made[task][0] + own[0], made[task][1] + own[1], whole)
            tower = self.towers[task]
            tower.reads = sides.reads
            logits[task] = tower(sides.request, sides.item, training=training)[..., 0]
        weights = self._weights(logits, inputs, losses) if training else {}
        return Outputs(logits, losses, {}, weights, told if training else {})

    def _weights(
        self, logits: dict[str, tf.Tensor], inputs: ModelInputs, losses: dict[str, Auxiliary]
    ) -> dict[str, tf.Tensor]:
        if self.uncertainty is not None:
            weights, cost = self.uncertainty(tf.stack([logits[task] for task in self.tasks], axis=-1))
            losses["uncertainty"] = Auxiliary(cost, of_weights=True)
            return dict(zip(self.tasks, tf.unstack(weights), strict=True))
        if self.options.weighting != "rates":
            return {}
        rates = [inputs.dense[self.options.rates[task]][..., 0] for task in self.tasks]
        shape = tf.shape(logits[self.tasks[0]])
        alike = tf.stack([tf.broadcast_to(r if r.shape.rank == 2 else r[:, None], shape) for r in rates])
        known = tf.reduce_all(tf.math.is_finite(alike), axis=0)
        bounded = tf.clip_by_value(tf.where(known, alike, 1.0), LEAST_RATE, 1.0)
        shares = len(self.tasks) * bounded / tf.reduce_sum(bounded, axis=0)
        return dict(zip(self.tasks, tf.unstack(shares), strict=True))

    def _check_own(self) -> None:
        taken: set[str] = set()
        for task, names in self.options.own.items():
            at = f"model '{self.name}', option 'own.{task}'"
            if task not in self.tasks:
                raise ValueError(f"{at}: there is no such task; the model's tasks: {', '.join(self.tasks)}")
            strange = sorted(set(names) - set(self.named))
            if strange:
                raise ValueError(
                    f"{at}: there is no feature or history '{strange[0]}' in use; there are {', '.join(self.named)}"
                )
            if taken & set(names):
                raise ValueError(f"{at}: '{min(taken & set(names))}' is another task's own; what both read is shared")
            taken |= set(names)
        if set(self.named) <= taken:
            raise ValueError(f"model '{self.name}', option 'own': nothing is left that the tasks share")

    def _check_rates(self) -> None:
        at, asked = f"model '{self.name}', option 'rates'", self.options.rates
        if self.options.weighting != "rates":
            if asked:
                raise ValueError(f"{at} would have no effect without `weighting: rates`; leave it out")
            return
        numbers = [f.name for f in self.schema.features if f.kind is Kind.DENSE and f.size == 1]
        if set(asked) != set(self.tasks):
            told = ", ".join(asked) or "no task"
            raise ValueError(f"{at}: names {told}; give every task one: {', '.join(self.tasks)}")
        strange = sorted(set(asked.values()) - set(numbers))
        if strange:
            raise ValueError(
                f"{at}: '{strange[0]}' is no number in use; one of {', '.join(numbers) or 'none, as there is none'}"
            )

    @property
    def output_bias(self) -> tuple[keras.Variable, ...]:
        return tuple(self.towers[task].output_bias for task in self.tasks)

    def idle_options(self) -> dict[str, str]:
        idle = super().idle_options() | idle_without_layers(self.options)
        return idle | ({"weighting": "there is one task"} if len(self.tasks) == 1 else {})


def _named(request: list[Part], item: list[Part], names: set[str]) -> tuple[list[Part], list[Part]]:
    """The parts of both sides whose first value is called so."""
    chosen = [[part for part in side if part.reads[0][0] in names] for side in (request, item)]
    return chosen[0], chosen[1]


def _left(request: list[Part], item: list[Part], names: set[str]) -> tuple[list[Part], list[Part]]:
    """All others."""
    every = {part.reads[0][0] for part in (*request, *item)}
    return _named(request, item, every - names)


def hidden(name: str, values: tf.Tensor) -> tuple[list[Part], list[Part]]:
    """What layers have made of each candidate, as what a tower reads."""
    nothing = Part("hidden", (), values[:, 0, :0])
    return [nothing], [Part("hidden", ((name, int(values.shape[-1])),), values)]


def told_use(task: str, use: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """How much of what a task is told comes from each expert, as it is told."""
    return {f"{USE}{task}/{expert}": share for expert, share in use.items()}
