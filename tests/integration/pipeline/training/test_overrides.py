"""Epochs and learning rate given by hand: for that day only, recorded, and never without effect."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.tiny import LAST, OUTAGE, SECOND, Place

DAY = ("--job", "ads", "--day", LAST)


def _forget(place: Place, experiment: str) -> None:
    """The last day is not trained by the experiment yet."""
    shutil.rmtree(place.root / "checkpoint" / "ads" / experiment / f"day={LAST}")


def test_they_hold_for_the_day_and_are_recorded(chain: Place) -> None:
    before = chain.artifact("checkpoint", LAST, "din").manifest
    _forget(chain, "din")
    ran = chain.good("stage", "experiment", *DAY, "--experiment", "din", "--epochs", 2, "--learning-rate", 0.02)
    assert "trained" in ran.err
    now = chain.artifact("checkpoint", LAST, "din").manifest
    assert now.extra["overrides"] == {"epochs": 2, "learning_rate": 0.02}
    assert now.extra["learning_rate"] == 0.02
    assert now.extra["batches"] == 2 * before.extra["batches"]
    assert now.settings != before.settings
    assert now.digest != before.digest
    assert "settings have changed" not in chain.good("status", "--job", "ads").out
    # Run again without them, by a retry or a backfill, the day stands.
    again = chain.good("stage", "experiment", *DAY, "--experiment", "din")
    assert "already trained" in again.err
    assert chain.artifact("checkpoint", LAST, "din").manifest == now


def test_a_day_that_is_trained_otherwise_is_not_taken_for_done(chain: Place) -> None:
    asked = ("stage", "experiment", *DAY, "--experiment", "din", "--epochs", 2)
    refused = chain.run(*asked)
    assert refused.code == 2
    assert (
        "is trained already, with other settings; to train it again with --epochs 2 add --reprocess" in refused.message
    )
    dry = chain.good("run", *DAY, "--epochs", 2, "--dry-run")
    assert "refused: done as checkpoint/ads/din" in dry.out
    assert "--epochs 2 needs --reprocess" in dry.out
    assert "run with --epochs 2: --reprocess" in chain.good("run", *DAY, "--epochs", 2, "--dry-run", "--reprocess").out
    chain.good(*asked, "--reprocess")
    assert chain.artifact("checkpoint", LAST, "din").manifest.extra["overrides"] == {"epochs": 2}


def test_a_pruned_day_comes_back_as_it_was_trained(begun: Place) -> None:
    asked = ("stage", "experiment", "--job", "ads", "--day", SECOND, "--experiment", "din")
    begun.good(*asked, "--epochs", 2, "--reprocess")
    made = begun.artifact("checkpoint", SECOND, "din")
    begun.store.prune(made)
    begun.good("backfill", "--job", "ads", "--from", OUTAGE, "--to", LAST, "--experiment", "din", "--publish", "none")
    restored = begun.artifact("checkpoint", SECOND, "din")
    assert restored.generation == made.generation + 1
    assert restored.manifest.digest == made.manifest.digest
    assert restored.manifest.extra["overrides"] == {"epochs": 2}
    assert "overrides" not in begun.artifact("checkpoint", LAST, "din").manifest.extra


@pytest.mark.parametrize("done", [True, False])
def test_a_run_of_other_experiments_releases_nothing_without_the_champion(chain: Place, done: bool) -> None:
    if not done:
        _forget(chain, "din")
    ran = chain.run("stage", "release", *DAY, "--experiment", "pooled")
    assert ran.code == (0 if done else 99)
    if not done:
        assert "the champion 'din' is not among the experiments of this run" in ran.message


def test_the_report_prints_its_measures_on_the_last_line(chain: Place) -> None:
    ran = chain.good("stage", "report", *DAY, "--json")
    rows = json.loads(ran.out)
    assert ran.out.count("\n") == 1
    assert {row["experiment"] for row in rows} == {"pooled", "din"}
    assert rows == json.loads(chain.good("measures", "--job", "ads", "--day", LAST, "--json").out)
