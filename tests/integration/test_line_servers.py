"""The command line with Redis and S3 servers: what it releases, serves, rolls back and says is the embedded one's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.storage.redis.embedded import stop
from tests.services import Bucket
from tests.tiny import LAST, SECOND, Place, copy_of


def answers(place: Place, users: list[str]) -> list[dict[str, Any]]:
    found = (place.good("recommend", "--job", "ads", "--user", user, "--top", 4, "--json").out for user in users)
    return [json.loads(text) for text in found]


def released(place: Place) -> None:
    for day in (SECOND, LAST):
        for stage in ("release", "publish"):
            place.good("stage", stage, "--job", "ads", "--day", day)


@pytest.fixture
def served(trained: Place, tmp_path: Path, redis_url: str, bucket: Bucket) -> Place:
    place = copy_of(trained, tmp_path / "served", root=True)
    place.environment |= {**bucket.environment, "DAYSPRING_REDIS_URL": redis_url}
    released(place)
    return place


def test_everything_works_with_servers_as_it_does_without(served: Place, trained: Place, tmp_path: Path) -> None:
    embedded = copy_of(trained, tmp_path / "embedded", root=True)
    released(embedded)
    users = sorted({key.split("_")[0] for key in served.shows(LAST)["row_key"].to_pylist()})[:2]
    newest = answers(served, users)
    assert newest == answers(embedded, users)
    assert any(each["top"] for each in newest)
    for place in (served, embedded):
        assert "serving" in place.good("rollback", "--job", "ads").out
    earlier = answers(served, users)
    assert earlier == answers(embedded, users)
    assert {each["release_id"] for each in earlier}.isdisjoint(each["release_id"] for each in newest)
    for place in (served, embedded):
        assert "champion is now pooled" in place.good("promote", "--job", "ads", "--experiment", "pooled").out
        place.good("prune", "--job", "ads")
    assert answers(served, users) == answers(embedded, users)
    said = [json.loads(place.good("status", "--job", "ads", "--json").out)["served"] for place in (served, embedded)]
    assert said[0] == said[1]
    stop(embedded.root)
    assert not (served.root / "redis").exists()
    assert not (served.root / "published").exists()


def test_another_host_serves_with_an_empty_root(served: Place, tmp_path: Path) -> None:
    user = served.shows(LAST)["row_key"][0].as_py().split("_")[0]
    other = served.at(tmp_path / "other" / "root")
    other.environment["DAYSPRING_CONF"] = str(served.folder / "conf")
    assert answers(other, [user]) == answers(served, [user])


def test_doctor_names_every_store_and_no_secret(served: Place, bucket: Bucket, redis_url: str) -> None:
    ran = served.good("doctor", "--job", "ads")
    assert f"bucket '{bucket.name}', prefix 'models' takes writes, " in ran.out
    assert "ok    ads: Redis: 127.0.0.1:" in ran.out
    served.environment |= {
        "DAYSPRING_REDIS_URL": "redis://:s3cret-one@127.0.0.1:1/0", "AWS_SECRET_ACCESS_KEY": "s3cret-two",
    }  # fmt: skip
    ran = served.run("doctor", "--job", "ads")
    bad = [line for line in ran.out.splitlines() if line.startswith("BAD ")]
    assert [line.split(":")[1] for line in bad] == [" Redis", " models"], ran.out
    assert "s3cret" not in ran.out + ran.err
