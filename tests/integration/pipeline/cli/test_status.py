"""`status`: every day, with what became of it and why."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa

from models.layers.normalise import HIGHEST
from pipeline.training import checkpoint_file
from tests.tiny import FIRST, LAST, OUTAGE, SECOND, Place

ADS = ["day", "experiment", "checkpoint", "rows", "auc", "gauc", "log_loss", "calibration"]


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_status_shows_every_day_with_parent_rows_measures_and_why_it_was_skipped(trained: Place) -> None:
    text = trained.good("status", "--job", "ads").out
    picture = json.loads(trained.good("status", "--job", "ads", "--json").out)
    assert list(picture["experiments"]) == ["pooled", "din"]
    days = {row["day"]: row for row in picture["experiments"]["din"]["days"]}
    assert [row["state"] for row in days.values()] == ["trained", "trained", "skipped", "trained"]
    assert days[str(LAST)]["parent"] == str(SECOND)
    assert days[str(FIRST)]["parent"] is None
    assert days[str(OUTAGE)]["why"].startswith("no rows in any required table")
    assert "auc" in days[str(LAST)]["measures"]
    assert "measures" not in days[str(FIRST)]
    validated = trained.artifact("validated", FIRST).manifest.extra["counts"]
    assert days[str(FIRST)]["quarantined"] == sum(counts["quarantined"] for counts in validated.values())
    assert days[str(FIRST)]["rows"] + validated["impressions"]["quarantined"] == 200
    assert picture["bytes_total"] == sum(picture["bytes"].values())
    assert picture["bytes"]["checkpoint"] > 0
    assert picture["served"] is None
    for row in days.values():
        assert f"{row['day']}  {row['state']}" in text
    assert "served: nothing yet" in text
    later = json.loads(trained.good("status", "--job", "ads", "--json", "--from", LAST).out)
    assert [row["day"] for row in later["experiments"]["din"]["days"]] == [str(LAST)]


def test_all_jobs_are_shown_where_none_is_named_and_one_that_is_broken_hides_no_other(chain: Place) -> None:
    shown = chain.good("status").out
    assert "ads / pooled\n" in shown
    assert "homework / pooled\n" in shown
    assert [each["job"] for each in json.loads(chain.good("status", "--json").out)] == ["ads", "homework"]
    chain.configure("adverts", "job: [")
    ran = chain.run("status")
    assert (ran.code, "ads / pooled\n" in ran.out) == (2, True)
    assert "adverts.yaml" in ran.err
    assert chain.run("status", "--job", "adverts").code == 2
    assert "--experiment is of one job" in chain.run("status", "--experiment", "din").message


def test_status_of_replayed_rows(lessons: Place) -> None:
    picture = json.loads(lessons.good("status", "--job", "homework", "--json").out)
    replayed = {name: [row.get("replayed") for row in each["days"]] for name, each in picture["experiments"].items()}
    assert sum(rows or 0 for rows in replayed["pooled"]) == 0
    assert sum(rows or 0 for rows in replayed["din"]) > 0


def test_an_experiment_that_left_the_yaml_still_shows(chain: Place) -> None:
    settings = chain.settings("ads")
    del settings["experiments"]["pooled"]
    chain.configure("ads", settings)
    text = chain.good("status", "--job", "ads").out
    assert "ads / pooled (no longer in the YAML)" in text
    assert {row["experiment"] for row in _rows(chain.good("measures", "--job", "ads").out)} == {"pooled", "din"}


def test_a_new_root_says_how_to_begin(place: Place) -> None:
    text = place.good("status", "--job", "ads").out
    assert "bin/python -m pipeline backfill --job ads --from DAY --to DAY`" in text
    assert place.good("measures", "--job", "ads").out == ",".join(ADS) + "\n"
    assert not place.root.exists()


def test_a_vanished_column_and_a_wild_value_are_told_everywhere(place: Place) -> None:
    rows = place.shows(SECOND).drop_columns(["location_ad"])
    duration = rows["dclick_otherad"].to_pylist()
    duration[5] = "3.4e38"
    rows = rows.set_column(rows.column_names.index("dclick_otherad"), "dclick_otherad", pa.array(duration))
    place.show(SECOND, rows.append_column("ad_location", pa.array(["1"] * rows.num_rows)))
    job = ("--job", "ads", "--experiment", "pooled")
    ran = place.good("backfill", *job, "--from", FIRST, "--to", SECOND, "--publish", "none")
    gone = "impressions: the source no longer has location_ad (is it 'ad_location' now?)"
    (line,) = (each for each in ran.err.splitlines() if each.startswith(str(SECOND)))
    assert gone in line
    assert "wild values bounded: dclick_otherad 1 of " in line

    shown = place.good("status", *job).out
    assert f"columns of {SECOND}: {gone}\n" in shown
    assert f"columns of impressions without a value: location_ad since {SECOND}" in shown
    assert "wild values bounded: dclick_otherad 1 of " in shown
    picture = json.loads(place.good("status", *job, "--json").out)
    assert picture["columns"]["missing"] == {"impressions": {"location_ad": str(SECOND)}}
    assert picture["columns"]["changes"] == {str(SECOND): [gone]}

    told = place.good("alerts", "--job", "ads", "--day", SECOND, "--dry-run").out
    assert f"ads {SECOND} missing columns: {gone}." in told
    assert f"ads {SECOND} wild values: wild values bounded: dclick_otherad 1 of " in told
    assert place.good("alerts", "--job", "ads", "--day", FIRST, "--dry-run").out == ""

    page = (place.root / "reports" / "ads" / f"{SECOND}.html").read_text(encoding="utf-8")
    assert "the source no longer has location_ad" in page
    assert "wild values bounded: dclick_otherad 1 of " in page
    statistics = checkpoint_file.read(place.artifact("checkpoint", SECOND, "pooled"))["normalise/dclick_otherad"]
    assert statistics[HIGHEST, 0] < 1e6


def test_what_is_damaged_is_left_out_and_named_and_the_rest_is_shown(chain: Place) -> None:
    tested, validated = chain.artifact("test", LAST, "din"), chain.artifact("validated", FIRST)
    for artifact, field, value in ((tested, "values", {"auc": "high"}), (validated, "counts", [3])):
        manifest = artifact.path / "manifest.json"
        record = json.loads(manifest.read_bytes())
        record.pop("checksum", None)
        record["extra"][field] = value
        manifest.write_text(json.dumps(record))
    done = chain.run("status", "--job", "ads")
    assert done.code == 1
    assert "extra.values.auc is damaged ('high')" in done.out
    assert "extra.counts is damaged ([3])" in done.out
    assert f"{LAST}  trained" in done.out
    assert "served: nothing yet" in done.out
    measured = chain.run("measures", "--job", "ads")
    assert measured.code == 1
    assert {(row["experiment"], row["day"]) for row in _rows(measured.out)} >= {("pooled", str(LAST))}
    assert "DAMAGED, left out: " in measured.err
