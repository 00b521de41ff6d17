"""One stage of a day by its name: what it calls, what it does of a skipped day, the note that it leaves if it fails."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.days import Day
from pipeline.errors import DaySkipped
from pipeline.job import JobContext
from pipeline.monitoring.failures import noted
from pipeline.process.tensorflow_start import start_tensorflow
from pipeline.training.compiled_steps import keep_compiled_steps

EXPERIMENT = "experiment"


@dataclass(frozen=True)
class Stage:
    """A stage that leaves a note where it fails, so that the page can tell a failed day from one never run.

    Attributes:
        path: the function of (context, day, …) that turns committed artefacts into a new one.
        when_skipped: what becomes of a day that is recorded as skipped: it ``runs`` like any other (a stage that finds
            the skip, grows what was left of the days before, or tells of the day), or there is ``nothing`` to do, which
            the stage of an experiment is ``refused`` for, so that no task shows as trained.
    """

    name: str
    path: str
    when_skipped: Literal["runs", "nothing", "refused"] = "nothing"

    @property
    def function(self) -> Callable[..., Any]:
        """Imported only when it is asked for: most stages need no TensorFlow."""
        if self.name == EXPERIMENT:
            start_tensorflow()
        module, _, function = self.path.rpartition(".")
        called: Callable[..., Any] = getattr(importlib.import_module(module), function)
        return called

    def run(self, context: JobContext, day: Day, *experiment: str, **options: Any) -> Any:
        """What the stage made; ``None`` of a skipped day that it has nothing to do with.

        Raises:
            DaySkipped: an experiment's stage, of a skipped day.
        """
        with noted(context.root, context.job, day, self.name, *experiment):
            skipped = context.skipped(day) if self.when_skipped != "runs" else None
            if skipped is None:
                if self.name == EXPERIMENT:
                    keep_compiled_steps(context, *experiment)
                return self.function(context, day, *experiment, **options)
            if self.when_skipped == "refused":
                raise DaySkipped(f"{day} was skipped: {skipped}")
            return None


_STAGES = (
    Stage("extract", "pipeline.stages.reading.extract", "runs"),
    Stage("validate", "pipeline.ingest.validate.validate", "runs"),
    Stage("update_id_maps", "pipeline.stages.features.update_id_maps", "runs"),
    Stage("build_features", "pipeline.stages.features.build_features"),
    Stage(EXPERIMENT, "pipeline.stages.experiment.run", "refused"),
    Stage("check", "pipeline.release.check.check.check_exports"),
    Stage("release", "pipeline.release.build.build_release"),
    Stage("publish", "pipeline.release.control.publish_release"),
    Stage("embed_items", "pipeline.stages.embed_items.embed_day"),
    Stage("prune", "pipeline.release.prune.prune_after", "runs"),
    Stage("report", "pipeline.monitoring.report.page.write_report", "runs"),
)
"""In the order of a day."""
_BY_NAME = {each.name: each for each in _STAGES}

STAGES = tuple(_BY_NAME)
SHARED = STAGES[: STAGES.index(EXPERIMENT)]
"""Once a day, whatever experiments there are."""
CLOSING = STAGES[STAGES.index(EXPERIMENT) + 1 :]
"""What follows from a day's experiments."""


def stage(name: str) -> Stage:
    """The stage of this name."""
    return _BY_NAME[name]
