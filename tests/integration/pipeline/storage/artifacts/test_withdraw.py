"""A trained day that turns out dirty: it leaves the chain, and what followed from it is trained again."""

from __future__ import annotations

import json

from pipeline.storage.artifacts.artifact import Ref
from tests.tiny import FIRST, LAST, OUTAGE, SECOND, Place


def days_of(place: Place, experiment: str) -> dict[str, dict[str, object]]:
    picture = json.loads(place.good("status", "--job", "ads", "--json").out)
    return {row["day"]: row for row in picture["experiments"][experiment]["days"]}


def test_a_trained_day_that_is_listed_dirty_leaves_the_chain(chain: Place) -> None:
    clean = chain.settings("ads")
    chain.configure("ads", clean | {"dirty_days": [str(SECOND)]})
    ran = chain.run("run", "--job", "ads", "--day", SECOND, "--reprocess")
    assert ran.code == 99
    rows = days_of(chain, "din")
    assert rows[str(SECOND)]["state"] == "skipped"
    assert rows[str(LAST)]["state"] == "tainted"
    assert "is skipped now" in str(rows[str(LAST)]["why"])
    served = chain.artifact("checkpoint", LAST, "din")

    chain.good("rechain", "--job", "ads")
    rows = days_of(chain, "din")
    assert {day: row["state"] for day, row in rows.items()} == {
        str(FIRST): "trained", str(SECOND): "skipped", str(OUTAGE): "skipped", str(LAST): "trained",
    }  # fmt: skip
    assert rows[str(LAST)]["parent"] == str(FIRST)
    again = chain.artifact("checkpoint", LAST, "din")
    assert again.manifest.digest != served.manifest.digest
    measured = chain.good("measures", "--job", "ads").out
    assert str(SECOND) not in measured.replace(f",{SECOND},", "")
    assert not chain.store.current(Ref("state", "ads", SECOND))

    # And back: the day counts again once it is no longer listed.
    chain.configure("ads", clean)
    chain.good("backfill", "--job", "ads", "--from", SECOND, "--to", LAST, "--reprocess", "--publish", "none")
    chain.good("rechain", "--job", "ads")
    rows = days_of(chain, "din")
    assert rows[str(SECOND)]["state"] == rows[str(LAST)]["state"] == "trained"
    assert rows[str(LAST)]["parent"] == str(SECOND)
    assert chain.artifact("checkpoint", LAST, "din").manifest.digest == served.manifest.digest
