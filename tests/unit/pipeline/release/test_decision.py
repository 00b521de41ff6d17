from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.release import decision
from pipeline.release.build import build
from pipeline.release.decision import champion_of, choose, promoted
from pipeline.release.pointer import Championship, Hold, ReleaseFiles
from tests.unit.pipeline.release.days import FIRST, commit, context, judge, run, share, train

SECOND, THIRD, FOURTH = FIRST.next(), FIRST.plus(2), FIRST.plus(3)


def _superior(monkeypatch: pytest.MonkeyPatch, *, on: object) -> None:
    monkeypatch.setattr(decision, "superior", lambda _, day, new, old: (day == on and (new, old) == ("b", "a"), "+0.1"))


@pytest.fixture(autouse=True)
def _nobody_superior(monkeypatch: pytest.MonkeyPatch) -> None:
    _superior(monkeypatch, on=None)


def test_on_the_first_day_nothing_was_tested_so_nothing_is_released(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    release = build(here, FIRST)
    assert release.manifest.state == "skipped"
    assert "none was tested" in release.manifest.reason


def test_the_checkpoint_that_was_tested_is_released_when_its_gate_passes(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND)
    release = build(here, SECOND)
    extra = release.manifest.extra
    assert (extra["experiment"], extra["checkpoint_day"], extra["age_days"], extra["by"]) == (
        "a",
        str(FIRST),
        1,
        "gate",
    )
    assert extra["release_id"].startswith("2024-03-02-a-2024-03-01-")
    assert build(here, SECOND).id == release.id


@pytest.mark.parametrize("verdict", ["keep", "inconclusive", "block"])
def test_otherwise_the_model_released_before_goes_on_with_the_new_days_contents(tmp_path: Path, verdict: str) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND)
    before = build(here, SECOND)
    run(here, THIRD, verdict)
    release = build(here, THIRD)
    extra = release.manifest.extra
    assert (extra["checkpoint_day"], extra["age_days"], extra["by"], extra["verdict"]) == (
        str(FIRST),
        2,
        "kept",
        verdict,
    )
    assert extra["export"] == before.manifest.extra["export"]
    assert extra["release_id"] != before.manifest.extra["release_id"]


def test_a_model_that_the_check_blocks_is_not_released(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND, check="block")
    build(here, SECOND)
    run(here, THIRD)
    extra = build(here, THIRD).manifest.extra
    assert (extra["checkpoint_day"], extra["by"]) == (str(FIRST), "kept")
    assert "the check blocks" in extra["reasons"][0]


