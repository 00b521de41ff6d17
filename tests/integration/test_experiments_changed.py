"""Experiments that come, go or are called otherwise while the job's chains go on."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pipeline.storage.redis.embedded import stop
from tests.tiny import FIRST, LAST, OUTAGE, SECOND, Place


def changed(place: Place, **experiments: dict[str, Any] | None) -> None:
    """Add experiments to the YAML, or remove those that are none."""
    settings = place.settings("ads")
    settings["experiments"].update(experiments)
    settings["experiments"] = {name: each for name, each in settings["experiments"].items() if each is not None}
    place.configure("ads", settings)


def shown(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.good("status", "--job", "ads", "--json").out)
    return found


def days(place: Place, experiment: str) -> dict[str, str]:
    return {row["day"]: row["state"] for row in shown(place)["experiments"][experiment]["days"]}


def test_a_new_experiment_starts_where_it_says_and_leaves_the_others_alone(chain: Place, trained: Place) -> None:
    changed(chain, late={**chain.settings("ads")["experiments"]["pooled"], "start": str(SECOND), "dim": 2})
    alone = chain.run("run", "--job", "ads", "--day", LAST, "--experiment", "late")
    assert alone.code == 3
    command = alone.message.partition("/python -m pipeline ")[2].partition("`")[0]
    assert command == f"backfill --job ads --from {SECOND} --to {LAST}"
    ran = chain.good(*command.split(), "--publish", "none")
    assert f"{LAST}  pooled already trained" in ran.err
    assert chain.artifact("checkpoint", SECOND, "late").manifest.extra["parent"] is None
    assert str(FIRST) not in days(chain, "late")
    assert days(chain, "late")[str(LAST)] == "trained"
    for name in ("pooled", "din"):
        assert chain.artifact("checkpoint", LAST, name).id == trained.artifact("checkpoint", LAST, name).id
    early = chain.run("backfill", "--job", "ads", "--from", FIRST, "--to", FIRST, "--experiment", "late")
    assert (early.code, f"before the chain's start {SECOND}" in early.message) == (3, True)


def test_one_without_a_start_begins_with_the_next_day(chain: Place) -> None:
    changed(chain, late={**chain.settings("ads")["experiments"]["pooled"], "dim": 2})
    assert days(chain, "late") == {}
    chain.good("stage", "experiment", "--job", "ads", "--day", LAST, "--experiment", "late")
    assert days(chain, "late") == {str(LAST): "trained"}


def test_one_that_was_removed_stays_readable_and_can_come_back(chain: Place, trained: Place) -> None:
    pooled = chain.settings("ads")["experiments"]["pooled"]
    changed(chain, pooled=None)
    picture = shown(chain)["experiments"]["pooled"]
    assert (picture["removed"], [row["state"] for row in picture["days"]].count("trained")) == (True, 3)
    assert ",pooled," in chain.good("measures", "--job", "ads").out
    gone = chain.run("backfill", "--job", "ads", "--from", LAST, "--to", LAST, "--experiment", "pooled")
    assert (gone.code, "job 'ads' has din" in gone.message) == (2, True)
    chain.good("backfill", "--job", "ads", "--from", LAST, "--to", LAST, "--publish", "none")
    assert chain.good("audit", "--job", "ads").code == 0
    chain.store.taint(trained.artifact("validated", LAST).ref, "of both experiments")
    text = chain.good("status", "--job", "ads").out
    assert "tainted days; put the experiment back into the YAML" in text
    told = chain.good("rechain", "--job", "ads", "--dry-run").out
    assert told == f"re-chain from {OUTAGE} to {LAST}: din (1 tainted)\n"
    changed(chain, pooled=pooled)
    chain.good("rechain", "--job", "ads", "--publish", "none")
    assert "tainted" not in chain.good("status", "--job", "ads").out


def test_one_that_is_called_otherwise_is_taken_for_new_and_status_asks(chain: Place) -> None:
    changed(chain, pooled=None, mean=chain.settings("ads")["experiments"]["pooled"])
    assert shown(chain)["experiments"]["mean"]["renamed_from"] == "pooled"
    text = chain.good("status", "--job", "ads").out
    assert "has the settings of 'pooled', which has left the YAML. A chain keeps its name" in text


@pytest.fixture
def served(chain: Place) -> Any:
    for stage in ("release", "publish"):
        chain.good("stage", stage, "--job", "ads", "--day", LAST)
    yield chain
    stop(chain.root)


def test_a_served_release_that_is_tainted_is_told_until_another_is_published(served: Place) -> None:
    assert shown(served)["served"]["tainted"] is None
    day = shown(served)["served"]["checkpoint_day"]
    served.good("taint", "--job", "ads", "--day", day, "--reason", "half of the log")
    assert "half of the log" in shown(served)["served"]["tainted"]
    text = served.good("status", "--job", "ads").out
    tainted = "what is served is tainted: tainted by hand: half of the log; "
    assert re.search(f"{tainted}`cd .*/python -m pipeline rechain --job ads`", text)
    assert re.search("all tainted chains at once: cd .*/python -m pipeline rechain --job ads", text)
    served.good("rechain", "--job", "ads")
    assert shown(served)["served"]["tainted"] is None
