"""A range of days in one process: each day's stages in order, for some experiments, and what is said of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pipeline.days import Day
from pipeline.errors import ChainError, DayspringError, LockTimeout
from pipeline.features.arrays.paired_lists import UNPAIRED
from pipeline.ingest.common_fault import common_fault
from pipeline.ingest.records import ValidatedRecord
from pipeline.job import JobContext
from pipeline.process.memory import give_back_memory
from pipeline.release.records import ReleaseRecord
from pipeline.stages.stage import CLOSING, EXPERIMENT, SHARED, stage
from pipeline.storage import parquet_file
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.kinds import FEATURES, VALIDATED
from pipeline.training.chain import Chain
from pipeline.training.overrides import NONE, Overrides

Publish = Literal["last", "each", "none"]


@dataclass
class Line:
    """Runs days of a job in order, in one process.

    Experiments are independent: one that fails is left out of the later days of this range and the others go on.

    Args:
        context: the job.
        experiments: those to train.
        publish: release and publish after the last day, after each, or not.
        reprocess: read the sources again and train again what is there already.
        retrain: train again what is there already, on the days as they were read.
        overrides: what is trained otherwise than the YAML says.
        late_days: look at the sources again for days that were skipped; those that have come are taken in.
        say: receives one line of progress at a time.
    """

    context: JobContext
    experiments: list[str]
    publish: Publish = "last"
    reprocess: bool = False
    retrain: bool = False
    overrides: Overrides = NONE
    late_days: bool = False
    say: Callable[[str], None] = field(default=lambda text: print(text, file=sys.stderr, flush=True))
    failed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.experiments = self.context.config.in_training_order(self.experiments)

    def run(self, first: Day, last: Day) -> bool:
        """Run every day from ``first`` to ``last``; false if an experiment failed. A shared stage's failure raises."""
        try:
            for day in first.through(last):
                self._day(day, is_last=day == last)
                if len(self.failed) == len(self.experiments):
                    break
        finally:
            self.context.close()
            for name, reason in self.failed.items():
                self.say(f"error: {self.context.job}/{name} stopped on {reason}")
        return not self.failed

    def _day(self, day: Day, *, is_last: bool) -> None:
        began = time.perf_counter()
        what: list[str] = []
        for name in SHARED:
            again = self.reprocess or (self.late_days and self._may_have_come(name, day))
            made = stage(name).run(self.context, day, reprocess=again)
            if name == "validate":
                what += of_validation(self.context, made)
            if name == "build_features" and made is not None:
                what += unpaired(made)
        for experiment in self.experiments:
            # Only now: a first day that cannot be read is no start.
            chain = Chain.of(self.context, experiment)
            if chain.start is None:
                chain.begin(day)
        skipped = self.context.skipped(day)
        if skipped is None:
            for experiment in self.experiments:
                text = self._experiment(day, experiment)
                if text is not None:
                    what.append(f"{experiment} {text}")
            if len(self.failed) < len(self.experiments):
                what += self._close(day, is_last=is_last)
        else:
            what.append(f"skipped: {skipped}")
            if is_last and self.publish == "last":
                what += self._publish_newest(day)
            stage("report").run(self.context, day)
        give_back_memory()
        self.say_day(day, f"{' · '.join(what)}  ({time.perf_counter() - began:.1f} s)")

    def _may_have_come(self, stage: str, day: Day) -> bool:
        """Whether a day was skipped that only its extraction can find to be there now."""
        return stage == "extract" and not self.context.config.is_dirty(day) and self.context.skipped(day) is not None

    def say_day(self, day: Day, text: str) -> None:
        """Tell what became of a day, once all of it is committed."""
        self.say(f"{day}  {text}")

    def _experiment(self, day: Day, experiment: str) -> str | None:
        if experiment in self.failed:
            return None
        members = self.context.config.experiments[experiment].members
        lost = [name for name in members if name in self.failed]
        if lost:
            # Whatever stands of them from an earlier run: it is not what this run was to make.
            self.failed[experiment] = f"{day}: its member '{lost[0]}' has failed"
            return "failed"
        try:
            done = stage(EXPERIMENT).run(
                self.context,
                day,
                experiment,
                reprocess=self.reprocess or self.retrain,
                # A blend has no steps: its members are trained so.
                overrides=NONE if members else self.overrides,
            )
            return str(done.summary)
        except LockTimeout:
            raise
        except DayspringError as error:
            self.failed[experiment] = f"{day}: {error}"
            return "failed"

    def _close(self, day: Day, *, is_last: bool) -> list[str]:
        """What follows from the day's experiments; who took over as the champion, in words."""
        wanted = {"check", "report", "prune"}
        if self.publish == "each" or (self.publish == "last" and is_last):
            wanted |= self._releasing(day)
        return self._run(wanted, day)

    def _releasing(self, day: Day) -> set[str]:
        """The stages that release a day: none where the champion, whose model would be released, was not trained."""
        missing = missing_champion(self.context, day)
        if missing is None:
            return {"release", "publish"} | ({"embed_items"} if self.context.config.recalls else set())
        if missing not in self.failed:
            self.say(nothing_released(day, missing))
        return set()

    def _publish_newest(self, last: Day) -> list[str]:
        """The range ends in skipped days: what is published is the last day that was not skipped."""
        newest = next(
            (d for d in reversed(self.context.store.days(FEATURES, self.context.config.job)) if d <= last), None
        )
        return self._run(self._releasing(newest), newest) if newest is not None else []

    def _run(self, names: set[str], day: Day) -> list[str]:
        """Those of the closing stages, in order; who took over as the champion, in words."""
        told: list[str] = []
        for name in (each for each in CLOSING if each in names):
            made = stage(name).run(self.context, day)
            if name == "release" and made is not None:
                told += new_champion(made)
        return told


