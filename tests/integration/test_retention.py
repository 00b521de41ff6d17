"""What retention removes can be made again, to the same bits, when something needs it."""

from __future__ import annotations

from tests.tiny import FIRST, LAST, SECOND, Place


def test_pruned_arrays_and_checkpoints_are_made_again_for_a_re_chain(chain: Place, trained: Place) -> None:
    for day in (FIRST, SECOND, LAST):
        chain.store.prune(chain.artifact("features", day))
    for day in (FIRST, SECOND):
        chain.store.prune(chain.artifact("checkpoint", day, "din"))
    everything = ("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none")
    chain.good(*everything)
    assert chain.artifact("features", FIRST).manifest.pruned, "nothing needed it"
    chain.good("taint", "--job", "ads", "--experiment", "din", "--day", LAST, "--reason", "to be trained again")
    chain.good("rechain", "--job", "ads", "--publish", "none")
    assert "tainted" not in chain.good("status", "--job", "ads").out
    for day in (FIRST, SECOND, LAST):
        assert chain.artifact("features", day).generation == 2
        assert chain.artifact("features", day).manifest.digest == trained.artifact("features", day).manifest.digest
    assert chain.good("compare-chains", chain.root, trained.root, "--job", "ads").out.startswith("equal: ")
    assert chain.good("audit", "--job", "ads").out.endswith("nothing damaged\n")


def test_a_setting_that_keeps_too_little_is_refused(place: Place) -> None:
    for retention, told in (
        ({"feature_days": 1}, "retention.feature_days"),
        ({"released": "some"}, "retention.released"),
    ):
        place.configure("ads", {**place.settings("ads"), "retention": retention})
        ran = place.run("status", "--job", "ads")
        assert (ran.code, told in ran.err) == (2, True)
