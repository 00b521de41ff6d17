"""What experts make for each task of what all of them read: one level, or levels in which tasks have some of their
own."""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from models.architecture import Segments
from models.heads.gate import Gate, mixed, use_of
from models.layers.hidden import Hidden


class Read(NamedTuple):
    """What is known of a request, ``[batch, values]``, and of each candidate, ``[batch, candidates, values]``, and of
    what the values are."""

    request: tf.Tensor
    item: tf.Tensor
    reads: Segments


class Mixture(NamedTuple):
    """What a task is told: ``values [batch, candidates, units]``, and by expert's name its mean share of them."""

    values: tf.Tensor
    use: dict[str, tf.Tensor]


class Level:
    """Experts that all tasks share and experts of each task's own, and gates over those that a task sees. No layer
    itself: its layers stand in the model.

    A gate of a task is over its own experts and the shared ones (without own ones: a mixture of experts by several
    gates); the gate of what is shared, where there is a level above, over all of them.

    Args:
        shared: experts that all tasks share.
        own: experts of each task's own.
        units: widths of an expert's layers, one at least.
        above: whether another level reads this one, so that what is shared goes on too.
        prefix: of its layers' names.

    Reference: Ma et al., Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts, 2018;
    Tang et al., Progressive Layered Extraction, 2020.
    """

    def __init__(
        self, tasks: tuple[str, ...], shared: int, own: int, units: tuple[int, ...], activation: str, *,
        above: bool = False, prefix: str = "",
    ) -> None:  # fmt: skip
        self.tasks = tasks
        numbers = {"": shared, **dict.fromkeys(tasks, own)}
        self.experts = {
            whose: [
                Hidden(units, activation, name=f"{prefix}expert_{f'{whose}_' if whose else ''}{n + 1}")
                for n in range(number)
            ]
            for whose, number in numbers.items()
        }
        every = shared + own * len(tasks)
        self.gates = {task: Gate(shared + own, name=f"{prefix}gate_{task}") for task in tasks}
        self.above = Gate(every, name=f"{prefix}gate_shared") if above else None

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """All that has weights; the level itself is no layer."""
        above = [] if self.above is None else [self.above]
        return [*(each for experts in self.experts.values() for each in experts), *self.gates.values(), *above]

    def mix(
        self, shared: Read, of_tasks: dict[str, Read], real: tf.Tensor | None = None, training: bool = False
    ) -> tuple[dict[str, Mixture], tf.Tensor | None]:
        """What each task is told, and what goes on as shared; of what is shared below, and of each task below."""
        told = {"": shared, **of_tasks}
        made = {
            whose: [expert.reading(told[whose].reads)(*told[whose][:2], training=training) for expert in experts]
            for whose, experts in self.experts.items()
        }
        names = {whose: [each.name for each in experts] for whose, experts in self.experts.items()}
        found = {}
        for task in self.tasks:
            shares = self._shares(self.gates[task], of_tasks[task])
            use = tf.unstack(use_of(shares, real))
            seen = [*made[task], *made[""]]
            found[task] = Mixture(mixed(shares, seen), dict(zip([*names[task], *names[""]], use, strict=True)))
        if self.above is None:
            return found, None
        every = [each for experts in made.values() for each in experts]
        return found, mixed(self._shares(self.above, shared), every)

    def _shares(self, gate: Gate, read: Read) -> tf.Tensor:
        gate.reads = read.reads
        return gate(read.request, read.item)
