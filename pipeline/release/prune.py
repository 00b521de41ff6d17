"""Pruning: payloads that nobody needs go, manifests with their digests stay; what is served is never touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from pipeline.days import Day
from pipeline.evaluation.records import GateRecord
from pipeline.job import JobContext
from pipeline.release.decision import Passed, champion_of, passed_since, released_before
from pipeline.release.publish.release_files import ReleaseFiles
from pipeline.release.records import ReleaseRecord
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT, DAY, EXPORT, FEATURES, GATE, RELEASE, REPLACED, ROWS
from pipeline.storage.artifacts.manifest import NAME as MANIFEST
from pipeline.training.chain import Chain
from pipeline.training.members import members_of

_SLACK = 4
"""Checkpoints beyond the kept ones that may gather before a prune looks at the whole chain, which costs seconds."""


@dataclass
class Pruned:
    """What was removed: ids of artefacts, and bytes."""

    ids: list[str] = field(default_factory=list)
    bytes: int = 0

    def add(self, context: JobContext, artifact: Artifact) -> None:
        self.bytes += context.store.prune(artifact)
        self.ids.append(artifact.id)


def prune(context: JobContext, *, thorough: bool = True) -> Pruned:
    """Prunes every experiment's exports and checkpoints, each under the lock of its chain.

    Kept are the newest ``keep_models`` exports, ``keep_checkpoints`` checkpoints and the first of each month, what was
    published (``retention.released``), and what is served, was served before it, or would be if a gate kept it.
    Joined rows are kept until features were built of them; extracts, validated tables and arrays of so many days
    (``retention.*_days``), and longer where something needs them (``past_days``).

    Args:
        thorough: also look at checkpoints when only a few can have become superfluous, at what days were made of
            before they were made again, and at days long past.

    Raises:
        LockTimeout: an experiment is being trained.
    """
    done = Pruned()
    releases = _releases(context)
    exports, checkpoints = _in_use(context, releases)
    checkpoints |= _published(context)
    # A blend before its members: what it keeps is kept of them.
    names = list(reversed(context.config.in_training_order(context.config.experiments)))
    for experiment in names:
        with _locked(context, [*_blends_of(context, experiment), experiment]):
            _prune_exports(context, experiment, exports, done)
            if thorough or _superfluous(context, experiment) > _SLACK:
                _prune_checkpoints(context, experiment, checkpoints | _blended(context, experiment), done)
    _prune_rows(context, done)
    if thorough:
        # Here: the days' own prune looks at no table.
        from pipeline.release.day_retention import past_days

        # What an experiment has found to be there stays until it is done with its day.
        with _locked(context, names):
            _prune_replaced(context, done)
            for artifact in past_days(context, [each.ref.day for each in releases]):
                done.add(context, artifact)
    return done


@contextmanager
def _locked(context: JobContext, experiments: Sequence[str]) -> Iterator[None]:
    """Hold the locks of chains, a blend's before those of its members, as it takes them itself to make them again."""
    with ExitStack() as locks:
        for experiment in experiments:
            locks.enter_context(Chain.of(context, experiment).lock())
        yield


def _blends_of(context: JobContext, experiment: str) -> list[str]:
    """The blends that an experiment is a member of."""
    return [name for name, each in context.config.experiments.items() if experiment in each.members]


def _blended(context: JobContext, experiment: str) -> set[str]:
    """Ids of an experiment's checkpoints that a blend's are made of, of those whose payload is kept."""
    store, found = context.store, set()
    for blend in _blends_of(context, experiment):
        for day in store.days(CHECKPOINT, context.job, blend):
            checkpoint = store.current(Ref(CHECKPOINT, context.job, day, blend))
            if checkpoint is not None and checkpoint.has_payload and not checkpoint.manifest.pruned:
                found |= {each.id for name, each in members_of(store, checkpoint).items() if name == experiment}
    return found


def _prune_rows(context: JobContext, done: Pruned) -> None:
    """Joined rows go as soon as the features that were built of them stand: the validated day makes them again."""
    folder = context.root / ROWS / context.job
    # Few days have a payload, and years of them a manifest.
    for day in sorted({path.parent.parent.name for path in folder.glob("day=*/gen=*/*") if path.name != MANIFEST}):
        here = Day.parse(day.removeprefix("day="))
        rows, built = (context.store.current(Ref(kind, context.job, here)) for kind in (ROWS, FEATURES))
        if rows is None or built is None or rows.manifest.pruned:
            continue
        if {each.digest for each in rows.manifest.inputs} <= {each.digest for each in built.manifest.inputs}:
            done.add(context, rows)


def _published(context: JobContext) -> set[str]:
    """Ids of the checkpoints that were served at any time, as far back as the settings say."""
    kept = context.config.retention.released
    published = ReleaseFiles.of(context.root, context.job).all_published()
    newest = sorted(published, key=lambda each: (each.pointer.day, each.pointer.version))
    wanted = newest if kept == "all" else newest[len(newest) - min(kept, len(newest)) :]
    return {each.pointer.checkpoint for each in wanted}


