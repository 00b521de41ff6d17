"""`doctor`: what is in order, and what is not; `config show`: the experiments as they would be written by hand."""

from __future__ import annotations

import yaml

from pipeline.storage.redis.embedded import stop
from tests.tiny import Place


def test_doctor_finds_all_in_order(served: Place) -> None:
    ran = served.good("doctor")
    assert all(line.startswith("ok ") for line in ran.out.splitlines()), ran.out
    assert f"parquet:{served.ads} answers" in ran.out


def test_doctor_names_what_is_wrong(place: Place) -> None:
    place.database.unlink()
    ran = place.run("doctor", "--job", "homework")
    stop(place.root)
    assert ran.code == 1
    bad = [line for line in ran.out.splitlines() if line.startswith("BAD ")]
    assert len(bad) == 1
    assert f"{place.database}: no such file" in bad[0]


def test_experiments_of_grids_are_shown_as_they_would_be_written(place: Place) -> None:
    settings = place.settings("ads")
    settings["grids"] = {
        "fill": {
            "settings": {"loss": "binary", "compile": "graph", "options": {"units": [8]}},
            "axes": {"model": ["pooled"], "options.pooling": ["mean", "sum"]},
        }
    }
    place.configure("ads", settings)
    shown = place.good("config", "show", "--job", "ads").out
    assert "  # written by hand\n  pooled: {model: pooled, " in shown
    assert "  # grids.fill\n  fill_pooled_mean: {" in shown
    by_hand = yaml.safe_load(shown)["experiments"]
    assert by_hand["fill_pooled_sum"] == {
        "model": "pooled", "loss": "binary", "compile": "graph", "options": {"units": [8], "pooling": "sum"},
    }  # fmt: skip
    # What is shown may take the grid's place.
    del settings["grids"]
    place.configure("ads", settings | {"experiments": by_hand})
    assert place.good("config", "show", "--job", "ads").out.replace("  # grids.fill\n", "") == shown.replace(
        "  # grids.fill\n", ""
    )
    ran = place.run("promote", "--job", "ads", "--experiment", "fill_*")
    assert (ran.code, ran.message) == (
        2, "error: --experiment fill_*: fits fill_pooled_mean, fill_pooled_sum; one becomes the champion",
    )  # fmt: skip
    ran = place.run("stage", "experiment", "--job", "ads", "--day", "2024-02-26", "--experiment", "fill_*")
    assert (ran.code, "the stage `experiment` needs one --experiment" in ran.message) == (2, True)
