"""A chain takes on features, an id space and a wider table: said before, begun on its next day, recorded."""

from __future__ import annotations

import shutil

import numpy as np
import yaml

from pipeline.training import checkpoint_file
from tests.tiny import FIRST, LAST, OUTAGE, PROJECT, SECOND, Place

NEW = ("location", "hexposure_similarad")
BACKFILL = ("backfill", "--job", "ads", "--from", OUTAGE, "--to", LAST)
SAID = "new from the next untrained day on: tables ad (4 → 6), location_ad (4); inputs "


def _grow(place: Place) -> None:
    """`din` and `pooled` see two features more; `din` has wider ads too."""
    production = yaml.safe_load((PROJECT / "conf" / "ads.yaml").read_text(encoding="utf-8"))
    settings = place.settings("ads")
    settings["features"] |= {name: production["features"][name] for name in NEW}
    settings["spaces"]["location_ad"] = production["spaces"]["location_ad"]
    settings["experiments"]["din"]["dims"] = {"ad": 6}
    place.configure("ads", settings)


def _checked(place: Place) -> str:
    """What `config check` says of the chains; of the tiny job it says too that a table is not read."""
    return place.run("config", "check", "--job", "ads").out


def test_a_chain_grows_on_its_next_day_to_the_same_bits_each_time(begun: Place) -> None:
    assert "new from the next" not in _checked(begun)
    _grow(begun)
    checked = _checked(begun)
    assert f"ads/din: {SAID}" in checked
    of_pooled = "tables location_ad (4); inputs hexposure_similarad (1), location (4); weights "
    assert f"ads/pooled: new from the next untrained day on: {of_pooled}" in checked
    assert f"ads/din: {SAID}" in begun.good(*BACKFILL, "--dry-run").out

    ran = begun.good(*BACKFILL)
    assert ran.out.startswith("ads/pooled: new from")
    assert f"ads/din: {SAID}" in ran.out
    before, after = begun.artifact("checkpoint", SECOND, "din"), begun.artifact("checkpoint", LAST, "din")
    growth = after.manifest.extra["growth"]
    assert growth["tables"] == {"ad": [4, 6], "location_ad": [0, 4]}
    assert growth["weights"] == ["normalise/hexposure_similarad"]
    assert growth["inputs"]["dense/tower_main/kernel"]["location"] == [0, 4]
    assert "growth" not in before.manifest.extra
    assert "began with: tables ad (4 → 6)" in begun.good("status", "--job", "ads").out
    old, new = checkpoint_file.read(before), checkpoint_file.read(after)
    assert old["table/ad"].shape[1] == 4
    assert new["table/ad"].shape[1] == 6
    assert new["step"] > old["step"]
    assert new["table/location_ad"].shape == (begun.artifact("maps", LAST).manifest.extra["sizes"]["location_ad"], 4)

    # Again from its parent, in a process of its own: the same bits; and the chain goes on as any other.
    shutil.rmtree(after.path.parent.parent / f"day={LAST}")
    assert begun.process(*BACKFILL).code == 0
    assert begun.artifact("checkpoint", LAST, "din").manifest.digest == after.manifest.digest
    assert "new from" not in _checked(begun)


def test_the_parent_is_tested_as_it_was_trained(begun: Place) -> None:
    """What is new tells nothing before it is trained: of the day's rows the grown one's scores are the parent's."""
    shutil.copytree(begun.root, begun.folder / "other" / "root")
    other = begun.at(begun.folder / "other" / "root")
    other.good(*BACKFILL, "--publish", "none")
    _grow(begun)
    begun.good(*BACKFILL, "--publish", "none")
    for name in ("pooled", "din"):
        grown, plain = (each.artifact("test", LAST, name).manifest.extra for each in (begun, other))
        assert grown["values"].keys() == plain["values"].keys()
        for measure, value in plain["values"].items():
            np.testing.assert_allclose(grown["values"][measure], value, rtol=1e-5)


def test_a_narrower_table_is_refused_before_anything_is_read(begun: Place) -> None:
    settings = begun.settings("ads")
    settings["experiments"]["din"]["dims"] = {"ad": 3}
    begun.configure("ads", settings)
    checked = _checked(begun)
    assert "ads/din cannot go on: checkpoint/ads/din" in checked
    assert "tensor 'table/ad': its rows have 4 values, of which only 3 are left" in checked
    planned = begun.run(*BACKFILL, "--dry-run")
    assert planned.code == 1
    assert "ads/din cannot go on" in planned.out
    ran = begun.run(*BACKFILL)
    assert ran.code == 1
    assert "A chain takes on features, id spaces and wider tables" in ran.message
    assert begun.store.days("checkpoint", "ads", "din") == [FIRST, SECOND]


def test_a_feature_that_is_left_out_is_refused(begun: Place) -> None:
    settings = begun.settings("ads")
    settings["experiments"]["din"]["without"] = ["hour"]
    begun.configure("ads", settings)
    assert "reads 4 values of 'hour', of which none is left" in _checked(begun)


def test_moments_of_steps_that_were_not_kept_are_asked_for_in_vain_before_a_day_is_run(begun: Place) -> None:
    settings = begun.settings("ads")
    settings["features"]["clicked_ads"]["group"] = "clicked"
    settings["features"]["ages"] = {"kind": "ages", "source": "history.age", "group": "clicked", "unit": "hour"}
    for name in ("pooled", "din"):
        settings["experiments"][name]["without"] = ["ages"]
    begun.configure("ads", settings)
    ran = begun.run("config", "check", "--job", "ads")
    assert ran.code == 2
    assert f"{SECOND}: what was kept of histories on this day has no step.time, which the settings" in ran.message
    assert "has no step.time, which the settings ask for since" in begun.run(*BACKFILL).message
