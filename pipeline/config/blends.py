"""Blends: experiments that are made of others of the job, their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from models.tasks import IN_BATCH
from pipeline.config.experiment import BLEND, Experiment

if TYPE_CHECKING:
    from pipeline.config.job import JobConfig

OWN = ("model", "options", "start")
"""The settings that a blend has; all else is its members'."""


def check_members(experiments: Mapping[str, Experiment]) -> None:
    """Every blend names other experiments, none of them a blend; raises ``ValueError`` naming the setting."""
    for name, experiment in experiments.items():
        if experiment.model != BLEND:
            continue
        at, given = f"experiments.{name}.options.of", experiment.options.get("of")
        others = ", ".join(each for each, other in experiments.items() if other.model != BLEND) or "none"
        if not isinstance(given, (list, tuple)) or not all(isinstance(each, str) for each in given):
            raise ValueError(f"{at}: {given!r} is no list; name the experiments that it is made of, of {others}")
        if len(set(given)) < max(2, len(given)):
            raise ValueError(f"{at}: {list(given)} are not two or more that differ; of {others}")
        for member in given:
            if member not in experiments:
                raise ValueError(f"{at}: '{member}' is not an experiment; one of {others}")
            if experiments[member].model == BLEND:
                raise ValueError(f"{at}: '{member}' is a blend itself; name its members instead, or others of {others}")


def check_alike(config: JobConfig) -> None:
    """The members of a blend are asked the same, and there before it; raises ``ValueError``."""
    for name, experiment in config.experiments.items():
        first = experiment.members[0] if experiment.members else ""
        for member in experiment.members:
            at, other = f"experiments.{name}.options.of", config.experiments[member]
            asked, wanted = (
                [(task.name, task.loss) for task in config.tasks_of(each)] for each in (member, first)
            )  # fmt: skip
            if asked != wanted:
                raise ValueError(
                    f"{at}: '{member}' is asked {_told(asked)}, '{first}' {_told(wanted)}; logits are averaged task "
                    "by task, so give them the same `tasks` and `loss`"
                )
            if IN_BATCH & {loss for _, loss in asked}:
                raise ValueError(f"{at}: '{member}' learns by {_told(asked)}, whose logits are no odds to be averaged")
            begins, start = (each.start or config.start for each in (other, experiment))
            if begins is not None and start is not None and begins > start:
                raise ValueError(
                    f"experiments.{name}.start: {start} is before the start of its member '{member}', {begins}; give "
                    "a blend the day from which all of them are trained"
                )
            twins = [each for each in experiment.members if each < member and config.experiments[each] == other]
            if twins and other.seed is not None:
                raise ValueError(f"{at}: '{twins[0]}' and '{member}' have the same settings and `seed`; one is enough")


def _told(tasks: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name} ({loss})" for name, loss in tasks)
