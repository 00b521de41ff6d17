"""A day that comes after it was skipped: status says so, and its command takes it in and trains again what follows."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from tests.tiny import LAST, OUTAGE, SECOND, Place


def arrive(place: Place) -> None:
    """The rows of the outage come: those of the day before, a day later, which must not count as delivered again."""
    settings = place.settings("ads")
    settings["validation"]["max_repeated"] = 1
    place.configure("ads", settings)
    rows = place.shows(SECOND)
    moved = {
        "log_day": pc.replace_substring(rows["log_day"], f"{SECOND}".replace("-", "/"), f"{OUTAGE}".replace("-", "/")),
        "log_time": pc.cast(pc.add(pc.cast(rows["log_time"], pa.int64()), (OUTAGE - SECOND) * 86_400_000), pa.string()),
    }
    for name, column in moved.items():
        rows = rows.set_column(rows.column_names.index(name), name, column)
    place.show(OUTAGE, rows)


def test_a_late_day_is_told_and_taken_in_by_the_command_that_status_offers(chain: Place) -> None:
    looked = chain.good("status", "--job", "ads", "--check-sources")
    assert "no skipped day has come since" in looked.out
    arrive(chain)
    (late,) = json.loads(chain.good("status", "--job", "ads", "--check-sources", "--json").out)["late"]
    assert (late["day"], late["state"]) == (str(OUTAGE), "ready")
    assert late["command"].endswith(f"/python -m pipeline backfill --job ads --from {OUTAGE} --to {LAST} --late-days")
    assert f"{OUTAGE} was skipped and has come since" in chain.good("status", "--job", "ads", "--check-sources").out
    command = [*late["command"].partition(" -m pipeline ")[2].split(), "--publish", "none"]
    assert (
        f"{OUTAGE}  all                       look at its sources again: skipped"
        in chain.good(*command, "--dry-run").out
    )
    ran = chain.good(*command)
    assert f"{OUTAGE}  " in ran.err
    for name in ("pooled", "din"):
        assert chain.artifact("checkpoint", LAST, name).manifest.extra["parent_day"] == str(OUTAGE)
    status = chain.good("status", "--job", "ads", "--check-sources")
    assert "no skipped day has come since" in status.out
    assert "tainted" not in status.out
    # Once more costs nothing.
    assert chain.good(*command).err.count("already trained") == 4


def test_a_backfill_that_is_not_asked_to_leaves_a_skipped_day_alone(chain: Place) -> None:
    arrive(chain)
    ran = chain.good("backfill", "--job", "ads", "--from", OUTAGE, "--to", LAST, "--publish", "none")
    assert f"{OUTAGE}  skipped" in ran.err
