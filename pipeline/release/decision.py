"""Which checkpoint a day's release is made of: what the gates and the checks say, turned into one choice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.config.features import FeatureSettings
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import NotYet
from pipeline.evaluation.records import GateRecord
from pipeline.job import JobContext
from pipeline.release.publish.release_files import Championship, ReleaseFiles
from pipeline.release.records import CheckRecord, ReleaseRecord
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECK, EXPORT, GATE, RELEASE
from pipeline.training.chain import Chain

SETTINGS = "settings.json"
"""The file of a release that holds the settings in force when it was built."""
FAILS = ("keep", "block")
"""Verdicts after which an immediate release is taken back."""


@dataclass(frozen=True)
class Choice:
    """What a release is made of, or why there is none.

    Attributes:
        export: the exported model; ``None`` if nothing can be released.
        by: ``gate``, ``immediate``, ``kept`` (the model released before goes on), ``passed`` (the newest that a gate
            let pass on a day that was not released), ``restored`` or ``promote``.
        champion: a change of the champion that comes with it; ``change``: from whom to whom and why, in words.
        consulted: what was looked at; the release's inputs beside its contents.
    """

    export: Artifact | None
    by: str
    verdict: str
    reasons: list[str]
    champion: Championship | None = None
    consulted: list[Artifact] = field(default_factory=list)
    change: str | None = None


def champion_of(context: JobContext, day: Day) -> str:
    """The experiment that the release of ``day`` comes from: as promoted by hand or by superiority, else by the YAML.

    A change by superiority counts from the day after: the day it was found on must decide alike when it is repeated.
    """
    champion = context.config.release.champion
    for change in ReleaseFiles.of(context.root, context.job).champions():
        counts = change.day <= day if change.by == "promote" else change.day < day
        if counts and change.experiment in context.config.experiments:
            champion = change.experiment
    return champion


def champion_now(context: JobContext) -> str:
    """The experiment that the next release comes from, as things stand."""
    return champion_of(context, Day.today(context.config.timezone).next())


def choose(context: JobContext, day: Day) -> Choice:
    """The choice for ``day``, from committed artefacts alone: the same whenever it is made.

    Raises:
        NotYet: the champion has not finished the day.
    """
    champion = champion_of(context, day)
    if Chain.of(context, champion).trained(day) is None:
        raise NotYet(
            f"{day}: the champion '{champion}' has no checkpoint of this day, so there is nothing to release; run "
            f"`python -m pipeline stage experiment --job {context.job} --day {day} --experiment {champion}`"
        )
    decide = _immediate if context.config.release.mode == "immediate" else _after_test
    for name, figures in _successors(context, day, champion):
        choice = decide(context, day, name)
        if choice.by in ("gate", "immediate"):  # it is crowned with its first release, not before
            takes_over = f"'{name}' is superior to '{champion}': {figures}"
            return replace(
                choice, champion=Championship(name, day, "superiority"), reasons=[takes_over, *choice.reasons],
                change=f"{champion} → {name} ({figures})",
            )  # fmt: skip
    return decide(context, day, champion)


def released_before(context: JobContext, day: Day, *, other_than: str | None = None) -> Artifact | None:
    """The newest release before ``day`` that has a model, of another checkpoint than ``other_than``.

    One that was rolled back does not count: a gate that keeps the model before keeps a good one.
    """
    rolled_back = ReleaseFiles.of(context.root, context.job).rolled_back()
    for each in reversed(context.store.days(RELEASE, context.job)):
        release = context.store.current(Ref(RELEASE, context.job, each)) if each < day else None
        if release is None or release.manifest.state != "done":
            continue
        said = ReleaseRecord.of(release)
        if said.checkpoint != other_than and said.release_id not in rolled_back:
            return release
    return None


@dataclass(frozen=True)
class Passed:
    """A checkpoint that a gate let pass, with its export and the check of that."""

    gate: Artifact
    export: Artifact
    check: Artifact

    @property
    def checkpoint(self) -> str:
        return GateRecord.of(self.gate).checkpoint


def passed_since(
    context: JobContext, day: Day, champion: str, before: Artifact | None, *, other_than: str | None = None
) -> Passed | None:
    """The newest checkpoint that passed on a day before ``day`` without being released: a backfill releases its end.

    None of before a rollback: nobody vouches for those that led up to what was rolled back.

    Args:
        before: the release that goes on otherwise; days up to its own are not looked at.
        other_than: a checkpoint that does not count.
    """
    files = ReleaseFiles.of(context.root, context.job)
    rolled_back = files.rolled_back()
    left = {done.pointer.checkpoint for name in rolled_back if (done := files.published(name)) is not None}
    known = ReleaseRecord.of(before).checkpoint if before is not None else None
    for each in reversed(context.store.days(GATE, context.job, champion)):
        if before is not None and each <= before.ref.day:
            return None
        gate = context.store.current(Ref(GATE, context.job, each, champion)) if each < day else None
        judged = GateRecord.of(gate) if gate is not None else None
        if gate is None or judged is None or judged.verdict != "promote":
            continue
        tested = judged.checkpoint
        if tested == known or tested in left or _was_left(context, each, rolled_back):
            return None
        export, check, _ = export_of(context, tested)
        if export is not None and check is not None and tested != other_than:
            return Passed(gate, export, check)
    return None


def _was_left(context: JobContext, day: Day, rolled_back: set[str]) -> bool:
    release = context.store.current(Ref(RELEASE, context.job, day)) if rolled_back else None
    if release is None or release.manifest.state != "done":
        return False
    return ReleaseRecord.of(release).release_id in rolled_back


def export_of(context: JobContext, checkpoint_id: str) -> tuple[Artifact | None, Artifact | None, str]:
    """The export of a checkpoint and the check of it if that passed; else why it cannot be released."""
    checkpoint = context.store.load(checkpoint_id)
    if checkpoint is None:
        return None, None, f"{checkpoint_id} is not on disk"
    ref = checkpoint.ref
    export = context.store.current(Ref(EXPORT, ref.job, ref.day, ref.experiment))
    # By content: a day trained again to the same bits keeps its export.
    if export is None or export.manifest.digest != checkpoint.manifest.digest:
        return None, None, f"{checkpoint_id} was not exported"
    if export.manifest.pruned:
        return None, None, f"the export of {checkpoint_id} was pruned"
    check = context.store.current(Ref(CHECK, ref.job, ref.day, ref.experiment))
    said = CheckRecord.of(check) if check is not None else None
    if said is None or said.export != export.id:
        command = f"python -m pipeline stage check --job {ref.job} --day {ref.day}"
        return None, None, f"the export of {checkpoint_id} was not checked; run `{command}`"
    if said.verdict != "ok":
        return None, None, f"the check blocks {checkpoint_id}: {'; '.join(said.reasons)}"
    return export, check, ""


def _successors(context: JobContext, day: Day, champion: str) -> list[tuple[str, str]]:
    """The experiments that may take over on ``day``, each with the figures.

    The gate of each passes, and each is shown to beat the champion: the one that does so by most at least comes first.
    """
    if _is_doubted(context.store.current(Ref(GATE, context.job, day, champion))):
        return []
    found: list[tuple[float, str, str]] = []
    for name in context.config.experiments:
        gate = context.store.current(Ref(GATE, context.job, day, name)) if name != champion else None
        if gate is not None and GateRecord.of(gate).verdict == "promote":
            # Here: who only asks what is served reads no arrays.
            from pipeline.evaluation.superiority import superior

            compared = superior(context, day, name, champion)
            if compared.better and compared.low is not None:
                found.append((compared.low, name, compared.told))
    found.sort(key=lambda each: -each[0])
    return [(name, told) for _, name, told in found]


def _is_doubted(gate: Artifact | None) -> bool:
    """The day made a measure too good to be believed: its rows tell of no model, and none trained on them is fresh."""
    return gate is not None and GateRecord.of(gate).rise is not None


def _after_test(context: JobContext, day: Day, champion: str) -> Choice:
    gate = context.store.current(Ref(GATE, context.job, day, champion))
    if gate is None:
        return _kept(context, day, champion, "none", ["no checkpoint before this day, so none was tested on it"], [])
    judged = GateRecord.of(gate)
    if judged.verdict != "promote":
        return _kept(context, day, champion, judged.verdict, judged.reasons, [gate])
    export, check, problem = export_of(context, judged.checkpoint)
    if export is None or check is None:
        return _kept(context, day, champion, judged.verdict, [problem], [gate])
    return Choice(export, "gate", judged.verdict, judged.reasons, None, [gate, check])


def _immediate(context: JobContext, day: Day, champion: str) -> Choice:
    gate = context.store.current(Ref(GATE, context.job, day, champion))
    judged = GateRecord.of(gate) if gate is not None else None
    verdict = judged.verdict if judged is not None else "none"
    if gate is not None and judged is not None and verdict in FAILS:
        tested, reasons = judged.checkpoint, judged.reasons
        before = released_before(context, day, other_than=tested)
        passed = passed_since(context, day, champion, before, other_than=tested)
        if passed is not None:
            return _passed(passed, verdict, [f"{tested} failed on its next day", *reasons], [gate])
        if before is not None:
            export = context.store.load(ReleaseRecord.of(before).export)
            if export is not None and not export.manifest.pruned and not _made_otherwise(context, before):
                reasons = [f"{tested} failed on its next day", *reasons]
                return Choice(export, "restored", verdict, reasons, None, [gate, before])
        return _kept(context, day, champion, verdict, [*reasons, "no earlier release to restore"], [gate])
    if gate is not None and judged is not None and judged.rise is not None:
        return _kept(context, day, champion, verdict, judged.reasons, [gate])
    checkpoint = Chain.of(context, champion).trained(day)
    consulted = [gate] if gate is not None else []
    if checkpoint is None:  # of one that would take over: its day was tested, but is not trained yet
        return _kept(context, day, champion, verdict, [f"'{champion}' has no checkpoint of {day}"], consulted)
    export, check, problem = export_of(context, checkpoint.id)
    if export is None or check is None:
        return _kept(context, day, champion, verdict, [problem], consulted)
    return Choice(export, "immediate", verdict, ["released as trained"], None, [*consulted, check])


def _passed(passed: Passed, verdict: str, reasons: list[str], consulted: list[Artifact]) -> Choice:
    told = f"{passed.checkpoint} is the newest that passed, on {passed.gate.ref.day}"
    return Choice(passed.export, "passed", verdict, [told, *reasons], None, [*consulted, passed.gate, passed.check])


def _kept(
    context: JobContext, day: Day, champion: str, verdict: str, reasons: list[str], consulted: list[Artifact]
) -> Choice:
    """What passed last goes on, with the contents of ``day``: released before or not; nothing where nothing passed."""
    before = released_before(context, day)
    passed = passed_since(context, day, champion, before)
    if passed is not None:
        return _passed(passed, verdict, reasons, consulted)
    if before is None:
        return Choice(None, "kept", verdict, reasons, None, consulted)
    export = context.store.load(ReleaseRecord.of(before).export)
    if export is None or export.manifest.pruned:
        return Choice(None, "kept", verdict, [*reasons, f"the model of {before.id} was pruned"], None, consulted)
    other = _made_otherwise(context, before)
    if other:
        why = (
            f"the model of {before.id} reads {', '.join(other)}, which the settings make otherwise now or no more: "
            "what is served stays with its own contents until a model of these settings passes"
        )
        return Choice(None, "kept", verdict, [*reasons, why], None, consulted)
    return Choice(export, "kept", verdict, reasons, None, [*consulted, before])


def _made_otherwise(context: JobContext, release: Artifact) -> list[str]:
    """Features of the model of an earlier release that today's settings do not make as it knows them."""
    then, now = JobConfig.model_validate_json(release.file(SETTINGS).read_bytes()), context.config.features
    experiment = ReleaseRecord.of(release).experiment
    # One that had left the settings by then may have read any of them.
    read = then.inputs(experiment) if experiment in then.experiments else set(then.features)
    return [name for name in sorted(read) if name not in now or _told(now[name]) != _told(then.features[name])]


def _told(feature: FeatureSettings) -> dict[str, Any]:
    return feature.model_dump(exclude={"group"})  # what is read together is the model's own matter


def promoted(context: JobContext, experiment: str, day: Day, checkpoint_id: str | None = None) -> Choice:
    """The choice by hand, whatever the gate says; the check has to pass.

    Without ``checkpoint_id``: what the mode would release of the experiment on ``day`` if its gate passed.
    """
    consulted: list[Artifact] = []
    if checkpoint_id is None:
        gate = context.store.current(Ref(GATE, context.job, day, experiment))
        if gate is not None and context.config.release.mode == "after_next_day_test":
            checkpoint_id, consulted = GateRecord.of(gate).checkpoint, [gate]
        else:
            trained = Chain.of(context, experiment).trained(day)
            checkpoint_id = trained.id if trained is not None else None
    if checkpoint_id is None:
        return Choice(None, "promote", "none", [f"'{experiment}' has no checkpoint of {day}"])
    export, check, problem = export_of(context, checkpoint_id)
    if export is None or check is None:
        return Choice(None, "promote", "none", [problem], None, consulted)
    return Choice(export, "promote", "none", ["promoted by hand"], None, [*consulted, check])
