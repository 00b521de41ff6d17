"""The form of a manual run: what may be asked for, and what that means for each stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from airflow.sdk import Param

TRAINING = "experiment"
READING = ("extract", "validate", "update_id_maps", "build_features")
"""Stages that can be done again although they are done, as training can; the others follow from them."""


FIELDS = ("experiments", "epochs", "learning_rate", "read_again", "train_again", "accept", "dry_run")
"""What the form holds."""


def run_params(experiments: Sequence[str]) -> dict[str, Param]:
    """The form, checked by Airflow before a run is made; its defaults change nothing."""
    return {
        "experiments": Param(
            list(experiments),
            type="array",
            title="Experiments",
            description="Train these only. One that is left out has no model of the day: its next day is refused "
            "until this one is filled, with the command that does it.",
            items={"type": "string", "enum": list(experiments)},
            examples=list(experiments),
            minItems=1,
            uniqueItems=True,
        ),
        "epochs": Param(
            None,
            type=["null", "integer"],
            title="Epochs",
            description="Passes over the day's rows; empty: as the YAML says. Counts for this day only.",
            minimum=1,
            maximum=100,
        ),
        "learning_rate": Param(
            None,
            type=["null", "number"],
            title="Learning rate",
            description="The rate of this day; empty: as the YAML says.",
            exclusiveMinimum=0,
            exclusiveMaximum=1,
        ),
        "read_again": Param(
            False,
            type="boolean",
            title="Read again",
            description="Read the day's sources again and train again on what they hold now, although the day is done. "
            "Where something comes out different, the days after it are tainted.",
        ),
        "train_again": Param(
            False,
            type="boolean",
            title="Train again",
            description="Train again on the day as it was read, although it is trained.",
        ),
        "accept": Param(
            None,
            type=["null", "string"],
            title="Accept the day, because",
            description="Go on although its rows are beyond the limits of validation; the reason is kept.",
            minLength=1,
            maxLength=500,
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Print what would run, and why, into the log of `extract`; run nothing.",
        ),
    }


@dataclass(frozen=True)
class Asked:
    """What a run was asked for."""

    experiments: tuple[str, ...]
    all_experiments: bool
    epochs: int | None
    learning_rate: float | None
    read_again: bool
    train_again: bool
    accept: str | None
    dry_run: bool

    @classmethod
    def of(cls, context: Mapping[str, Any], experiments: Sequence[str]) -> Asked:
        """From a task's context; ``experiments`` are those of the DAG."""
        params = context["params"]
        chosen = tuple(name for name in experiments if name in params["experiments"])
        return cls(
            chosen, chosen == tuple(experiments), params["epochs"], params["learning_rate"], params["read_again"],
            params["train_again"], params["accept"], params["dry_run"],
        )  # fmt: skip

    def flags(self, stage: str, day: str) -> str:
        """Options of ``python -m pipeline stage STAGE``; none where the run is an ordinary one."""
        trained = self.read_again or self.train_again
        found = " --reprocess" if (trained if stage == TRAINING else self.read_again and stage in READING) else ""
        if stage == TRAINING:
            found += self._training()
        if stage == "validate" and self.accept is not None:
            found += f" --accept-day {day} --reason {quote(self.accept)}"
        if stage == "release" and not self.all_experiments:
            found += self._chosen()
        return found

    def plan_flags(self) -> str:
        """Options of ``python -m pipeline run --dry-run``."""
        again = " --reprocess" if self.read_again else " --retrain" if self.train_again else ""
        return self._chosen() + self._training() + again

    def _chosen(self) -> str:
        return "".join(f" --experiment {name}" for name in self.experiments)

    def _training(self) -> str:
        epochs = f" --epochs {int(self.epochs)}" if self.epochs is not None else ""
        return epochs + (f" --learning-rate {float(self.learning_rate)!r}" if self.learning_rate is not None else "")
