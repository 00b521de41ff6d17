"""The check of a day's exported models: in a clean process, against the trainer's scores and over all candidates."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.config.experiment import Release
from pipeline.days import Day
from pipeline.errors import DayspringError, NotYet
from pipeline.job import JobContext
from pipeline.release.check.checker import Checker
from pipeline.release.check.probe import day_items, probe
from pipeline.release.records import CheckRecord
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECK, EXPORT, STATE
from pipeline.storage.digests import content_digest
from pipeline.training.records import ExportRecord

PROBABILITY_TOLERANCE = 1e-6
LOGIT_TOLERANCE = 1e-5  # relative, to at least 1
SPREAD = (0.01, 100.0)
"""Scores over all candidates must vary at least and at most so many times what the trainer's golden scores do."""


def check_day(context: JobContext, day: Day) -> list[Artifact]:
    """The checks of every experiment that exported ``day``: verdict ``ok`` or ``block``, reasons and figures.

    Raises:
        NotYet: no experiment exported the day.
        DayspringError: the checking process died.
    """
    exports = {
        name: export
        for name in context.config.experiments
        if (export := context.store.current(Ref(EXPORT, context.job, day, name))) is not None
    }
    if not exports:
        raise NotYet(
            f"{day}: no experiment exported a model of this day; run "
            f"`python -m pipeline run --job {context.job} --day {day}`"
        )
    items = None
    done = []
    for name, export in exports.items():
        ref = Ref(CHECK, context.job, day, name)
        state = context.store.current(Ref(STATE, context.job, day))
        inputs = [export.as_input(), *([state.as_input()] if state is not None else [])]
        release = context.config.release
        settings = content_digest({"share": release.unknown_share_max, "spread": release.score_spread_min})
        with context.making(ref, inputs, settings, at_once=True) as made:
            if made.stands is not None:
                done.append(made.stands)
                continue
            if export.manifest.pruned:
                continue
            Checker.of(context).start()  # it imports TensorFlow meanwhile
            items = items or day_items(context, day)
            figures = _figures(context, name, export, *items)
            checkpoint = ExportRecord.of(export).checkpoint
            reasons = judged(figures, release, checkpoint)
            verdict: Literal["ok", "block"] = "block" if reasons else "ok"
            done.append(
                made.commit(
                    content_digest({"verdict": verdict, "export": export.manifest.digest}),
                    extra=CheckRecord(
                        verdict=verdict, reasons=reasons, figures=figures,
                        export=export.id, checkpoint=checkpoint,
                    ).written(),
                    timings={"check": made.seconds},
                )
            )  # fmt: skip
    return done


def load_whole(context: JobContext, export: Artifact) -> None:
    """Load an export from its files alone, as one that is about to be released, and compare its golden rows again.

    Raises:
        DayspringError: it cannot be called, or scores otherwise than its check has found.
    """
    ref = export.ref
    figures = _named(Checker.of(context).check({**_golden(export), "whole": True}))
    reasons = judged(figures, context.config.release, ExportRecord.of(export).checkpoint)
    if reasons:
        raise DayspringError(
            f"{export.path}: its check passed, but loaded whole {'; '.join(reasons)}. Nothing is released; delete the "
            f"folder, then `python -m pipeline backfill --job {ref.job} --from {ref.day} --to {ref.day} "
            f"--experiment {ref.experiment}`"
        )


def judged(figures: Mapping[str, Any], settings: Release, checkpoint: str) -> list[str]:
    """Why a model of ``checkpoint`` with these figures may not be released; empty if it may."""
    if "error" in figures:
        return [f"it cannot be loaded and called without the project: {figures['error']}"]
    reasons = []
    if figures["made_of"] != checkpoint:
        reasons.append(f"it says that it was made of {figures['made_of']}, not of {checkpoint}")
    if not figures["rows"]:
        reasons.append("it has no golden rows to compare with")
    for name, limit in (("probability", PROBABILITY_TOLERANCE), ("logit", LOGIT_TOLERANCE)):
        found = figures[f"{name}_difference"]
        if not found <= limit:
            reasons.append(f"its {name} differs from the trainer's by {found:.3g}, more than {limit:g}")
    for field, share in figures.get("unknown", {}).items():
        if share > settings.unknown_share_max:
            reasons.append(
                f"{share:.1%} of the ids of '{field}' over all candidates are unknown to it, "
                f"more than release.unknown_share_max = {settings.unknown_share_max:.1%}"
            )
    if "spread" in figures:
        least = max(settings.score_spread_min, SPREAD[0] * figures["trainer_spread"])
        most = max(settings.score_spread_min, SPREAD[1] * figures["trainer_spread"])
        if not least <= figures["spread"] <= most:
            reasons.append(
                f"its scores over all candidates vary by {figures['spread']:.3g}, outside {least:.3g} … {most:.3g} "
                f"(the trainer's golden scores vary by {figures['trainer_spread']:.3g}; see release.score_spread_min)"
            )
    return reasons


def _figures(
    context: JobContext, experiment: str, export: Artifact, items: Mapping[str, Any], count: int
) -> dict[str, Any]:
    job = _golden(export)
    with np.load(job["inputs"], allow_pickle=False) as rows, np.load(job["outputs"], allow_pickle=False) as outputs:
        found = probe(context, experiment, {**rows, "special": outputs["special"]}, items, count)
    checker = Checker.of(context)
    if found is None:
        return _named(checker.check(job))
    with tempfile.TemporaryDirectory(prefix="dayspring-probe-") as folder:
        path = Path(folder) / "candidates.npz"
        np.savez(path, **found.inputs)  # type: ignore[arg-type]
        return _named(
            checker.check({**job, "candidates": str(path), "fields": found.fields, "count": found.candidates})
        )


def _golden(export: Artifact) -> dict[str, Any]:
    """What the checking process is asked of an export by its golden rows."""
    files = {"model": "model", "inputs": "golden_inputs.npz", "outputs": "golden_outputs.npz"}
    return {asked: str(export.file(name).resolve()) for asked, name in files.items()}


def _named(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures as a manifest can hold them: JSON knows no infinity."""
    return {
        name: 1e308 if isinstance(value, float) and not np.isfinite(value) else value for name, value in figures.items()
    }


def check_exports(context: JobContext, day: Day) -> list[Artifact]:
    """Check every export of ``day``. A verdict is recorded, it fails nothing.

    Raises:
        NotYet: no experiment exported the day.
    """
    checks = check_day(context, day)
    for check in checks:
        said = CheckRecord.of(check)
        if said.verdict != "ok":
            reasons = "; ".join(said.reasons)
            print(f"{day} {check.ref.experiment}: the check blocks the release: {reasons}", file=sys.stderr)
    return checks
