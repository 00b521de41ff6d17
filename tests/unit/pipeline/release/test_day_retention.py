"""Tables and arrays of days long past go, and none that something still needs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from models.architecture import TREE_COLUMNS
from pipeline.config.experiment import Experiment
from pipeline.config.last_year import Replay
from pipeline.config.retention import Retention
from pipeline.days import Day
from pipeline.features.state.state import FORMAT
from pipeline.job import JobContext
from pipeline.release import day_retention
from pipeline.release.day_retention import past_days
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.manifest import Manifest
from pipeline.training.chain import Chain
from tests.unit.pipeline.release.days import FIRST, commit, context, train

DAYS = list(FIRST.through(FIRST.plus(9)))
KEPT = Retention(extract_days=3, validated_days=5, feature_days=2)


def whole(here: JobContext, day: Day, *, features: bool = True, snapshot: Artifact | None = None) -> Artifact:
    """What all experiments share of a day, each made of the one before it; its extract."""
    extract = commit(here, "extract", day)
    read = [each.as_input() for each in (extract, snapshot) if each is not None]
    tables = [commit(here, "validated", day, inputs=read).as_input()]
    commit(here, "state", day, inputs=tables, format=FORMAT)
    maps = commit(here, "maps", day, inputs=tables)
    if features:
        commit(here, "features", day, inputs=[*tables, maps.as_input()])
    return extract


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """Ten days of two experiments, of which no release reads a day before its own."""
    monkeypatch.setattr(day_retention, "context_days", lambda history: 0)
    job = with_settings(context(tmp_path), retention=KEPT)
    for day in DAYS:
        whole(job, day)
        for name in ("a", "b"):
            train(job, day, name)
    return job


def with_settings(job: JobContext, **settings: Any) -> JobContext:
    return JobContext(job.config.model_copy(update=settings), job.root)


def gone(job: JobContext, *released: int) -> dict[str, list[int]]:
    """By kind the days that go, as places in the ten."""
    found: dict[str, list[int]] = {"extract": [], "validated": [], "features": []}
    for each in past_days(job, [DAYS[place] for place in released]):
        found[each.ref.kind].append(each.ref.day - FIRST)
    return found


def remake(job: JobContext, kind: str, place: int, **content: Any) -> Artifact:
    """Another generation of a day's artefact, made of nothing."""
    return commit(job, kind, DAYS[place], **content)


def test_each_kind_is_kept_for_its_own_days_back_from_the_newest(here: JobContext) -> None:
    assert gone(here) == {"extract": [*range(7)], "validated": [*range(5)], "features": [*range(8)]}
    everything = with_settings(here, retention=Retention(extract_days="all", validated_days="all", feature_days="all"))
    assert not any(gone(everything).values())


def test_nothing_that_the_defaults_name_goes_within_a_hundred_days(tmp_path: Path) -> None:
    job = context(tmp_path)
    for day in (FIRST, FIRST.plus(99)):
        whole(job, day)
    assert not any(gone(job).values())
    whole(job, FIRST.plus(100))
    assert gone(job) == {"extract": [0], "validated": [], "features": [0]}
    whole(job, FIRST.plus(400))
    # The release of the newest day reads the tables of a month before it; those of day 100 are 300 days old.
    assert gone(job) == {"extract": [0, 99, 100], "validated": [0], "features": [0, 99, 100]}


def test_without_a_built_day_nothing_goes(tmp_path: Path) -> None:
    job = with_settings(context(tmp_path), retention=KEPT)
    for day in DAYS:
        whole(job, day, features=False)
    assert list(past_days(job, [])) == []


def test_what_was_pruned_is_not_offered_again_but_what_a_killed_prune_left_is(here: JobContext) -> None:
    for each in past_days(here, []):
        payload = each.path / "payload"
        shutil.copy(payload, here.root / "left")
        here.store.prune(each)
        if each.ref == Ref("features", here.job, DAYS[3]):
            shutil.copy(here.root / "left", payload)
    assert gone(here) == {"extract": [], "validated": [], "features": [3]}


def test_days_that_an_experiment_is_still_to_be_trained_on_keep_tables_and_arrays(here: JobContext) -> None:
    late = here.config.experiments["a"].model_copy(update={"start": DAYS[2]})
    job = with_settings(here, experiments={**here.config.experiments, "late": late})
    assert gone(job) == {"extract": [*range(7)], "validated": [0, 1], "features": [0, 1]}
    for place in range(2, 6):
        train(job, DAYS[place], "late")
    assert gone(job) == {"extract": [*range(7)], "validated": [*range(5)], "features": [*range(6)]}


def test_a_re_chain_is_kept_its_days_from_its_nearest_kept_checkpoint_on(here: JobContext) -> None:
    here.store.taint(Ref("checkpoint", here.job, DAYS[4], "b"), "by hand")
    assert Chain.of(here, "b").resume(DAYS[4]) == DAYS[4]
    assert gone(here)["features"] == [0, 1, 2, 3]
    for place in (2, 3):
        checkpoint = here.store.current(Ref("checkpoint", here.job, DAYS[place], "b"))
        assert checkpoint is not None
        here.store.prune(checkpoint)
    assert gone(here) == {"extract": [*range(7)], "validated": [0, 1], "features": [0, 1]}


