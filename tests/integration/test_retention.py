"""What retention removes can be made again, to the same bits, when something needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.days import Day
from pipeline.features.records import FeaturesRecord
from pipeline.release import day_retention
from tests.tiny import FIRST, LAST, SECOND, Place, copy_of

EVERYTHING = ("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none")
ALL_KINDS = ("extract", "validated", "features")


def only_the_newest(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prune all days but the last two of the calendar, by the settings; no release reads a day before its own."""
    settings = place.settings("ads")
    settings["retention"] = {"extract_days": 2, "validated_days": 2, "feature_days": 2}
    settings["validation"] = {**settings.get("validation", {}), "repeated_days": 1}
    place.configure("ads", settings)
    monkeypatch.setattr(day_retention, "context_days", lambda history: 0)
    place.good("prune", "--job", "ads")


def made(place: Place) -> list[tuple[str, int]]:
    """Every artefact of the three days and its generation."""
    return [
        (f"{kind} {day}", place.artifact(kind, day).generation)
        for kind in (*ALL_KINDS, "maps", "state", "rows") for day in (FIRST, SECOND, LAST)
    ]  # fmt: skip


def test_pruned_arrays_and_checkpoints_are_made_again_for_a_re_chain(chain: Place, trained: Place) -> None:
    for day in (FIRST, SECOND, LAST):
        chain.store.prune(chain.artifact("features", day))
    for day in (FIRST, SECOND):
        chain.store.prune(chain.artifact("checkpoint", day, "din"))
    chain.good(*EVERYTHING)
    assert chain.artifact("features", FIRST).manifest.pruned, "nothing needed it"
    chain.good("taint", "--job", "ads", "--experiment", "din", "--day", LAST, "--reason", "to be trained again")
    chain.good("rechain", "--job", "ads", "--publish", "none")
    assert "tainted" not in chain.good("status", "--job", "ads").out
    for day in (FIRST, SECOND, LAST):
        assert chain.artifact("features", day).generation == 2
        assert chain.artifact("features", day).manifest.digest == trained.artifact("features", day).manifest.digest
    assert chain.good("compare-chains", chain.root, trained.root, "--job", "ads").out.startswith("equal: ")
    assert chain.good("audit", "--job", "ads").out.endswith("nothing damaged\n")


def test_days_whose_rows_are_pruned_stand_and_cost_nothing(
    chain: Place, trained: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = made(chain)
    only_the_newest(chain, monkeypatch)
    for kind in ALL_KINDS:
        assert [chain.artifact(kind, day).manifest.pruned for day in (FIRST, SECOND, LAST)] == [True, True, False]
    for day in (FIRST, SECOND):
        assert {path.name for path in chain.artifact("validated", day).path.iterdir()} == {"manifest.json"}
    chain.good(*EVERYTHING)
    assert made(chain) == before
    assert chain.good("prune", "--job", "ads").out.startswith("0 payloads pruned")
    assert chain.good("compare-chains", chain.root, trained.root, "--job", "ads").out.startswith("equal: ")
    assert chain.good("audit", "--job", "ads").out.endswith("nothing damaged\n")
    status = chain.good("status", "--job", "ads").out
    assert f"kept: extracts since {LAST}, validated tables since {LAST}, arrays since {LAST}; a chain" in status
    assert "cannot be trained" not in status


def test_who_needs_days_whose_rows_are_pruned_is_told_how_to_have_them_read_again(
    chain: Place, trained: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_the_newest(chain, monkeypatch)
    settings = chain.settings("ads")
    settings["experiments"]["late"] = {**settings["experiments"]["pooled"]}
    chain.configure("ads", settings)
    late: tuple[Any, ...] = ("backfill", "--job", "ads", "--experiment", "late", "--publish", "none", "--from", FIRST)
    ran = chain.run(*late, "--to", LAST)
    told = f"backfill --job ads --experiment late --from {FIRST} --to {SECOND} --reprocess`"
    assert ran.code == 1
    assert f"ads/late {FIRST}: cannot be trained: " in ran.err
    assert told in ran.err
    plan = chain.good("backfill", "--job", "ads", "--experiment", "late", "--from", FIRST, "--to", LAST, "--dry-run")
    assert f"{FIRST}  experiment late" in plan.out
    assert plan.out.count("cannot: their arrays and validated tables are pruned") == 2
    assert told in chain.good("status", "--job", "ads", "--experiment", "late").out

    chain.good(*late, "--to", SECOND, "--reprocess")
    chain.good(*late, "--to", LAST)
    assert "tainted" not in chain.good("status", "--job", "ads").out
    assert "cannot be trained" not in chain.good("status", "--job", "ads").out
    for kind in ALL_KINDS:  # read again, the source gives the same bits
        assert chain.artifact(kind, FIRST).manifest.digest == trained.artifact(kind, FIRST).manifest.digest


def test_a_day_is_never_built_again_without_the_rows_that_it_was_trained_with(lessons: Place, tmp_path: Path) -> None:
    place = copy_of(lessons, tmp_path / "lessons", root=True)
    features = place.artifact("features", LAST, job="homework")
    (past, *_) = FeaturesRecord.of(features).replayed
    again = ("stage", "build_features", "--job", "homework", "--day", LAST, "--reprocess")
    place.store.prune(features)
    place.good(*again)
    assert place.artifact("features", LAST, job="homework").manifest.digest == features.manifest.digest
    last_year = place.artifact("validated", Day.parse(past.removeprefix("replay-")), job="homework")
    place.store.prune(last_year)
    place.store.prune(place.artifact("rows", LAST, job="homework"))
    ran = place.run(*again)
    assert ran.code == 3
    assert f"the payload of {last_year.id} was pruned" in ran.message
    assert f"stage validate --job homework --day {last_year.ref.day} --reprocess" in ran.message
    assert place.artifact("features", LAST, job="homework").generation == 2


def test_a_setting_that_keeps_too_little_is_refused(place: Place) -> None:
    for retention, told in (
        ({"feature_days": 1}, "retention.feature_days"),
        ({"validated_days": 5}, "retention.validated_days"),
        ({"released": "some"}, "retention.released"),
    ):
        place.configure("ads", {**place.settings("ads"), "retention": retention})
        ran = place.run("status", "--job", "ads")
        assert (ran.code, told in ran.err) == (2, True)
