"""Airflow connections become the URLs that the pipeline reads, and their secrets stay out of logs."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

AWKWARD = "p@ss:w/o%rd?#"


def connection(**fields: Any) -> str:
    return json.dumps({"host": "store", **fields})


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from dayspring import hooks

    found: list[str] = []
    monkeypatch.setattr(hooks, "mask_secret", found.append)
    return found


@pytest.fixture(autouse=True)
def _no_stores_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAYSPRING_HOMEWORK_URL", "DAYSPRING_ADS_URL", "DAYSPRING_REDIS_URL", "DAYSPRING_RELEASE_URL",
                 "DAYSPRING_SPARK_MASTER"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


def environment(job: str) -> dict[str, str]:
    from dayspring.hooks import environment

    return environment(job)


def test_no_connection_changes_nothing() -> None:
    assert environment("homework") == {}


def test_mysql(monkeypatch: pytest.MonkeyPatch, masked: list[str]) -> None:
    from sqlalchemy.engine import make_url

    monkeypatch.setenv(
        "AIRFLOW_CONN_DAYSPRING_HOMEWORK",
        connection(
            conn_type="mysql", port=3307, login="read er", password=AWKWARD, schema="school",
            extra={"read_timeout": 30, "ssl": {"ca": "/etc/ca.pem"}},
        ),
    )  # fmt: skip
    url = make_url(environment("homework")["DAYSPRING_HOMEWORK_URL"])
    assert (url.drivername, url.host, url.port, url.database) == ("mysql+pymysql", "store", 3307, "school")
    assert (url.username, url.password) == ("read er", AWKWARD)
    assert dict(url.query) == {"charset": "utf8mb4", "read_timeout": "30", "ssl_ca": "/etc/ca.pem"}
    # Airflow masks the password as it is; in the URL it has another form.
    assert masked
    assert masked[0] in environment("homework")["DAYSPRING_HOMEWORK_URL"]


def test_hbase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_DAYSPRING_ADS",
        connection(conn_type="hbase", port=9090, schema="school", extra={"timeout": 30}),
    )
    assert environment("ads") == {"DAYSPRING_ADS_URL": "hbase://store:9090/school?timeout=30"}
    assert environment("homework") == {}


def test_redis(monkeypatch: pytest.MonkeyPatch, masked: list[str]) -> None:
    import redis

    monkeypatch.setenv(
        "AIRFLOW_CONN_DAYSPRING_REDIS",
        connection(
            conn_type="redis", port=6380, login="pusher", password=AWKWARD,
            extra={"ssl": True, "db": 2, "ssl_ca_certs": "/etc/ca.pem", "ssl_check_hostname": False},
        ),
    )  # fmt: skip
    url = environment("ads")["DAYSPRING_REDIS_URL"]
    assert urlsplit(url).scheme == "rediss"
    options = redis.ConnectionPool.from_url(url).connection_kwargs
    assert (options["host"], options["port"], options["db"]) == ("store", 6380, 2)
    assert (options["username"], options["password"]) == ("pusher", AWKWARD)
    assert options["ssl_ca_certs"] == "/etc/ca.pem"
    assert dict(parse_qsl(urlsplit(url).query))["ssl_check_hostname"] == "false"


def test_redis_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DAYSPRING_REDIS", "redis://:secret@cache:6379/3")
    assert environment("ads") == {"DAYSPRING_REDIS_URL": "redis://:secret@cache:6379/3"}


def test_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_DAYSPRING_RELEASE",
        json.dumps(
            {
                "conn_type": "aws",
                "login": "KEY",
                "password": "SECRET",
                "extra": {"bucket": "models", "prefix": "prod", "endpoint_url": "http://s3:7070", "region_name": "eu"},
            }
        ),
    )
    assert environment("ads") == {
        "DAYSPRING_RELEASE_URL": "s3://models/prod",
        "AWS_ENDPOINT_URL_S3": "http://s3:7070",
        "AWS_ACCESS_KEY_ID": "KEY",
        "AWS_SECRET_ACCESS_KEY": "SECRET",
        "AWS_DEFAULT_REGION": "eu",
    }


def test_a_variable_that_is_set_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DAYSPRING_ADS", connection(conn_type="hbase", port=9090))
    monkeypatch.setenv("DAYSPRING_ADS_URL", "parquet:/here")
    assert environment("ads") == {}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"conn_type": "ftp"}, "of type 'ftp'; for DAYSPRING_ADS_URL it is one of mysql"),
        ({"conn_type": "hbase", "host": ""}, "names no host"),
        ({"conn_type": "aws"}, "names no bucket"),
    ],
)
def test_one_that_cannot_be_used_is_not_retried(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], message: str
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    monkeypatch.setenv("AIRFLOW_CONN_DAYSPRING_ADS", connection(password=AWKWARD, **fields))
    with pytest.raises(AirflowFailException, match=message) as refused:
        environment("ads")
    assert AWKWARD not in str(refused.value)


def test_a_stage_sees_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring.operators import StageOperator

    monkeypatch.setenv("AIRFLOW_CONN_DAYSPRING_ADS", connection(conn_type="hbase", port=9090))
    task = StageOperator(task_id="extract", job="ads", stage="extract", experiments=["din"])
    env = task.get_env({})
    assert env["DAYSPRING_ADS_URL"] == "hbase://store:9090/"
    # What Airflow renders onto its pages holds no setting at all.
    assert task.env is None
    assert "hbase" not in task.bash_command


def test_the_sensor_and_its_trigger_look_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring import triggers
    from dayspring.hooks import source_hook

    monkeypatch.setenv("AIRFLOW_CONN_DAYSPRING_ADS", "hbase://127.0.0.1:1/")
    wanted = {"DAYSPRING_ADS_URL": "hbase://127.0.0.1:1/"}
    assert source_hook("ads").settings() == wanted
    seen: list[Any] = []

    def state_of(job: str, day: str, settings: dict[str, str]) -> dict[str, str]:
        seen.append(settings)
        return {"state": "ready", "reason": "there"}

    monkeypatch.setattr(triggers, "state_of", state_of)
    monkeypatch.setattr(triggers, "lacks_of", lambda job, day, settings: seen.append(settings) or "")

    async def first() -> Any:
        return await anext(triggers.DayReadyTrigger("ads", "2024-03-04", 0).run())

    assert asyncio.run(first()).payload["state"] == "ready"
    assert seen == [wanted, wanted]
    # Its arguments go into Airflow's database.
    assert "hbase" not in str(triggers.DayReadyTrigger("ads", "2024-03-04").serialize())


@pytest.mark.parametrize(
    ("place", "master"),
    [
        ({"host": "main", "port": 7078}, "spark://main:7078"),
        ({"host": "spark://main"}, "spark://main:7077"),
        ({"host": "spark://one:7077,two", "port": 7077}, "spark://one:7077,two:7077"),
    ],
)
def test_spark(monkeypatch: pytest.MonkeyPatch, place: dict[str, Any], master: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DAYSPRING_SPARK", json.dumps({"conn_type": "spark", **place}))
    assert environment("ads") == {"DAYSPRING_SPARK_MASTER": master}
