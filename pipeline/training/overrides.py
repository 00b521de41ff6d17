"""Training settings that one run of a day gives instead of the YAML's, such as more epochs by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.config.job import JobConfig
from pipeline.errors import UsageError
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.training.records import CheckpointRecord


@dataclass(frozen=True)
class Overrides:
    """What is trained otherwise than the YAML says, on the days of this run only.

    The checkpoint's manifest records it, and the digest of its settings includes it; the next day follows the YAML.

    Args:
        epochs: passes over the day's rows.
        learning_rate: the rate of the day itself, whatever the experiment's decay has come to.
    """

    epochs: int | None = None
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        if self.epochs is not None and not 1 <= self.epochs <= 100:
            raise UsageError(f"--epochs {self.epochs}: give 1 to 100")
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise UsageError(f"--learning-rate {self.learning_rate:g}: give a number between 0 and 1")

    @classmethod
    def recorded(cls, checkpoint: CheckpointRecord) -> Overrides:
        """Those that a checkpoint was trained with."""
        given = checkpoint.overrides
        return cls(given.epochs, given.learning_rate) if given is not None else cls()

    def __bool__(self) -> bool:
        return bool(self.as_dict())

    def as_dict(self) -> dict[str, int | float]:
        """Those that are given, by name."""
        named = {"epochs": self.epochs, "learning_rate": self.learning_rate}
        return {name: value for name, value in named.items() if value is not None}

    def flags(self) -> str:
        """As options of the command line."""
        return "".join(f" --{name.replace('_', '-')} {value!r}" for name, value in self.as_dict().items())

    def applied(self, config: JobConfig, experiment: str) -> JobConfig:
        """The settings as this run trains the experiment."""
        if not self:
            return config
        changed: dict[str, Any] = self.as_dict()
        if self.learning_rate is not None:
            changed["decay"] = 1.0
        settings = config.experiments[experiment].model_copy(update=changed)
        return config.model_copy(update={"experiments": {**config.experiments, experiment: settings}})

    def contradict(self, trained: Artifact, config: JobConfig) -> bool:
        """Whether a day was trained otherwise than they say: nobody trains it over in silence."""
        experiment = trained.ref.experiment or ""
        return bool(self) and trained.manifest.settings != self.applied(config, experiment).stage_settings(
            "train", experiment
        )


NONE = Overrides()
"""As the YAML says."""
