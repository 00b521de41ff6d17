"""The form of a manual run: what may be asked for, and what that means for each stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow.sdk import Param

GROWING = ("extract", "validate", "update_id_maps", "build_features", "experiment")
"""Stages that can be done again although they are done; the others follow from them."""


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
        "force": Param(
            False,
            type="boolean",
            title="Do it again",
            description="Read the sources again and train again although the day is done (--reprocess). Where "
            "something comes out different, the days after it are tainted.",
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
    force: bool
    dry_run: bool

    @classmethod
    def of(cls, context: Mapping[str, Any], experiments: Sequence[str]) -> Asked:
        """From a task's context; ``experiments`` are those of the DAG."""
        params = context["params"]
        chosen = tuple(name for name in experiments if name in params["experiments"])
        return cls(
            chosen, chosen == tuple(experiments), params["epochs"], params["learning_rate"], params["force"],
            params["dry_run"],
        )  # fmt: skip

    def flags(self, stage: str) -> str:
        """Options of ``python -m pipeline stage STAGE``; none where the run is an ordinary one."""
        found = " --reprocess" if self.force and stage in GROWING else ""
        if stage == "experiment":
            found += self._training()
        if stage == "release" and not self.all_experiments:
            found += self._chosen()
        return found

    def plan_flags(self) -> str:
        """Options of ``python -m pipeline run --dry-run``."""
        return self._chosen() + self._training() + (" --reprocess" if self.force else "")

    def _chosen(self) -> str:
        return "".join(f" --experiment {name}" for name in self.experiments)

    def _training(self) -> str:
        epochs = f" --epochs {int(self.epochs)}" if self.epochs is not None else ""
        return epochs + (f" --learning-rate {float(self.learning_rate)!r}" if self.learning_rate is not None else "")
