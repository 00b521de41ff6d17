"""`recommend`: an answer out of what was released."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from pipeline.release.publish.models import Models
from pipeline.release.publish.release_files import ReleaseFiles
from pipeline.storage.objects.folder import FolderStore
from tests.tiny import LAST, SECOND, Place


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
    assert len(text.splitlines()) == 7
    assert text.splitlines()[-1].startswith("logit: ranks, higher is better; probability: 1 / (1 + exp(-logit)), of a ")
    assert answer["numbers"] == text.splitlines()[-1]
    first = answer["top"][0]
    numbers = f"logit {first['score']:.6f}  probability {first['probability']:.6f}"
    assert text.splitlines()[1] == f"  1  {first['key']}  {numbers}"
    assert first["probability"] == pytest.approx(1 / (1 + math.exp(-first["score"])), rel=1e-5)
    assert "nothing is known" not in text
    nobody = served.good("recommend", "--job", "ads", "--user", 999999999).out
    assert nobody.startswith("release ")
    assert "(nothing is known of user_id 999999999: ranked as for one that is new)" in nobody.splitlines()[0]


def test_what_a_live_request_knows_of_its_moment_changes_the_answer(served: Place) -> None:
    user = served.shows(LAST)["row_key"][0].as_py().split("_")[0]
    asked = ("recommend", "--job", "ads", "--user", user, "--json")
    plain = json.loads(served.good(*asked).out)
    given = json.loads(served.good(*asked, "--context", "log_hourtime=9", "--context", '{"dclick_otherad": 3}').out)
    same = json.loads(served.good(*asked, "--context", '{"log_hourtime": "9", "dclick_otherad": 3}').out)
    assert given == same
    assert given["candidates"] == plain["candidates"]
    assert given["top"][0]["score"] != plain["top"][0]["score"]
    for words, told in (
        ("is_click=1", "no feature of a request is made of 'is_click'; it may give log_hourtime, "),
        ("log_hourtime", 'write COLUMN=VALUE, or a JSON object such as {"log_hourtime": 9}'),
        ("{log_hourtime", "not JSON"),
        ("log_hourtime=nine", "log_hourtime: 'nine' is not a whole number"),
    ):
        ran = served.run(*asked, "--context", words)
        assert ran.code == 2
        assert told in ran.message


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
    assert (ran.code, ran.out) == (3, "")
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
        assert ran.code == (3 if "recommend" in words else 1)
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
