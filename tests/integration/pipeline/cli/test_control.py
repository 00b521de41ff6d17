"""`rollback` where there is nothing to go back to; the ledger."""

from __future__ import annotations

import json

from tests.tiny import Place


def test_rolling_back_the_only_release_is_refused(served: Place) -> None:
    ran = served.run("rollback", "--job", "ads")
    assert ran.code == 2
    assert "no release was served before" in ran.message


def test_the_ledger_names_the_only_release_and_it_is_what_is_served(served: Place) -> None:
    told = json.loads(served.good("releases", "--job", "ads", "--json").out)
    (entry,) = told["releases"]
    assert (entry["what"], entry["release_id"], entry["before"]) == ("publish", told["served"], None)
    (line,) = served.good("releases", "--job", "ads").out.splitlines()
    assert line.startswith(f"* {entry['at']}")
    assert f"publish   {told['served']}" in line
    ran = served.run("rollback", "--job", "ads", "--to", told["served"], "--dry-run")
    assert (ran.code, "is what job 'ads' serves now" in ran.message) == (2, True)
    ran = served.run("rollback", "--job", "ads", "--release-hold", "--dry-run")
    assert (ran.code, "only lifts the hold" in ran.message) == (2, True)
