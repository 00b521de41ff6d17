from __future__ import annotations

from pathlib import Path

import pytest
import redis
from redis.utils import HIREDIS_AVAILABLE

from pipeline.errors import ConfigError, DayspringError
from pipeline.storage.redis.connection import connect, told


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(DayspringError, match=r"redis://:\*\*\*@127\.0\.0\.1:1/0 does not answer") as caught:
        connect(tmp_path, "redis://:secret@127.0.0.1:1/0")
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "redis").exists()  # the embedded one is not started beside it


def test_a_url_of_another_kind_is_a_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_REDIS_URL", "http://:secret@cache/")
    with pytest.raises(ConfigError, match="DAYSPRING_REDIS_URL") as caught:
        connect(tmp_path)
    assert "secret" not in str(caught.value)


def test_commands_are_packed_in_c() -> None:
    # Without hiredis the client packs them itself, and a release takes half as long again.
    assert HIREDIS_AVAILABLE


@pytest.mark.parametrize(
    ("error", "told_as"),
    [
        (
            redis.OutOfMemoryError("Command # 1 (HSET k u1 private) of pipeline caused error: OOM"),
            "it is out of memory",
        ),
        (redis.ResponseError("Command # 1 (HSET k u1 private) of pipeline caused error: ERR odd"), "ERR odd"),
        (redis.BusyLoadingError("Redis is loading the dataset in memory"), "still reading its data set"),
        (redis.TimeoutError("Timeout reading from socket"), "no answer in time"),
        (redis.InvalidResponse("Protocol Error: b'HTTP/1.1 400 Bad Request'"), "what answers there is no Redis"),
        (redis.ConnectionError("Error 1 connecting. [SSL: WRONG_VERSION_NUMBER]"), "does not speak TLS.*redis://"),
        (redis.ConnectionError("Connection closed by server."), "hangs up.*rediss://"),
        (redis.exceptions.MovedError("3999 127.0.0.1:6381"), "is a node of a cluster.*outside of any cluster"),
        (redis.exceptions.ClusterDownError("Hash slot not served"), "is a node of a cluster"),
        (redis.ResponseError("SELECT is not allowed in cluster mode"), "is a node of a cluster"),
        (redis.exceptions.MasterDownError("Link with MASTER is down"), "replica without its primary"),
        (redis.ResponseError("MISCONF Redis is configured to save RDB snapshots"), "refuses writes"),
    ],
)
def test_what_goes_wrong_names_the_server_and_never_the_data(error: Exception, told_as: str) -> None:
    client = redis.Redis(host="cache", port=6380, db=2)
    with (
        pytest.raises(DayspringError, match=f"Redis at cache:6380/2: pushing: .*{told_as}") as caught,
        told(client, "pushing"),
    ):
        raise error
    assert "private" not in str(caught.value)
