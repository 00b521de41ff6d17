from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import NotYet
from pipeline.evaluation import superiority
from pipeline.job import JobContext
from pipeline.release.build import build, build_release
from pipeline.release.decision import champion_now, champion_of, choose, promoted
from pipeline.release.prune import prune
from pipeline.release.publish.release_files import Championship, Hold, Pointer, Published, ReleaseFiles
from pipeline.stages.line import new_champion
from pipeline.training.chain import Chain
from tests.unit.pipeline.release.days import FIRST, commit, context, judge, run, share, train

SECOND, THIRD, FOURTH = FIRST.next(), FIRST.plus(2), FIRST.plus(3)


def _superior(monkeypatch: pytest.MonkeyPatch, *, on: object) -> None:
    def told(_: object, day: Day, new: str, old: str) -> superiority.Comparison:
        return superiority.Comparison(day == on and (new, old) == ("b", "a"), 0.05, "auc +0.1 [+0.05, +0.15]")

    monkeypatch.setattr(superiority, "superior", told)


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
    said = (extra["experiment"], extra["checkpoint_day"], extra["age_days"], extra["by"])
    assert said == ("a", str(FIRST), 1, "gate")
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
    said = (extra["checkpoint_day"], extra["age_days"], extra["by"], extra["verdict"])
    assert said == (str(FIRST), 2, "kept", verdict)
    assert extra["export"] == before.manifest.extra["export"]
    assert extra["release_id"] != before.manifest.extra["release_id"]


def test_a_model_whose_experiment_has_left_the_settings_goes_on_day_after_day(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND)
    assert build(here, SECOND).manifest.extra["experiment"] == "a"
    experiments = {"b": here.config.experiments["b"]}
    config = here.config.model_copy(
        update={"experiments": experiments, "release": here.config.release.model_copy(update={"champion": "b"})}
    )
    left = JobContext(config, tmp_path)
    for day in (THIRD, FOURTH):
        run(left, day, "keep")
        assert (build(left, day).manifest.extra["experiment"], build(left, day).manifest.state) == ("a", "done")


@pytest.mark.parametrize("change", [{"source": "row.ad"}, None])
def test_a_model_of_features_that_are_made_otherwise_now_does_not_get_the_new_days_contents(
    tmp_path: Path, change: dict[str, str] | None
) -> None:
    """A service would give it what it does not know, or miss what it needs: what is served stays whole."""
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND)
    assert build(here, SECOND).manifest.state == "done"
    run(here, THIRD, "keep")
    features = dict(here.config.features)
    user = features.pop("user")
    if change is not None:
        features["user"] = user.model_copy(update=change)
    changed = JobContext(here.config.model_copy(update={"features": features}), tmp_path)
    release = build(changed, THIRD)
    assert release.manifest.state == "skipped"
    assert "reads user, which the settings make otherwise now or no more" in release.manifest.reason


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
    checkpoint = Chain.of(here, "a").trained(FIRST)
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
    with pytest.raises(NotYet, match=r"champion 'a' has no checkpoint.*--experiment a") as raised:
        choose(here, SECOND)
    assert raised.value.exit_code == 1, "tried again: the champion's task may have been cleared with the release's"


def test_immediate_releases_what_was_just_trained(tmp_path: Path) -> None:
    here = context(tmp_path, mode="immediate")
    run(here, FIRST, None)
    assert build(here, FIRST).manifest.extra["checkpoint_day"] == str(FIRST)
    run(here, SECOND)
    extra = build(here, SECOND).manifest.extra
    assert (extra["checkpoint_day"], extra["age_days"], extra["by"]) == (str(SECOND), 0, "immediate")


def test_immediate_does_not_wait_for_a_superior_experiment_that_has_not_trained_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(tmp_path, mode="immediate")
    run(here, FIRST, None)
    share(here, SECOND)
    for name in ("a", "b"):
        judge(here, SECOND, name, "promote")
    train(here, SECOND, "a")
    _superior(monkeypatch, on=SECOND)
    choice = choose(here, SECOND)
    assert (choice.by, choice.champion) == ("immediate", None)
    assert choice.export is not None
    assert choice.export.ref.experiment == "a"


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


