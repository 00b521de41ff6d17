"""An experiment: one model with its data policy, and how its releases are judged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, field_validator, model_validator

from models.optimizer_settings import read_optimizers
from models.tasks import LossName
from pipeline.config.base import DayField, Later, Strict
from pipeline.config.row_weights import WeightRule

BLEND = "blend"
"""The model that is made of other experiments' models."""
TWO_TOWERS = ("dropoutnet",)
"""Models whose releases recall items by their vectors."""


class Experiment(Strict):
    """One model + data-policy variant of a job, with its own chain of checkpoints.

    Args:
        model: name in the model registry; ``options`` are its keyword arguments.
        only, without: names of the features it sees (default: all with ``input: true``).
        tasks: those of the job's that it learns (default: all).
        loss: what it learns by, in a job without ``tasks``.
        dim, dims: embedding width, for all id spaces and by space.
        optimizer: of the embedding tables by its name, with Adam for all other weights; or ``tables``, ``named``
            (tables by name) and ``dense``, each a name or a mapping with ``type`` (``models.optimizer_settings``).
        decay, floor: learning rate = learning_rate · decay^(trained days since the start), not below floor.
        negatives: candidates drawn beside each positive (ranking).
        pairwise: weight of a loss beside its own, of each two impressions of a user of which one was clicked; batches
            then keep a user's rows together.
        score_loss: weight of a loss beside those of its tasks, of the job's `score` itself.
        weights: of requests in training, by rules over what was taken (beside the profile's, of the job).
        unknown_share: share of the ids first seen on a day that read as unknown while it is trained.
        first_output: where the probability of a new chain starts (``binary``): at the share of positives of its first
            day, or at one half.
        replay: train last year's same-day rows too, ``new``: a past day once a chain, whatever the window, and none
            that is itself in the chain; ``replay_weight`` their weight, ``replay_order`` their place.
        window: how many days, the day itself the last, are trained every day: those before it anew.
        start: first day of its chain (default: the job's).
        workers: how many processes train it together, each on its part of every batch; they share the job's `threads`.
        device: where its steps are taken.
        seed: of what it draws, instead of the job's seed and its own name: experiments that differ in nothing but
            their names then come to the same bits.
    """

    model: str
    options: dict[str, Any] = Field(default_factory=dict)
    only: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    dim: int = Field(default=8, ge=1, le=1024)
    dims: dict[str, int] = Field(default_factory=dict)
    tasks: Annotated[tuple[str, ...] | None, Later()] = None
    loss: LossName | None = None
    optimizer: str | dict[str, Any] = "catch_up_adam"
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    decay: float = Field(default=1.0, gt=0, le=1)
    floor: float = Field(default=1e-5, ge=0)
    batch: int = Field(default=256, ge=1)
    negatives: int = Field(default=31, ge=1)
    epochs: int = Field(default=1, ge=1)
    pairwise: Annotated[float, Later()] = Field(default=0.0, ge=0, allow_inf_nan=False)
    score_loss: Annotated[float, Later()] = Field(default=0.0, ge=0, allow_inf_nan=False)
    weights: Annotated[tuple[WeightRule, ...], Later()] = ()
    unknown_share: float = Field(default=0.1, ge=0, lt=1)
    compile: Literal["xla", "graph"] = "xla"
    first_output: Annotated[Literal["base_rate", "half"], Later()] = "base_rate"
    replay: Literal["off", "new", "always"] = "off"
    replay_weight: float = Field(default=1.0, gt=0)
    replay_order: Literal["before", "after"] = "before"
    window: Annotated[int, Later()] = Field(default=1, ge=1, le=366)
    start: DayField | None = None
    workers: Annotated[int, Later()] = Field(default=1, ge=1, le=64)
    device: Annotated[Literal["cpu", "gpu"], Later()] = "cpu"
    seed: Annotated[int | None, Later()] = None

    @property
    def members(self) -> tuple[str, ...]:
        """The experiments that a blend is made of; none of another."""
        return tuple(self.options.get("of", ())) if self.model == BLEND else ()

    def share(self, threads: int) -> int:
        """One trainer's of a job's threads."""
        return max(1, threads // self.workers)

    @model_validator(mode="after")
    def _divisible(self) -> Experiment:
        if self.batch % self.workers:
            below, above = self.batch - self.batch % self.workers, self.batch + -self.batch % self.workers
            near = f"{below} or {above}" if below else str(above)
            raise ValueError(f"batch: {self.batch} rows have no {self.workers} equal parts (`workers`); give {near}")
        if self.device == "gpu" and self.workers > 1:
            raise ValueError("workers: several train on `device: cpu` alone; leave one of the two out")
        return self

    @field_validator("optimizer", mode="wrap")
    @classmethod
    def _optimizer(cls, given: Any, read: ValidatorFunctionWrapHandler) -> Any:
        found = read(given) if isinstance(given, str | dict) else given
        read_optimizers(found)
        return found


RISE = 0.1


class Gate(Strict):
    """When a checkpoint may be released.

    ``margins``: by how much each measure may be worse than the served model's before the interval's verdict is
    ``keep`` (of calibration: farther from 1); ``floors``: values below which nothing is released (for ``log_loss``:
    above which); ``rise``: share of the way to a perfect value by which the primary measure may be above the best of
    the last four weeks, beyond it the verdict is ``inconclusive``; ``null``: whatever comes is believed.
    """

    margins: dict[str, float] = Field(default_factory=dict)
    floors: dict[str, float] = Field(default_factory=dict)
    calibration: tuple[float, float] = (0.8, 1.25)
    # The default changes no digest: what was judged before there was a limit is not judged again for it.
    rise: float | None = Field(default=RISE, gt=0, le=1, exclude_if=lambda value: value == RISE)
    resamples: int = Field(default=400, ge=50)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)


class Release(Strict):
    """What is released, from which experiment, and what is kept.

    ``push_fields_per_second``: how fast a release goes to Redis, so that readers do not feel it; ``null``: as fast as
    it can. ``by``: time of the day after, in the job's zone, by which a day should be released, or of the day after its
    labels have matured where days are held for them; an alert is raised where it is not. None: there is no such time.
    Both change nothing of a release, so they are no part of its digest.
    """

    mode: Literal["after_next_day_test", "immediate"] = "after_next_day_test"
    champion: str
    gate: Gate = Gate()
    keep_models: int = Field(default=5, ge=1)
    keep_checkpoints: int = Field(default=7, ge=1)
    unknown_share_max: float = Field(default=0.5, ge=0, le=1)  # of any id field over the whole candidate set
    score_spread_min: float = Field(default=1e-6, ge=0)  # standard deviation of scores over the candidate set
    namespace: str = "dayspring"
    grace_seconds: int = Field(default=3600, ge=0)  # how long older Redis generations live on
    push_fields_per_second: int | None = Field(default=60_000, ge=1, exclude=True)
    by: str | None = Field(default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$", exclude=True)


class Measures(Strict):
    """What is measured.

    Args:
        composite: weights of the composite hit rate, by k.
        several: groups of requests of a ranking by what was taken: by name, the bag of the item of which it has more
            than one value.
    """

    composite: dict[int, float] = Field(default_factory=lambda: {1: 0.5, 3: 0.3, 5: 0.2, 10: 0.1})
    primary: str | None = None
    several: Annotated[dict[str, str], Later()] = Field(default_factory=dict)
