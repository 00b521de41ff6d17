"""Building a release: the chosen model and the day's contents under one id, from committed artefacts alone.

The contents are not copied: they are derived again from the feature state whenever they are pushed. What is stored is
what they are derived from (ids and digests), and the settings in force, which could change later.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import CorruptArtifact, DayspringError
from pipeline.features.state.factor_store import commit_factors
from pipeline.job import JobContext
from pipeline.release.contents.contents import ENCODING, contents
from pipeline.release.decision import SETTINGS, Choice, choose
from pipeline.release.publish.models import Models
from pipeline.release.publish.publisher import Payload, Publisher, Release
from pipeline.release.publish.redis_generations import Generations, Keys
from pipeline.release.publish.release_files import ReleaseFiles
from pipeline.release.records import CheckRecord, ReleaseRecord
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECK, FEATURES, MAPS, RELEASE, STATE, VALIDATED
from pipeline.storage.digests import content_digest
from pipeline.storage.objects.open import open_objects
from pipeline.storage.redis.connection import connect
from pipeline.training.records import CheckpointRecord, ExportRecord

_CONTENTS = (STATE, MAPS, VALIDATED)
"""Kinds of the day's artefacts that a release's contents are derived from."""


def build(context: JobContext, day: Day, choice: Choice | None = None) -> Artifact:
    """The release of ``day``; one without a model (state ``skipped``, with the reason) where nothing may be released.

    Args:
        choice: by ``promote``; else the gates and checks decide.

    Raises:
        ChainError: a stage before this one has not run.
        DayspringError: the export does not pass when it is loaded whole.
    """
    began = time.perf_counter()
    sources = [context.needed(kind, day) for kind in _CONTENTS]
    sources += commit_factors(context, day.next())
    ref = Ref(RELEASE, context.job, day)
    current = context.store.current(ref)
    if current is not None and choice is None and _promoted_and_stands(current, sources):
        return current
    choice = choice or choose(context, day)
    inputs = [each.as_input() for each in [*sources, *([choice.export] if choice.export else []), *choice.consulted]]
    settings = context.config.stage_settings("release")
    with context.making(ref, inputs, settings, by=choice.by, at_once=True) as made:
        if made.stands is not None:
            _crown(context, choice)
            return made.stands
        if choice.export is None:
            return made.commit(
                content_digest({"reasons": choice.reasons}), state="skipped", reason="; ".join(choice.reasons),
                timings={"release": time.perf_counter() - began},
                extra={"verdict": choice.verdict, "reasons": choice.reasons},
            )  # fmt: skip
        _load_whole(context, choice.export)
        job = context.config.model_dump_json(by_alias=True, exclude={"state_from", "start"}).encode()
        (made.path / SETTINGS).write_bytes(job)
        export, exported = choice.export, ExportRecord.of(choice.export).checkpoint
        checkpoint = context.store.load(exported)
        if checkpoint is None or checkpoint.ref.experiment is None:
            raise CorruptArtifact(f"{context.root / exported}: no such checkpoint, of which {export.id} was made")
        experiment, trained = checkpoint.ref.experiment, checkpoint.ref.day
        digest = content_digest({
            "encoding": ENCODING, "export": ExportRecord.content(export), "settings": job,
            "contents": [[each.kind, each.digest] for each in (source.manifest for source in sources)],
        })  # fmt: skip
        release_id = f"{day}-{experiment}-{trained}-{digest[:8]}"
        artifact = made.commit(
            digest, timings={"release": time.perf_counter() - began},
            extra=ReleaseRecord(
                release_id=release_id, experiment=experiment, checkpoint=checkpoint.id,
                checkpoint_day=trained, age_days=day - trained, export=export.id,
                by=choice.by, verdict=choice.verdict, reasons=choice.reasons, champion=choice.change,
            ).written(),
        )  # fmt: skip
    _crown(context, choice)
    return artifact


def _load_whole(context: JobContext, export: Artifact) -> None:
    """Check an export again, loaded from its files alone, if its check has read its variables only."""
    check = context.store.current(replace(export.ref, kind=CHECK))
    if check is not None and not CheckRecord.of(check).loaded_whole:
        # Only now: under Airflow every check is of that kind, and its modules take longer to import than the rest.
        from pipeline.release.check.check import load_whole

        load_whole(context, export)


def payload(context: JobContext, artifact_id: str) -> Payload:
    """A release's payload, derived from its artefact; raises ``CorruptArtifact`` if that is not on disk."""
    artifact = context.store.load(artifact_id)
    if artifact is None or artifact.manifest.state != "done":
        raise CorruptArtifact(f"{context.root / artifact_id}: no such release; run the stage `release` of its day")
    said = ReleaseRecord.of(artifact)
    export = context.store.load(said.export)
    release = Release(
        release_id=said.release_id, artifact=artifact.id, day=artifact.ref.day, experiment=said.experiment,
        checkpoint=said.checkpoint, export=ExportRecord.content(export) if export is not None else "",
    )  # fmt: skip
    kept = artifact.file(SETTINGS).read_bytes()
    config = JobConfig.model_validate_json(kept)
    checkpoint = context.store.load(said.checkpoint)
    sizes = CheckpointRecord.of(checkpoint).sizes if checkpoint is not None else {}
    model = export.file("model") if export is not None and not export.manifest.pruned else None
    return Payload(release, model, lambda: contents(context, config, artifact.ref.day, sizes, json.loads(kept)))