def _both(here: JobContext, day: Day, names: Sequence[str] = ("a", "b")) -> None:
    """A whole day of experiments, whose gates let all pass."""
    share(here, day)
    for name in names:
        judge(here, day, name, "promote")
        train(here, day, name)


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
    said = (extra["checkpoint"], extra["by"], extra["verdict"])
    assert said == (before.manifest.extra["checkpoint"], "kept", "inconclusive")
    choice = promoted(here, "a", THIRD)
    assert (choice.by, choice.reasons) == ("promote", ["promoted by hand"])


def test_nobody_takes_over_on_a_day_that_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND)
    build(here, SECOND)
    _both(here, THIRD)
    _doubt(here, THIRD, "a")
    _superior(monkeypatch, on=THIRD)
    extra = build(here, THIRD).manifest.extra
    assert (extra["experiment"], extra["by"]) == ("a", "kept")


def test_a_superior_challenger_takes_over_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    _both(here, SECOND)
    _superior(monkeypatch, on=SECOND)
    release = build(here, SECOND)
    assert release.manifest.extra["experiment"] == "b"
    assert "'b' is superior to 'a'" in release.manifest.extra["reasons"][0]
    assert new_champion(release) == ["champion: a → b (auc +0.1 [+0.05, +0.15])"]
    assert champion_of(here, SECOND) == "a"  # so that a repeated run decides alike
    assert build(here, SECOND).id == release.id
    assert champion_of(here, THIRD) == "b"


@pytest.mark.parametrize(("blocked", "expected"), [("", "c"), ("c", "b")])
def test_of_several_that_beat_the_champion_the_one_that_surely_does_so_by_most_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked: str, expected: str
) -> None:
    """Whatever the order of the YAML; of those that can be released."""
    here = context(tmp_path)
    experiments = dict.fromkeys(("a", "b", "c", "d"), here.config.experiments["b"])
    here = JobContext(here.config.model_copy(update={"experiments": experiments}), tmp_path)
    lows = {"b": 0.01, "c": 0.03, "d": 0.02}
    found = {new: superiority.Comparison(new != "d", low, f"{new} by {low}") for new, low in lows.items()}
    monkeypatch.setattr(superiority, "superior", lambda _, day, new, old: found[new])
    for name in experiments:
        train(here, FIRST, name, check="block" if name == blocked else "ok")
    _both(here, SECOND, list(experiments))
    said = build(here, SECOND).manifest.extra
    assert (said["experiment"], said["champion"]) == (expected, f"a → {expected} ({expected} by {lows[expected]})")


def test_a_superior_challenger_that_cannot_be_released_is_not_crowned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(tmp_path)
    share(here, FIRST)
    train(here, FIRST, "a")
    train(here, FIRST, "b", check="block")
    _both(here, SECOND)
    _superior(monkeypatch, on=SECOND)
    assert build(here, SECOND).manifest.extra["experiment"] == "a"
    assert champion_of(here, THIRD) == "a"