def test_a_model_that_nobody_checked_is_not_released(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    checkpoint = here.chain("a").trained(FIRST)
    assert checkpoint is not None
    newer = commit(
        here, "export", FIRST, "a", digest=checkpoint.manifest.digest, checkpoint=checkpoint.id, again=True
    )
    share(here, SECOND)
    judge(here, SECOND, "a", "promote")
    train(here, SECOND, "a")
    release = build(here, SECOND)
    assert release.manifest.state == "skipped"
    assert f"stage check --job tiny --day {FIRST}" in release.manifest.reason
    assert newer.generation == 2


def test_without_the_champions_day_it_fails_and_says_what_to_run(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    share(here, SECOND)
    train(here, SECOND, "b")
    with pytest.raises(ChainError, match=r"champion 'a' has no checkpoint.*--experiment a"):
        choose(here, SECOND)


def test_immediate_releases_what_was_just_trained(tmp_path: Path) -> None:
    here = context(tmp_path, mode="immediate")
    run(here, FIRST, None)
    assert build(here, FIRST).manifest.extra["checkpoint_day"] == str(FIRST)
    run(here, SECOND)
    extra = build(here, SECOND).manifest.extra
    assert (extra["checkpoint_day"], extra["age_days"], extra["by"]) == (str(SECOND), 0, "immediate")


@pytest.mark.parametrize("verdict", ["keep", "block"])
def test_immediate_goes_back_when_the_next_days_test_fails(tmp_path: Path, verdict: str) -> None:
    here = context(tmp_path, mode="immediate")
    for day in (FIRST, SECOND):
        run(here, day, None if day == FIRST else "promote")
        build(here, day)
    run(here, THIRD, verdict)  # on what SECOND released
    extra = build(here, THIRD).manifest.extra
    assert (extra["checkpoint_day"], extra["by"]) == (str(FIRST), "restored")
    assert "failed on its next day" in extra["reasons"][0]
    run(here, FOURTH, "promote")
    assert build(here, FOURTH).manifest.extra["checkpoint_day"] == str(FOURTH)


def _doubt(here: JobContext, day: Day, experiment: str) -> None:
    """The gate of the day did not believe a rise."""
    tested = here.store.latest_before("checkpoint", here.job, day, experiment)
    assert tested is not None
    commit(here, "gate", day, experiment, verdict="inconclusive", reasons=["too good"], checkpoint=tested.id,
           incumbent=None, rise="too good")  # fmt: skip


@pytest.mark.parametrize("mode", ["after_next_day_test", "immediate"])
def test_a_rise_that_is_not_believed_leaves_what_is_served(tmp_path: Path, mode: str) -> None:
    here = context(tmp_path, mode=mode)
    for day in (FIRST, SECOND):
        run(here, day, None if day == FIRST else "promote")
        before = build(here, day)
    run(here, THIRD)
    _doubt(here, THIRD, "a")
    extra = build(here, THIRD).manifest.extra
    assert (extra["checkpoint"], extra["by"], extra["verdict"]) == (
        before.manifest.extra["checkpoint"], "kept", "inconclusive",
    )  # fmt: skip
    choice = promoted(here, "a", THIRD)
    assert (choice.by, choice.reasons) == ("promote", ["promoted by hand"])


def test_nobody_takes_over_on_a_day_that_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND)
    build(here, SECOND)
    share(here, THIRD)
    for name in ("a", "b"):
        judge(here, THIRD, name, "promote")
        train(here, THIRD, name)
    _doubt(here, THIRD, "a")
    _superior(monkeypatch, on=THIRD)
    extra = build(here, THIRD).manifest.extra
    assert (extra["experiment"], extra["by"]) == ("a", "kept")


def test_a_superior_challenger_takes_over_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    share(here, SECOND)
    for name in ("a", "b"):
        judge(here, SECOND, name, "promote")
        train(here, SECOND, name)
    _superior(monkeypatch, on=SECOND)
    release = build(here, SECOND)
    assert release.manifest.extra["experiment"] == "b"
    assert "'b' is superior to 'a'" in release.manifest.extra["reasons"][0]
    assert champion_of(here, SECOND) == "a"  # so that a repeated run decides alike
    assert build(here, SECOND).id == release.id
    assert champion_of(here, THIRD) == "b"


def test_a_superior_challenger_that_cannot_be_released_is_not_crowned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(tmp_path)
    share(here, FIRST)
    train(here, FIRST, "a")
    train(here, FIRST, "b", check="block")
    share(here, SECOND)
    for name in ("a", "b"):
        judge(here, SECOND, name, "promote")
        train(here, SECOND, name)
    _superior(monkeypatch, on=SECOND)
    assert build(here, SECOND).manifest.extra["experiment"] == "a"
    assert champion_of(here, THIRD) == "a"


def test_promotion_by_hand_counts_from_its_own_day(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND)
    ReleaseFiles.of(tmp_path, "tiny").add_champion(Championship("b", SECOND, "promote"))
    assert [champion_of(here, day) for day in (FIRST, SECOND, THIRD)] == ["a", "b", "b"]
    ReleaseFiles.of(tmp_path, "tiny").add_champion(Championship("a", SECOND, "promote"))
    assert champion_of(here, SECOND) == "a"


def test_a_promotion_passes_over_the_gate_but_not_over_the_check(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND, "block", check="block")
    choice = promoted(here, "b", SECOND)  # its gate says keep
    assert choice.export is not None
    release = build(here, SECOND, choice)
    assert (release.manifest.extra["experiment"], release.manifest.extra["by"]) == ("b", "promote")
    assert build(here, SECOND).id == release.id  # a repeated run leaves what was promoted
    trained = here.chain("b").trained(SECOND)
    assert trained is not None
    assert "the check blocks" in promoted(here, "b", SECOND, trained.id).reasons[0]


def test_what_was_rolled_back_is_not_what_a_gate_keeps(tmp_path: Path) -> None:
    here = context(tmp_path)
    releases = []
    for day in (FIRST, SECOND, THIRD):
        run(here, day, None if day == FIRST else "promote")
        releases.append(build(here, day))
    files = ReleaseFiles.of(tmp_path, "tiny")
    files.set_hold(Hold(releases[2].manifest.extra["release_id"], releases[1].manifest.extra["release_id"], "bad"))
    run(here, FOURTH, "keep")
    assert build(here, FOURTH).manifest.extra["checkpoint"] == releases[1].manifest.extra["checkpoint"]
    files.trust(releases[2].manifest.extra["release_id"])
    assert choose(here, FOURTH).export is not None
    assert build(here, FOURTH).manifest.extra["checkpoint"] == releases[2].manifest.extra["checkpoint"]
