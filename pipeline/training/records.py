"""What the manifests of checkpoints and exports say."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from models.architecture import Architecture, Growth
from pipeline.storage.artifacts import kinds
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.manifest import Count, DayText
from pipeline.storage.artifacts.record import Finite, Record, is_none
from pipeline.storage.digests import content_digest


class Wild(BaseModel):
    """What of a feature's values entered a day's statistics bounded.

    Attributes:
        wild: of the ``known`` values, those that were replaced.
        furthest: the replaced value furthest away.
        anew: the statistics began anew, as those before were of wild values.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    wild: Count
    known: Count
    furthest: float = Field(allow_inf_nan=False)
    anew: bool


class Overridden(BaseModel):
    """What was trained otherwise than the YAML says (see ``Overrides``)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    epochs: Count | None = Field(default=None, exclude_if=is_none)
    learning_rate: float | None = Field(default=None, exclude_if=is_none)


class Fitted(BaseModel):
    """What the members of a blend weigh, as fitted on their tests.

    Attributes:
        days: days until now whose tests judged them; while there is none, the members weigh the same.
        weights: by task and member.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    days: Count
    weights: dict[str, dict[str, Finite]]

    @property
    def in_words(self) -> str:
        """As a run tells it."""
        if not self.days:
            return "the mean of its members, which no day has judged yet"
        several = len(self.weights) > 1
        told = [
            f"{f'{task} ' if several else ''}"
            f"{' + '.join(f'{weight:.2f} {name}' for name, weight in of_task.items())}"
            for task, of_task in self.weights.items()
        ]
        return f"weighs {', '.join(told)}"


class CheckpointRecord(Record):
    """A day's training.

    Attributes:
        parent, parent_day: the checkpoint that it began from; ``None`` for the first of a chain.
        trained_days: of the chain, this one included.
        sizes: rows of each table of the model, by space.
        loss: mean of the batches'; ``None`` where there was none.
        losses: by task and auxiliary loss its own mean, before its weight, where there are several; beside them what
            layers add.
        experts: by task how much of what it is told comes from each expert, of models that have any.
        base_rate: where the first model's output began, if at the day's share of positives; by task where there are
            several.
        wild_values: by feature.
        architecture: what its tensors are of; ``None`` as written before models could grow.
        growth: what the day began with that its parent had not.
        fitted: of a blend with `weights: fitted`, what its members weigh.
    """

    kind: ClassVar = kinds.CHECKPOINT

    parent: str | None = None
    parent_day: DayText | None
    trained_days: Count
    learning_rate: float
    batches: Count
    sizes: dict[str, Count]
    loss: Finite | None
    losses: dict[str, Finite] | None = Field(default=None, exclude_if=is_none)
    experts: dict[str, dict[str, Finite]] | None = Field(default=None, exclude_if=is_none)
    base_rate: float | dict[str, float] | None = Field(default=None, exclude_if=is_none)
    wild_values: dict[str, Wild] | None = Field(default=None, exclude_if=is_none)
    overrides: Overridden | None = Field(default=None, exclude_if=is_none)
    architecture: Architecture | None = Field(default=None, exclude_if=is_none)
    growth: Growth | None = Field(default=None, exclude_if=is_none)
    fitted: Fitted | None = Field(default=None, exclude_if=is_none)


class ExportRecord(Record):
    """An exported model.

    Attributes:
        checkpoint: id of the one that was exported.
        checksums: by file.
        graph: what the graph of the model is known by (``models.export.graphs``).
        items: digest of the items that are recalled and their vectors, of a model with two towers.
    """

    kind: ClassVar = kinds.EXPORT

    checkpoint: str
    golden_rows: Count
    checksums: dict[str, str] = Field(default_factory=dict)
    graph: str | None = Field(default=None, exclude_if=is_none)
    items: str | None = Field(default=None, exclude_if=is_none)

    @classmethod
    def content(cls, export: Artifact) -> str:
        """What tells an export from others: the checkpoint's content, and the items that are recalled."""
        digest, items = export.manifest.digest, cls.of(export).items
        return digest if items is None else content_digest({"checkpoint": digest, "items": items})