def test_the_days_that_trees_will_be_fitted_on_again_are_kept_however_many_were_skipped_between(
    here: JobContext,
) -> None:
    """Three at a fit: those of the last fit that are read again, not as many days back in the calendar."""
    settings = Experiment.model_validate({"model": "gbdt", "loss": "binary", "options": {"days": 3}})
    job = with_settings(here, experiments={**here.config.experiments, "trees": settings})
    built = {"model": "gbdt", "axes": {TREE_COLUMNS: [[["rate", 1]]]}}
    for place in (0, 2, 4, 9):
        commit(job, "checkpoint", DAYS[place], "trees", architecture=built)
    for place in sorted({*range(9)} - {0, 2, 4}):
        with job.store.draft(Ref("day", job.job, DAYS[place])) as draft:
            draft.commit(key="skipped", digest="skipped", inputs=[], state="skipped", reason="a holiday")
    assert gone(job) == {"extract": [*range(7)], "validated": [*range(4)], "features": [*range(4)]}


def test_days_of_an_experiment_that_has_left_the_yaml_are_not_waited_for(here: JobContext) -> None:
    here.store.taint(Ref("checkpoint", here.job, DAYS[4], "b"), "by hand")
    only = with_settings(here, experiments={"a": here.config.experiments["a"]})
    assert gone(only)["features"] == [*range(8)]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [("validated", {"extract", "validated", "features"}), ("state", {"validated"}), ("maps", {"validated", "features"}),
     ("features", {"validated"})],
)  # fmt: skip
def test_nothing_goes_before_what_is_made_of_it_stands(here: JobContext, kind: str, kept: set[str]) -> None:
    """The second day's artefact is of another content than what it should be made of."""
    remake(here, kind, 1, digest="another")
    assert {each for each, days in gone(here).items() if 1 not in days} == kept


def test_what_was_tainted_by_hand_stays_until_it_is_made_again(here: JobContext) -> None:
    here.store.taint(Ref("validated", here.job, DAYS[1]), "to be read again")
    assert gone(here) == {"extract": [0, 2, 3, 4, 5, 6], "validated": [0, 2, 3, 4], "features": [0, *range(2, 8)]}


def test_days_of_the_one_pass_have_no_arrays_and_go_once_they_are_mapped(tmp_path: Path) -> None:
    job = with_settings(context(tmp_path), retention=KEPT)
    for place in range(3):
        whole(job, DAYS[place], features=False)
    commit(job, "validated", DAYS[3])  # read, and not mapped yet
    whole(job, DAYS[9])
    assert gone(job)["validated"] == []  # the newest day's release reads a month of tables
    whole(job, DAYS[9].plus(40))
    assert gone(job) == {"extract": [0, 1, 2, 9], "validated": [0, 1, 2, 9], "features": [9]}


def test_the_days_that_a_release_is_derived_from_are_kept(here: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_retention, "context_days", lambda history: 1)
    assert gone(here, 3)["validated"] == [0, 1, 4]
    monkeypatch.setattr(day_retention, "context_days", lambda history: 6)
    assert gone(here)["validated"] == [0, 1, 2]


def test_tables_are_kept_for_as_long_as_their_rows_may_be_replayed(here: JobContext) -> None:
    nobody = {"new": here.config.experiments["a"]}
    job = with_settings(here, replay=Replay(match=("row.grade",)), experiments=nobody)
    assert gone(job) == {"extract": [*range(7)], "validated": [], "features": [*range(8)]}
    whole(job, FIRST.plus(5 + 366 + 6))  # five days, a leap year, the rest of a week
    assert gone(job)["validated"] == [0]


def test_tables_of_a_state_in_an_earlier_form_are_kept(here: JobContext) -> None:
    tables = here.store.current(Ref("validated", here.job, DAYS[1]))
    assert tables is not None
    commit(here, "state", DAYS[1], inputs=[tables.as_input()], format=FORMAT - 1)
    assert gone(here)["validated"] == [0, 2, 3, 4]


def test_days_whose_labels_are_awaited_keep_their_first_reading(
    here: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_retention, "due", lambda context: [DAYS[1]])
    monkeypatch.setattr(day_retention, "waiting", lambda context: {DAYS[4]: None})
    assert gone(here)["extract"] == [0, 2, 3, 5, 6]


def test_a_snapshot_that_a_younger_day_is_validated_with_is_kept(here: JobContext) -> None:
    snapshot = here.store.current(Ref("extract", here.job, DAYS[2]))
    whole(here, DAYS[8], snapshot=snapshot)
    assert gone(here)["extract"] == [0, 1, 3, 4, 5, 6]


def test_a_prune_that_is_killed_leaves_nothing_that_reads_as_whole(
    here: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, *_) = past_days(here, [])

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            here.store.prune(first)
    assert (first.path / "payload").exists()
    assert Manifest.read(first.path / "manifest.json").pruned
    assert first.ref.day - FIRST in gone(here)["extract"], "the next prune ends it"
