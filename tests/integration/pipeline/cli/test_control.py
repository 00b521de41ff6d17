"""`rollback` where there is nothing to go back to."""

from __future__ import annotations

from tests.tiny import Place


def test_rolling_back_the_only_release_is_refused(served: Place) -> None:
    ran = served.run("rollback", "--job", "ads")
    assert ran.code == 2
    assert "no release was served before" in ran.message