def _prune_replaced(context: JobContext, done: Pruned) -> None:
    """Generations of shared artefacts that others have replaced."""
    from pipeline.ingest.late_labels import due

    # The first reading of a day is compared with the second one before it goes.
    unread = set(due(context))
    for kind in REPLACED:
        for day in context.store.days(kind, context.job):
            ref = Ref(kind, context.job, day)
            folder = context.root / str(ref)
            if sum(1 for _ in folder.glob("gen=*")) < 2 or day in unread:
                continue
            current = context.store.current(ref)
            for artifact in context.store.generations(ref):
                replaced = current is not None and artifact.generation < current.generation
                if replaced and artifact.has_payload:
                    done.add(context, artifact)


def _releases(context: JobContext) -> list[Artifact]:
    """What is served, was served before it or is about to be, and what a gate that keeps or fails goes back to."""
    files = ReleaseFiles.of(context.root, context.job)
    releases: list[Artifact | None] = []
    served = files.served()
    for release_id in (served.release_id, served.previous) if served is not None else ():
        published = files.published(release_id) if release_id is not None else None
        if published is not None:
            releases.append(context.store.load(published.release))
    days = context.store.days(RELEASE, context.job)
    if days:
        newest = context.store.current(Ref(RELEASE, context.job, days[-1]))
        releases += [newest, released_before(context, days[-1].next())]
        if newest is not None and newest.manifest.state == "done":
            # In the mode `immediate` a failed test goes back to the release of another checkpoint.
            other = ReleaseRecord.of(newest).checkpoint
            releases.append(released_before(context, days[-1].next(), other_than=other))
    return [each for each in releases if each is not None and each.manifest.state == "done"]


def _in_use(context: JobContext, releases: list[Artifact]) -> tuple[set[str], set[str]]:
    """Ids of exports and checkpoints that a release needs."""
    said = [ReleaseRecord.of(each) for each in releases]
    exports, checkpoints = {each.export for each in said}, {each.checkpoint for each in said}
    passed = _passed(context)
    if passed is not None:
        exports.add(passed.export.id)
        checkpoints.add(passed.checkpoint)
    return exports, checkpoints


def _passed(context: JobContext) -> Passed | None:
    """What the next release would be made of if its gate kept it: of a range only the end is released."""
    seen = context.store.days(DAY, context.job)
    if not seen:
        return None
    after = seen[-1].next()
    return passed_since(context, after, champion_of(context, after), released_before(context, after))


def _prune_exports(context: JobContext, experiment: str, in_use: set[str], done: Pruned) -> None:
    days = context.store.days(EXPORT, context.job, experiment)
    newest = set(days[-context.config.release.keep_models :])
    for day in days:
        if not _has_payload(context, EXPORT, experiment, day):
            continue
        ref = Ref(EXPORT, context.job, day, experiment)
        current = context.store.current(ref)
        for artifact in context.store.generations(ref):
            kept = current is not None and artifact.generation == current.generation and day in newest
            if not kept and artifact.id not in in_use and artifact.has_payload:
                done.add(context, artifact)


def _superfluous(context: JobContext, experiment: str) -> int:
    """About how many checkpoints have a payload without being among the newest or the first of a month."""
    days = context.store.days(CHECKPOINT, context.job, experiment)
    kept = context.config.release.keep_checkpoints
    firsts = {(day.date.year, day.date.month): day for day in reversed(days)}
    older = [day for day in days[:-kept] if day not in firsts.values()]
    return sum(_has_payload(context, CHECKPOINT, experiment, day) for day in older)


def _has_payload(context: JobContext, kind: str, experiment: str, day: Day) -> bool:
    """Whether any generation holds more than its manifest; none is read, as there are years of them."""
    folder = context.root / kind / context.job / experiment / f"day={day}"
    return any(entry.name != MANIFEST for each in folder.glob("gen=*") for entry in each.iterdir())


def _prune_checkpoints(context: JobContext, experiment: str, in_use: set[str], done: Pruned) -> None:
    chain = Chain.of(context, experiment)
    released = in_use | _incumbent(context, experiment)
    retention = chain.retention(
        context.config.release.keep_checkpoints, monthly=True, protected=chain.protected(released)
    )
    for artifact in retention:
        done.add(context, artifact)


def _incumbent(context: JobContext, experiment: str) -> set[str]:
    """The checkpoints of the newest gate, against which the next day's test is judged."""
    days = context.store.days(GATE, context.job, experiment)
    gate = context.store.current(Ref(GATE, context.job, days[-1], experiment)) if days else None
    if gate is None:
        return set()
    judged = GateRecord.of(gate)
    return {each for each in (judged.checkpoint, judged.incumbent) if each is not None}


def prune_after(context: JobContext, day: Day, *, thorough: bool = False) -> Pruned:
    """Prune exports and checkpoints; what was removed. Nothing depends on ``day``: retention is about the newest days.

    Raises:
        LockTimeout: an experiment is being trained.
    """
    return prune(context, thorough=thorough)