def missing_champion(context: JobContext, day: Day) -> str | None:
    """The experiment whose model would be released, if it has no checkpoint of ``day``."""
    from pipeline.release.decision import champion_of

    champion = champion_of(context, day)
    return champion if Chain.of(context, champion).trained(day) is None else None


def nothing_released(day: Day, champion: str) -> str:
    """What is said where some experiments were trained, and ``champion`` was not."""
    return (
        f"{day}: nothing is released: the champion '{champion}' is not among the experiments of this run (`promote` "
        "makes another one the champion)"
    )


def of_validation(context: JobContext, validated: Artifact) -> list[str]:
    """In words, what validation put aside, the limits a day was accepted beyond, what has changed in its tables."""
    from pipeline.monitoring.table_watch import changes_of, never_there

    if validated.ref.kind != VALIDATED:  # the marker of a skipped day
        return []
    said = ValidatedRecord.of(validated)
    rows = said.quarantined
    told = [f"{rows} row{'s' * (rows != 1)} in quarantine ({validated.id}){_mostly(validated, rows)}"] if rows else []
    told += never_there(context, validated)
    told += [f"accepted ({said.accepted}) although {'; '.join(said.beyond_limits)}"] if said.was_accepted else []
    return told + [f"{change.table}: {change.text}" for change in changes_of(context, validated.ref.day)]


def _mostly(validated: Artifact, rows: int) -> str:
    """What most of a day's rows in quarantine are there for, in words; empty where they are kept no more."""
    if validated.manifest.pruned:
        return ""
    fault = common_fault(parquet_file.read(validated.file("quarantine.parquet")))
    if fault is None:
        return ""
    return f"{', mostly' if fault.rows < rows else ':'} {fault.table}.{fault.told}"


def new_champion(release: Artifact) -> list[str]:
    """From whom to whom the champion changed with a release, and why, in words; empty if it did not."""
    said = ReleaseRecord.of(release).champion if release.manifest.state == "done" else None
    return [f"champion: {said}"] if said is not None else []


def unpaired(features: Artifact) -> list[str]:
    """Of histories that are read together, the rows whose lists differ in length, in words; empty if none."""
    counts = {name.removeprefix(UNPAIRED): n for name, n in features.manifest.rows.items() if name.startswith(UNPAIRED)}
    return [f"{n} row{'s' * (n != 1)} with unequal lists of group '{group}'" for group, n in counts.items() if n]


def guard_order(context: JobContext, first: Day, experiments: list[str]) -> None:
    """A range starts a chain or follows it without a hole; raises ``ChainError`` naming the command that fills it."""
    for name in experiments:
        chain = Chain.of(context, name)
        if chain.start is None:
            continue
        if first < chain.start:
            if all(context.skipped(day) is not None for day in first.through(chain.start.previous())):
                continue
            raise ChainError(
                f"{context.config.job}/{name}: {first} is before the chain's start {chain.start}; "
                f"begin with --from {chain.start}, or train in another DAYSPRING_ROOT"
            )
        chain.parent(first)
