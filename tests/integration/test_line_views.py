"""What a newcomer reads: measures, status, help, doctor; and a recommendation from what was released."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from models.layers.normalise import HIGHEST
from pipeline.cli.main import parser
from pipeline.release.publish.models import Models
from pipeline.release.publish.pointer import ReleaseFiles
from pipeline.storage.objects.folder import FolderStore
from pipeline.storage.redis.embedded import stop
from pipeline.training import checkpoint_file
from tests.tiny import FIRST, LAST, OUTAGE, SECOND, Place, copy_of

ADS = ["day", "experiment", "checkpoint", "rows", "auc", "gauc", "log_loss", "calibration"]
HOMEWORK = [
    "day", "experiment", "checkpoint", "rows", "requests", "covered", "hit_1", "hit_3", "hit_5", "hit_10", "hit_15",
    "composite", "log_loss", "auc",
]  # fmt: skip


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_measures_of_ads_are_one_row_per_tested_day_and_experiment(trained: Place) -> None:
    ran = trained.good("measures", "--job", "ads")
    assert ran.out.splitlines()[0].split(",") == ADS
    rows = _rows(ran.out)
    assert [(row["day"], row["experiment"], row["checkpoint"]) for row in rows] == [
        (str(SECOND), "pooled", str(FIRST)), (str(SECOND), "din", str(FIRST)),
        (str(LAST), "pooled", str(SECOND)), (str(LAST), "din", str(SECOND)),
    ]  # fmt: skip
    for row in rows:
        assert 0 < float(row["auc"]) < 1
        assert 0 < float(row["log_loss"]) < 5
        assert int(row["rows"]) > 100
    as_json = json.loads(trained.good("measures", "--job", "ads", "--json", "--day", LAST, "--experiment", "din").out)
    assert len(as_json) == 1
    assert f"{as_json[0]['auc']:.6f}" == rows[-1]["auc"]
    written = (trained.root / "reports" / "ads" / "measures.csv").read_text(encoding="utf-8")
    assert written == ran.out


def test_measures_of_homework(lessons: Place) -> None:
    ran = lessons.good("measures", "--job", "homework")
    assert ran.out.splitlines()[0].split(",") == HOMEWORK
    for row in _rows(ran.out):
        assert 0 < int(row["covered"]) <= int(row["requests"])
        assert float(row["hit_1"]) <= float(row["hit_3"]) <= float(row["hit_5"]) <= float(row["hit_15"]) <= 1


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


def test_every_command_has_help_with_an_example() -> None:
    commands = parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    expected = {
        "run", "backfill", "stage", "status", "measures", "compare-chains", "recommend", "promote", "rollback", "taint",
        "prune", "config", "doctor",
    }  # fmt: skip
    assert expected <= set(commands)  # type: ignore[arg-type]
    for name, command in commands.items():  # type: ignore[union-attr]
        text = command.format_help()
        example = text.partition("Example:\n  python -m pipeline ")[2].strip()
        assert example.startswith(name), f"{name}: {text}"
        if name != "measures":  # it shows where its output may go
            parser().parse_args(_words(example))


def _words(example: str) -> list[str]:
    import shlex

    return shlex.split(example)


@pytest.fixture(scope="module")
def served(trained: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The last day released and published."""
    place = copy_of(trained, tmp_path_factory.mktemp("served"), root=True)
    for stage in ("release", "publish"):
        place.good("stage", stage, "--job", "ads", "--day", LAST)
    yield place
    stop(place.root)


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


def test_a_recommendation_names_its_release_and_ranks_by_score(served: Place) -> None:
    user = served.shows(LAST)["row_key"][0].as_py().split("_")[0]
    answer = json.loads(served.good("recommend", "--job", "ads", "--user", user, "--top", 3, "--json").out)
    status = json.loads(served.good("status", "--job", "ads", "--json").out)
    assert answer["release_id"] == status["served"]["release_id"]
    scores = [each["score"] if isinstance(each, dict) else each[1] for each in answer["top"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    text = served.good("recommend", "--job", "ads", "--user", user).out
    assert text.startswith(f"release {answer['release_id']}, ")
    assert len(text.splitlines()) == 6
    assert served.good("recommend", "--job", "ads", "--user", 999999999).out.startswith("release ")


def test_another_experiments_model_under_the_number_is_told_and_never_answered_with(
    served: Place, tmp_path: Path
) -> None:
    """What answered: a release folder named by a part of the settings, in which the number was given too."""
    user = served.shows(LAST)["row_key"][0].as_py().split("_")[0]
    pointer = ReleaseFiles.of(served.root, "ads").served()
    assert pointer is not None
    assert pointer.experiment == "din"
    other = Models(FolderStore(tmp_path / "bucket"), "ads")
    pooled = served.artifact("export", SECOND, "pooled")
    version = other.upload(pooled.file("model"), day=int(str(LAST).replace("-", "")), export=pooled.manifest.digest)
    assert version == pointer.version
    served.environment["DAYSPRING_RELEASE_URL"] = f"file:{tmp_path / 'bucket'}"
    ran = served.run("recommend", "--job", "ads", "--user", user)
    assert (ran.code, ran.out) == (1, "")
    assert f"the model {version} in {tmp_path / 'bucket'} is another one than it means" in ran.message
    for command in ("doctor", "audit"):
        ran = served.run(command, "--job", "ads")
        assert ran.code == 1
        assert f"publishes to its own folder published, and not to {tmp_path / 'bucket'}" in ran.out
    for words in (["promote", "--experiment", "pooled"], ["stage", "publish", "--day", LAST], ["rollback"]):
        ran = served.run(*words, "--job", "ads")
        assert ran.code != 0
    assert ReleaseFiles.of(served.root, "ads").served() == pointer
    del served.environment["DAYSPRING_RELEASE_URL"]
    there = served.root / "published" / "ads" / "models" / str(version)
    there.rename(tmp_path / "kept")
    shutil.copytree(tmp_path / "bucket" / "ads" / "models" / str(version), there)
    for words in (["recommend", "--user", user], ["doctor"], ["audit"]):
        ran = served.run(*words, "--job", "ads")
        assert ran.code == 1
        assert f"the model {version} in {served.root / 'published'} is another one than it means" in ran.out + ran.err
    assert "stage publish" in ran.out
    served.good("stage", "publish", "--job", "ads", "--day", LAST)
    again = ReleaseFiles.of(served.root, "ads").served()
    assert again is not None
    assert again.version == version + 1
    for words in (["recommend", "--user", user], ["doctor"], ["audit"]):
        served.good(*words, "--job", "ads")


def test_a_raw_id_that_is_none_is_wrong_use(served: Place) -> None:
    ran = served.run("recommend", "--job", "ads", "--user", "somebody")
    assert ran.code == 2
    assert "'somebody' is not a whole number" in ran.message


def test_rolling_back_the_only_release_is_refused(served: Place) -> None:
    ran = served.run("rollback", "--job", "ads")
    assert ran.code == 2
    assert "no release was served before" in ran.message


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
