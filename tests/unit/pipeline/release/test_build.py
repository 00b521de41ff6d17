"""A release: the chosen model and the day's contents under one id, from committed artefacts alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ChainError, CorruptArtifact, DayspringError
from pipeline.job import JobContext
from pipeline.release.build import build, newest_day, payload
from pipeline.release.decision import choose
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.release.days import FIRST, commit, context, run

SECOND = FIRST.next()


@pytest.fixture
def job(tmp_path: Path) -> JobContext:
    """Two days; the gate of the second lets the first one's checkpoint pass."""
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND)
    return here


def test_its_id_tells_the_day_the_experiment_and_the_checkpoints_day(job: JobContext) -> None:
    found = build(job, SECOND)
    extra = found.manifest.extra
    assert extra["release_id"] == f"2024-03-02-a-2024-03-01-{found.manifest.digest[:8]}"
    assert {each.id.partition("/")[0] for each in found.manifest.inputs} >= {"state", "maps", "validated", "export"}
    assert set(found.manifest.files) == {"settings.json"}


def test_a_repeat_makes_nothing_and_other_contents_another_release(job: JobContext) -> None:
    first = build(job, SECOND)
    assert build(job, SECOND).id == first.id
    commit(job, "validated", SECOND, rows=7)
    second = build(job, SECOND)
    assert second.generation == first.generation + 1
    assert second.manifest.extra["release_id"] != first.manifest.extra["release_id"]


def test_without_the_days_contents_it_says_what_to_run(job: JobContext) -> None:
    job.store.withdraw(Ref("maps", job.job, SECOND))
    with pytest.raises(ChainError, match=r"2024-03-02: no maps of this day yet; run .*stage update_id_maps"):
        build(job, SECOND)


def test_without_the_checkpoint_of_the_export_it_says_which_is_lost(job: JobContext) -> None:
    choice = choose(job, SECOND)
    shutil.rmtree(job.root / f"checkpoint/{job.job}/a/day={FIRST}")
    with pytest.raises(CorruptArtifact, match=rf"day={FIRST}/gen=0001: no such checkpoint, of which export/"):
        build(job, SECOND, choice)


def checked(here: JobContext, **figures: Any) -> None:
    """The first day's export, which the second releases, with these figures of its check."""
    export = here.store.current(Ref("export", here.job, FIRST, "a"))
    assert export is not None
    commit(here, "check", FIRST, "a", verdict="ok", reasons=[], export=export.id, figures=figures)


def test_a_model_of_which_the_variables_alone_were_checked_is_loaded_whole_once(
    job: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr("pipeline.release.check.check.load_whole", lambda _, export: loaded.append(export.id))
    checked(job, loaded="variables")
    build(job, FIRST)  # nothing was tested, so it has no model
    assert loaded == []
    for _ in range(2):
        build(job, SECOND)
    assert loaded == [f"export/{job.job}/a/day={FIRST}/gen=0001"]


@pytest.mark.parametrize("figures", [{"loaded": "whole"}, {"rows": 40}])
def test_one_that_was_loaded_whole_is_not_loaded_again(
    job: JobContext, monkeypatch: pytest.MonkeyPatch, figures: dict[str, Any]
) -> None:
    """As every one was before there was another way."""
    monkeypatch.setattr("pipeline.release.check.check.load_whole", refused)
    checked(job, **figures)
    assert build(job, SECOND).manifest.state == "done"


def refused(*_: object) -> None:
    raise DayspringError("it scores otherwise")


def test_a_model_that_does_not_pass_loaded_whole_is_not_released(
    job: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.release.check.check.load_whole", refused)
    checked(job, loaded="variables")
    with pytest.raises(DayspringError, match="it scores otherwise"):
        build(job, SECOND)
    assert job.store.current(Ref("release", job.job, SECOND)) is None


def test_a_skipped_day_is_not_the_newest(job: JobContext) -> None:
    assert newest_day(job) == SECOND
    with job.store.draft(Ref("day", job.job, SECOND)) as draft:
        draft.commit(key="k", digest="d", inputs=[], state="skipped", reason="no rows")
    assert newest_day(job) == FIRST


def test_a_payload_is_of_the_settings_of_then(job: JobContext) -> None:
    release = build(job, SECOND)
    exported = job.store.current(Ref("export", job.job, FIRST, "a"))
    assert exported is not None
    job.store.prune(exported)  # its content is known all the same
    found = payload(job, release.id).release
    assert (found.release_id, found.day, found.experiment) == (release.manifest.extra["release_id"], SECOND, "a")
    assert (found.export, payload(job, release.id).model) == (exported.manifest.digest, None)


def test_what_is_no_release_has_no_payload(job: JobContext) -> None:
    with pytest.raises(CorruptArtifact, match="no such release; run the stage `release` of its day"):
        payload(job, f"release/tiny/day={FIRST}/gen=0001")
    # That of the first day has no model: nothing was tested.
    nothing = build(job, FIRST)
    assert nothing.manifest.state == "skipped"
    with pytest.raises(CorruptArtifact):
        payload(job, nothing.id)


def test_a_job_without_a_finished_day(tmp_path: Path) -> None:
    with pytest.raises(DayspringError, match="has no finished day"):
        newest_day(context(tmp_path))
