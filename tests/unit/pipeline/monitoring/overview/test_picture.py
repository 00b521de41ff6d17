from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.school_year import JOB
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.monitoring.failures import noted
from pipeline.monitoring.overview.picture import Overview
from pipeline.release.publish.pointer import Championship, Hold, Pointer, ReleaseFiles
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training.chain import Chain
from tests.tiny import PROJECT

FIRST = Day.of(2024, 1, 1)
SKIPPED = 39
LAST = 44
ONE, TWO = "experiment_1", "experiment_2"


def settings() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / "conf" / f"{JOB}.yaml").read_text(encoding="utf-8"))
    one = next(iter(found["experiments"].values()))
    found["experiments"] = {TWO: one, ONE: one}
    found["release"]["champion"] = ONE
    return found


@pytest.fixture(autouse=True)
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / f"{JOB}.yaml").write_text(yaml.safe_dump(settings(), sort_keys=False), encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_CONF", str(folder))
    return folder


def drawn(root: Path) -> dict[str, Any]:
    picture = Overview(root).picture(JOB)
    json.dumps(picture, allow_nan=False)
    return picture


def experiment(picture: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in picture["experiments"] if each["name"] == name)
    return dict(found)


def pointer(root: Path, *, previous: str | None) -> Pointer:
    release = ArtifactStore(root).current(Ref("release", JOB, FIRST.plus(LAST)))
    assert release is not None
    extra = release.manifest.extra
    return Pointer(extra["release_id"], JOB, FIRST.plus(LAST), ONE, extra["checkpoint"], 2024021401, {}, previous)


def test_the_calendar_of_an_undisturbed_chain(written: Path) -> None:
    picture = drawn(written)
    assert (picture["first"], picture["last"], picture["count"]) == ("2024-01-01", "2024-02-14", 45)
    assert [each["name"] for each in picture["experiments"]] == [TWO, ONE]
    one = experiment(picture, ONE)
    assert one["states"] == "t" * SKIPPED + "s" + "t" * (LAST - SKIPPED)
    assert one["champion"]
    assert not one["removed"]
    assert one["parents"][SKIPPED + 1] == str(FIRST.plus(SKIPPED - 1))
    assert picture["skips"] == {str(SKIPPED): "no rows in any required table, after the deadline"}
    assert picture["damaged"] == []
    assert picture["problem"] is None


def test_its_letters_are_the_chains_states(root: Path) -> None:
    store = ArtifactStore(root)
    store.taint(Ref("features", JOB, FIRST.plus(20)), "half of the log was missing")
    with store.draft(Ref("checkpoint", JOB, FIRST.plus(30), ONE)) as draft:
        draft.commit(key="", digest="", inputs=[], state="skipped", reason="by hand")
    picture = drawn(root)
    letters = {"t": "trained", "s": "skipped", "x": "tainted", "m": "missing"}
    for name in (ONE, TWO):
        chain = Chain(store, JOB, name, None)
        states = chain.states(FIRST, FIRST.plus(LAST)).values()
        shown = experiment(picture, name)
        assert [letters[each] for each in shown["states"]] == list(states)
        assert shown["tainted"] == sum(state == "tainted" for state in states) > 0
        tainted = dict(chain.tainted())
        assert shown["why"] == {str(day - FIRST): reason for day, reason in tainted.items()}
        assert shown["rechain"] == chain.rechain(sorted(tainted))


def test_a_failed_day_is_told_from_one_that_was_never_run(root: Path) -> None:
    for kind in ("checkpoint", "test"):
        for number in (LAST - 1, LAST):
            for path in (root / kind / JOB / TWO / f"day={FIRST.plus(number)}").glob("*"):
                if path.name == "current":
                    path.unlink()
                else:
                    (path / "manifest.json").unlink()
                    path.rmdir()
            (root / kind / JOB / TWO / f"day={FIRST.plus(number)}").rmdir()
    with pytest.raises(DataError), noted(root, JOB, FIRST.plus(LAST - 1), "experiment", TWO):
        raise DataError("the loss is not finite")
    with pytest.raises(DataError), noted(root, JOB, FIRST.plus(LAST + 1), "extract"):
        raise DataError("the source is away")
    with pytest.raises(DataError), noted(root, JOB, FIRST.plus(3), "experiment", ONE):
        raise DataError("trained since")
    picture = drawn(root)
    assert picture["count"] == LAST + 2, "a day of which there is nothing but its failure"
    assert experiment(picture, TWO)["states"][-3:] == "mmm"
    assert experiment(picture, ONE)["states"][-3:] == "ttm"
    assert set(picture["failures"][TWO]) == {str(LAST - 1), str(LAST + 1)}
    assert picture["failures"][TWO][str(LAST - 1)]["message"] == "the loss is not finite"
    assert set(picture["failures"][ONE]) == {str(LAST + 1)}
    assert [each["message"] for each in picture["failed_stages"]] == ["the source is away"]


def test_measures_by_experiment_and_group(written: Path) -> None:
    measures = drawn(written)["measures"]
    test = ArtifactStore(written).current(Ref("test", JOB, FIRST.plus(7), ONE))
    assert test is not None
    extra = test.manifest.extra
    assert measures["primary"] == "composite"
    assert measures["names"][:3] == ["requests", "covered", "hit_1"]
    assert (measures["lower_is_better"], measures["best_near_1"]) == (["log_loss"], [])
    assert measures["values"][ONE]["composite"][7] == pytest.approx(extra["values"]["composite"], rel=1e-4)
    assert measures["values"][ONE]["composite"][0] is None, "the first day has no checkpoint before it"
    assert measures["values"][ONE]["composite"][SKIPPED] is None
    assert [each["name"] for each in measures["groups"]] == ["new teachers", "new classes", "all others"]
    found = measures["groups"][1]["values"][ONE]["hit_3"][7]
    assert found == pytest.approx(extra["groups"]["new_owner"]["hit_3"], rel=1e-4)


def test_volumes_stand_beside_the_median_of_the_same_weekday(written: Path) -> None:
    store, picture = ArtifactStore(written), drawn(written)
    (clicks,) = (each for each in picture["volumes"] if each["table"] == "clicks")

    def rows(number: int) -> int:
        artifact = store.current(Ref("validated", JOB, FIRST.plus(number)))
        assert artifact is not None
        return int(artifact.manifest.extra["counts"]["clicks"]["read"])

    assert clicks["rows"][30] == rows(30)
    assert clicks["rows"][SKIPPED] is None
    assert clicks["usual"][30] == statistics.median(rows(each) for each in (23, 16, 9, 2))
    assert clicks["usual"][3] is None
    assert {each["table"] for each in picture["volumes"]} <= {
        name for name, table in settings()["tables"].items() if "day" in table
    }


def test_growth_of_the_id_maps(written: Path) -> None:
    (teacher,) = (each for each in drawn(written)["growth"] if each["space"] == "teacher")
    newest = ArtifactStore(written).current(Ref("maps", JOB, FIRST.plus(LAST)))
    assert newest is not None
    extra = newest.manifest.extra
    assert teacher["sizes"][LAST] == extra["sizes"]["teacher"]
    assert teacher["sizes"][SKIPPED] is None
    assert teacher["new"] == extra["sizes"]["teacher"] - extra["sizes_before"]["teacher"]


def test_verdicts_of_the_newest_day(root: Path) -> None:
    ref = Ref("gate", JOB, FIRST.plus(LAST), TWO)
    with ArtifactStore(root).draft(ref) as draft:
        draft.commit(key="", digest="", inputs=[], extra={"verdict": "block", "reasons": ["auc 0.4 is below 0.5"],
                     "checkpoint": None, "incumbent": None})  # fmt: skip
    verdicts = drawn(root)["verdicts"]
    assert verdicts["day"] == str(FIRST.plus(LAST))
    two, one = verdicts["experiments"]
    assert (two["name"], two["verdict"], two["reasons"]) == (TWO, "block", ["auc 0.4 is below 0.5"])
    assert (one["verdict"], one["checkpoint"], one["check"]) == ("promote", str(FIRST.plus(LAST - 1)), "ok")


def test_releases_with_what_is_served_and_a_command_to_roll_back(root: Path) -> None:
    files = ReleaseFiles.of(root, JOB)
    earlier = ArtifactStore(root).current(Ref("release", JOB, FIRST.plus(LAST - 1)))
    assert earlier is not None
    files.set_served(pointer(root, previous=earlier.manifest.extra["release_id"]))
    files.add_champion(Championship(ONE, FIRST.plus(4), "promote"))
    releases = drawn(root)["releases"]
    assert releases["served"]["experiment"] == ONE
    assert releases["served"]["age_days"] == 1
    assert releases["rollback"] == f"python -m pipeline rollback --job {JOB}"
    assert releases["hold"] is None
    assert releases["release_hold"] is None
    assert releases["champions"] == [{"day": str(FIRST.plus(4)), "experiment": ONE, "by": "promote"}]
    assert releases["history"][0]["release_id"] == releases["served"]["release_id"]
    assert releases["history"][0]["status"] == "published"
    assert releases["trained"][ONE][-1] == LAST - 1, "the released checkpoint is of the day before"
    assert releases["published"][-1] == LAST
    assert SKIPPED not in releases["published"]


def test_a_rollback_that_holds(root: Path) -> None:
    files = ReleaseFiles.of(root, JOB)
    served = pointer(root, previous=None)
    files.set_served(served)
    files.set_hold(Hold(left=served.release_id, restored="before", reason="by hand", done=True))
    releases = drawn(root)["releases"]
    assert releases["hold"] == {"left": served.release_id, "reason": "by hand"}
    assert releases["release_hold"] == f"python -m pipeline rollback --job {JOB} --release-hold"
    assert releases["rollback"] is None, "nothing was served before"
    assert releases["history"][0]["rolled_back"]


def test_damaged_records_beside_the_artefacts_are_named_too(root: Path) -> None:
    (root / "releases" / JOB).mkdir(parents=True)
    (root / "releases" / JOB / "served.json").write_text("{", encoding="utf-8")
    (root / "checkpoint" / JOB / ONE / "chain.json").write_text("{", encoding="utf-8")
    picture = drawn(root)
    assert {each["path"] for each in picture["damaged"]} == {
        f"releases/{JOB}/served.json", f"checkpoint/{JOB}/{ONE}/chain.json",
    }  # fmt: skip
    assert picture["releases"]["served"] is None
    assert "t" in experiment(picture, ONE)["states"]


def test_a_yaml_that_cannot_be_read_hides_nothing(written: Path, conf: Path) -> None:
    (conf / f"{JOB}.yaml").write_text("job: [", encoding="utf-8")
    picture = drawn(written)
    assert f"{JOB}.yaml" in picture["problem"]
    assert [each["name"] for each in picture["experiments"]] == [ONE, TWO]
    assert not any(each["removed"] for each in picture["experiments"])
    assert "composite" in picture["measures"]["names"]
    (conf / f"{JOB}.yaml").unlink()
    assert "no such file" in drawn(written)["problem"]


def test_an_experiment_that_left_the_yaml_stays(written: Path, conf: Path) -> None:
    changed = settings()
    del changed["experiments"][TWO]
    (conf / f"{JOB}.yaml").write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    picture = drawn(written)
    assert [(each["name"], each["removed"]) for each in picture["experiments"]] == [(ONE, False), (TWO, True)]
    assert "composite" in picture["measures"]["values"][TWO]


def test_a_changed_yaml_is_seen_without_a_restart(root: Path, conf: Path) -> None:
    overview = Overview(root)
    assert [each["name"] for each in overview.picture(JOB)["experiments"]] == [TWO, ONE]
    changed = settings()
    changed["experiments"]["added"] = changed["experiments"][ONE]
    (conf / f"{JOB}.yaml").write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    added = experiment(overview.picture(JOB), "added")
    assert added["states"] == "." * 45
    assert added["start"] is None


def test_an_empty_root(tmp_path: Path) -> None:
    root = tmp_path / "nothing"
    picture = drawn(root)
    assert (picture["count"], picture["trained"], picture["first"]) == (0, False, None)
    assert picture["releases"]["served"] is None
    assert not root.exists(), "looking must not make anything"


def test_jobs_of_the_settings_and_of_the_store(root: Path) -> None:
    assert Overview(root).jobs(["ads"]) == ["ads", JOB]
    (root / "reports" / JOB).mkdir(parents=True)
    for name in ("2024-01-03.html", "measures.csv", "2024-01-04.html.tmp"):
        (root / "reports" / JOB / name).write_text("", encoding="utf-8")
    assert drawn(root)["reports"] == ["2024-01-03"]


def test_changed_columns_and_wild_values_of_the_newest_days(root: Path) -> None:
    store = ArtifactStore(root)

    def amend(ref: Ref, extra: dict[str, Any]) -> None:
        artifact = store.current(ref)
        assert artifact is not None
        with store.draft(ref) as draft:
            draft.commit(key=f"{extra}", digest="", inputs=[], rows=artifact.manifest.rows,
                         extra={**artifact.manifest.extra, **extra})  # fmt: skip

    assert drawn(root)["columns"] == {"day": str(FIRST.plus(LAST)), "standing": [], "changes": []}
    for day in (LAST - 1, LAST):
        gone = day == LAST
        counts = {"read": 90, "quarantined": 0, "kept": 90, "missing": {"tag": 90 * gone},
                  "missing_columns": ["tag"] * gone}  # fmt: skip
        amend(Ref("validated", JOB, FIRST.plus(day)), {"counts": {"clicks": counts}})
    wild = {"mastery": {"wild": 1, "known": 90, "furthest": 3.4e38, "anew": False}}
    amend(Ref("checkpoint", JOB, FIRST.plus(LAST), ONE), {"wild_values": wild})
    last = FIRST.plus(LAST)
    expected = {
        "day": str(last),
        "standing": [f"clicks: no value since {last} in tag"],
        "changes": [{
            "day": str(last),
            "texts": [
                "clicks: the source no longer has tag", "wild values bounded: mastery 1 of 90 (as far as 3.4e+38)",
            ],
        }],
    }  # fmt: skip
    assert drawn(root)["columns"] == expected
    # Again from what the first look left for the next process.
    assert drawn(root)["columns"] == expected
