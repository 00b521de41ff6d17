"""Servers of Redis that can take no release: said in one message by `doctor`, and before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from ops.deployment import write_private
from ops.services.base import HOST
from ops.services.redis import RedisServer
from pipeline.release.publish.redis_generations import Generations, Keys
from pipeline.storage.redis.connection import UnfitServer, connect
from tests.tiny import FIRST, Place

Own = Callable[[type[RedisServer]], RedisServer]
KEYS = Keys("test", "ads")


class Cluster(RedisServer):
    """One node of a cluster; it owns every slot, so that a small write goes through."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"cluster-enabled": "yes"})


class Replica(RedisServer):
    """Of a primary that is not there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"replicaof": f"{HOST} 1"})


class Sentinel(RedisServer):
    name = "sentinel"

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)
        lines = (f"bind {HOST}", f"port {self.port}", f"requirepass {self.password}", f'dir "{self.data}"',
                 f"sentinel monitor main {HOST} 1 1")  # fmt: skip
        write_private(self._configuration, "\n".join(lines) + "\n")

    def commands(self) -> Mapping[str, Sequence[str]]:
        return {name: [*command, "--sentinel"] for name, command in super().commands().items()}


def _unfit(root: Path, url: str) -> str:
    with pytest.raises(UnfitServer) as raised:
        Generations(connect(root, url), KEYS).check()
    said = str(raised.value)
    assert "\n" not in said
    return said


def test_a_cluster_is_told_so_by_doctor_and_before_anything_is_read(own_server: Own, place: Place) -> None:
    server = own_server(Cluster)
    connect(place.root, server.url).execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    told = "is a node of a cluster, whose keys lie on several servers"
    to_do = "name a Redis outside of any cluster"
    assert told in (said := _unfit(place.root, server.url))
    assert to_do in said
    assert told in _unfit(place.root, server.url.removesuffix("/0") + "/3")
    place.environment["DAYSPRING_REDIS_URL"] = server.url
    (bad,) = [line for line in place.run("doctor", "--job", "ads").out.splitlines() if line.startswith("BAD ")]
    assert bad.startswith("BAD   ads: Redis: ")
    for command in (
        ("run", "--day", FIRST), ("backfill", "--from", FIRST, "--to", FIRST), ("stage", "extract", "--day", FIRST),
    ):  # fmt: skip
        ran = place.run(*command, "--job", "ads")
        assert ran.code == 1
        assert told in ran.message
        assert to_do in ran.message
    assert not (place.root / "extract").exists()
    assert server.password not in ran.err


def test_a_node_whose_user_may_not_ask_what_it_is(own_server: Own, tmp_path: Path) -> None:
    server = own_server(Cluster)
    admin = connect(tmp_path, server.url)
    admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
    admin.acl_setuser("app", enabled=True, passwords=["+app"], keys=["*"], categories=["+@all"], commands=["-info"])
    assert "is a node of a cluster" in _unfit(tmp_path, f"redis://app:app@{HOST}:{server.port}/0")


def test_a_replica_and_a_sentinel(own_server: Own, tmp_path: Path) -> None:
    assert "read-only replica; name the primary" in _unfit(tmp_path, own_server(Replica).url)
    assert "is a sentinel, which keeps no data; name the primary" in _unfit(tmp_path, own_server(Sentinel).url)


@pytest.mark.parametrize(
    ("denied", "keys", "told"),
    [
        ("hset", "test:*", "hset"), ("pexpire", "test:*", "pexpire"), ("unlink", "test:*", "unlink"),
        ("", "other:*", "key"),
    ],
)  # fmt: skip
def test_a_user_who_may_not_do_one_of_the_things_that_a_release_needs(
    own_server: Own, tmp_path: Path, denied: str, keys: str, told: str
) -> None:
    server = own_server(RedisServer)
    admin = connect(tmp_path, server.url)
    commands = [f"-{denied}"] if denied else []
    admin.acl_setuser("app", enabled=True, passwords=["+app"], keys=[keys], categories=["+@all"], commands=commands)
    said = _unfit(tmp_path, f"redis://app:app@{HOST}:{server.port}/0")
    assert told in said
    assert "grant its user" in said


def test_a_wrong_password_ends_a_run_at_once_and_an_absent_server_does_not(
    redis_server: RedisServer, place: Place
) -> None:
    place.environment["DAYSPRING_REDIS_URL"] = f"redis://:wrong@{HOST}:{redis_server.port}/0"
    ran = place.run("stage", "extract", "--job", "ads", "--day", FIRST)
    assert (ran.code, "cannot be used: it does not accept user and password" in ran.message) == (1, True)
    assert not (place.root / "extract").exists()
    place.environment["DAYSPRING_REDIS_URL"] = f"redis://{HOST}:1/0"
    ran = place.run("stage", "extract", "--job", "ads", "--day", FIRST)
    assert ran.code == 0, ran.err
    assert "warning: Redis at redis://127.0.0.1:1/0 does not answer" in ran.err
    assert (place.root / "extract").exists()