def publisher(context: JobContext) -> Publisher:
    """The job's publisher, with its Redis and its object store."""
    settings = context.config.release
    return Publisher(
        context.job, ReleaseFiles.of(context.root, context.job),
        generations(context), models(context),
        lambda artifact_id: payload(context, artifact_id),
        grace_seconds=settings.grace_seconds, keep_models=settings.keep_models,
    )  # fmt: skip


def generations(context: JobContext) -> Generations:
    """The job's releases in Redis."""
    settings = context.config.release
    keys = Keys(settings.namespace, context.job)
    return Generations(connect(context.root), keys, settings.push_fields_per_second)


def models(context: JobContext) -> Models:
    """The job's models in the object store."""
    return Models(open_objects(Path(context.root)), context.job)


def _promoted_and_stands(current: Artifact, sources: list[Artifact]) -> bool:
    """Whether the day was released by hand, from contents that are still the day's: a repeated run leaves it."""
    made_from = {each.id for each in current.manifest.inputs}
    return _decided_by(current) == "promote" and all(each.id in made_from for each in sources)


def _decided_by(release: Artifact) -> str | None:
    """What decided a release; ``None`` for one without a model."""
    return ReleaseRecord.of(release).by if release.manifest.state == "done" else None


def _crown(context: JobContext, choice: Choice) -> None:
    if choice.champion is not None and choice.export is not None:
        ReleaseFiles.of(context.root, context.job).add_champion(choice.champion)


def newest_day(context: JobContext) -> Day:
    """The newest day that was built and not skipped; raises ``DayspringError`` if there is none."""
    for day in reversed(context.store.days(FEATURES, context.job)):
        if context.skipped(day) is None:
            return day
    raise DayspringError(
        f"job '{context.job}' has no finished day under {context.root}; "
        f"run `python -m pipeline run --job {context.job} --day D` first"
    )


def build_release(context: JobContext, day: Day) -> Artifact:
    """Build the release of ``day``; its state is ``skipped`` where nothing may be released.

    Raises:
        ChainError: the champion has not finished the day.
    """
    release = build(context, day)
    if _decided_by(release) == "passed":
        said = ReleaseRecord.of(release)
        print(f"{day}: {said.release_id} is built, of the gate '{said.verdict}': {'; '.join(said.reasons or [])}",
              file=sys.stderr)  # fmt: skip
    return release