def test_promotion_by_hand_counts_from_its_own_day(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    run(here, SECOND)
    ReleaseFiles.of(tmp_path, "tiny").add_champion(Championship("b", SECOND, "promote"))
    assert [champion_of(here, day) for day in (FIRST, SECOND, THIRD)] == ["a", "b", "b"]
    assert champion_now(here) == "b"
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
    trained = Chain.of(here, "b").trained(SECOND)
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


def _range(here: JobContext, verdicts: Sequence[str | None], *, check: Mapping[int, str] | None = None) -> list[Day]:
    """Days of a backfill of which only the last one is released: gates and exports, no releases between."""
    days = [FIRST.plus(number) for number in range(len(verdicts))]
    for number, verdict in enumerate(verdicts):
        run(here, days[number], verdict, check=(check or {}).get(number, "ok"))
    return days


@pytest.mark.parametrize("verdict", ["keep", "inconclusive", "block"])
@pytest.mark.parametrize("mode", ["after_next_day_test", "immediate"])
def test_of_a_range_whose_last_day_does_not_pass_the_newest_that_passed_is_released(
    tmp_path: Path, mode: str, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was: the release of a range looked for an earlier release, and there was none."""
    here = context(tmp_path, mode=mode)
    days = _range(here, [None, "promote", "promote", "keep", verdict])
    release = build(here, days[4])
    extra = release.manifest.extra
    if (mode, verdict) == ("immediate", "inconclusive"):  # which takes nothing back there
        assert (extra["by"], extra["checkpoint_day"]) == ("immediate", str(days[4]))
        return
    assert (extra["by"], extra["checkpoint_day"], release.ref.day) == ("passed", str(days[1]), days[4])
    assert extra["reasons"][0].endswith(f"day={days[1]}/gen=0001 is the newest that passed, on {days[2]}")
    assert build_release(here, days[4]) == release  # a range that is run again
    assert f"{days[4]}: {extra['release_id']} is built, of the gate '{verdict}': checkpoint/" in capsys.readouterr().err
    run(here, days[4].next(), "keep")
    assert build(here, days[4].next()).manifest.extra["checkpoint_day"] == str(days[1])  # and the night after it


def test_each_and_last_release_the_same_model_at_the_end(tmp_path: Path) -> None:
    for mode in ("after_next_day_test", "immediate"):
        for number, end in enumerate([("promote", "keep"), ("keep", "block"), ("promote", "inconclusive")]):
            found = []
            for each in (True, False):
                here = context(tmp_path / f"{mode}{number}{each}", mode=mode)
                verdicts = [None, "promote", *end]
                for place, verdict in enumerate(verdicts):
                    run(here, FIRST.plus(place), verdict)
                    if each:
                        build(here, FIRST.plus(place))
                found.append(build(here, FIRST.plus(3)).manifest.extra["checkpoint"])
            assert found[0] == found[1], (mode, end)


def test_where_nothing_passed_nothing_is_released(tmp_path: Path) -> None:
    here = context(tmp_path)
    days = _range(here, [None, "keep", "inconclusive", "block"])
    assert build(here, days[3]).manifest.state == "skipped"


def test_one_that_the_check_blocks_did_not_pass(tmp_path: Path) -> None:
    here = context(tmp_path)
    days = _range(here, [None, "promote", "promote", "keep"], check={1: "block"})
    assert build(here, days[3]).manifest.extra["checkpoint_day"] == str(days[0])


def test_one_that_passed_after_the_last_release_goes_before_it_and_one_before_it_does_not(tmp_path: Path) -> None:
    here = context(tmp_path)
    days = _range(here, [None, "promote", "promote"])
    before = build(here, days[2])
    later = [days[2].plus(number) for number in (1, 2)]
    run(here, later[0], "keep")
    run(here, later[1], "keep")
    assert build(here, later[1]).manifest.extra["checkpoint"] == before.manifest.extra["checkpoint"]
    run(here, later[1].next(), "promote")
    run(here, later[1].plus(2), "keep")
    extra = build(here, later[1].plus(2)).manifest.extra
    assert (extra["by"], extra["checkpoint_day"]) == ("passed", str(later[1]))


def test_what_led_up_to_a_rollback_does_not_come_back(tmp_path: Path) -> None:
    here, files = context(tmp_path), ReleaseFiles.of(tmp_path, "tiny")
    days = _range(here, [None, "promote"])
    good = build(here, days[1])
    for number in (2, 3, 4):
        run(here, FIRST.plus(number), "promote")
    bad = build(here, FIRST.plus(4)).manifest.extra
    pointer = Pointer(bad["release_id"], "tiny", FIRST.plus(4), "a", bad["checkpoint"], 1, {})
    files.set_published(Published(pointer, "", {}, {}))
    files.set_hold(Hold(bad["release_id"], good.manifest.extra["release_id"], "bad"))
    run(here, FIRST.plus(5), "keep")
    assert build(here, FIRST.plus(5)).manifest.extra["checkpoint"] == good.manifest.extra["checkpoint"]


def test_what_passed_is_kept_for_the_end_of_the_range(tmp_path: Path) -> None:
    here = context(tmp_path, keep_models=1, keep_checkpoints=1)
    for number, verdict in enumerate([None, "promote", *["keep"] * 6]):
        run(here, FIRST.plus(number), verdict)
        prune(here)
    extra = build(here, FIRST.plus(7)).manifest.extra
    assert (extra["by"], extra["checkpoint_day"]) == ("passed", str(FIRST))
