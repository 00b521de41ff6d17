"""Faults of the Redis server while a release is pushed: told clearly, nothing switched, whole after a repeat."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis

from ops.services.redis import RedisServer
from pipeline.errors import DayspringError
from pipeline.release.contents.parts import RELEASE_FIELD, Part
from pipeline.release.publish.redis_generations import Generations
from pipeline.serving.release_reader import ReleaseReader
from pipeline.storage.redis.connection import connect
from tests.integration.releases import KEYS, Bench, artifact_of
from tests.proxy import Proxy

Own = Callable[[type[RedisServer]], RedisServer]
LARGE = [Part("users", {f"u{i}": b"x" * 100 for i in range(30_000)}), Part("meta", {"day": b'"2024-03-01"'})]


@pytest.fixture
def bench(tmp_path: Path, redis_url: str) -> Iterator[Bench]:
    made = Bench(tmp_path, redis_url=redis_url)
    made.publisher().publish(artifact_of(1))
    yield made
    made.client.close()


def through(redis_url: str, proxy: Proxy) -> str:
    secret, _, place = redis_url.rpartition("@")
    return f"{secret}@127.0.0.1:{proxy.port}/{place.rpartition('/')[2]}"


def contents(client: redis.Redis, release: str) -> dict[bytes, dict[bytes, bytes]]:
    return {key: client.hgetall(key) for key in client.keys(f"test:ads:{release}:*")}


def still_serves_one(bench: Bench, client: redis.Redis) -> None:
    reader = ReleaseReader(client, KEYS)
    assert reader.pointer.release_id == "r1"
    names = [f"u{i}" for i in range(0, 2500, 50)]
    assert reader.fetch({"users": names})["users"] == dict.fromkeys(names, b"1")


def test_a_connection_cut_in_the_middle_of_a_push_leaves_the_same_generation(bench: Bench, redis_url: str) -> None:
    undisturbed = Generations(bench.client, KEYS)
    shards = undisturbed.push("r2", LARGE)
    expected = contents(bench.client, "r2")
    bench.client.delete(*expected)
    host, port = "127.0.0.1", int(redis_url.rpartition(":")[2].partition("/")[0])
    with Proxy(host, port) as proxy:
        client = connect(bench.root, through(redis_url, proxy))
        for size in (1_000_000, 2_500_000, 3_000_000):
            proxy.cut_after_sent(size)
            assert Generations(client, KEYS).push("r2", LARGE) == shards
            assert contents(bench.client, "r2") == expected
            bench.client.delete(*expected)
        assert proxy.connections >= 4
        client.close()
    still_serves_one(bench, bench.client)


def test_a_server_that_stays_away_is_told_of_and_the_push_can_be_repeated(
    bench: Bench, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.storage.redis.connection._RETRIES", 1)
    with Proxy("127.0.0.1", int(redis_url.rpartition(":")[2].partition("/")[0])) as proxy:
        client = connect(bench.root, through(redis_url, proxy))
        proxy.refuse()
        proxy.cut()
        with pytest.raises(DayspringError, match=rf"Redis at 127\.0\.0\.1:{proxy.port}/\d+: pushing release r2"):
            Generations(client, KEYS).push("r2", LARGE)
        proxy.refuse(False)
        Generations(client, KEYS).push("r2", LARGE)
        client.close()
    still_serves_one(bench, bench.client)


def test_a_server_that_does_not_answer_in_time(bench: Bench, redis_url: str) -> None:
    with Proxy("127.0.0.1", int(redis_url.rpartition(":")[2].partition("/")[0])) as proxy:
        client = connect(bench.root, through(redis_url, proxy), timeout=0.5)
        proxy.slow_down(5)
        with pytest.raises(DayspringError, match="no answer in time"):
            Generations(client, KEYS).push("r2", LARGE)
        with pytest.raises(DayspringError, match=r"does not answer: no answer in time"):
            connect(bench.root, through(redis_url, proxy), timeout=0.5)
        client.close()


class Forgetful(RedisServer):
    """Keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"appendonly": "no"})


@pytest.mark.parametrize("kind", [RedisServer, Forgetful])
def test_killed_and_started_again_in_the_middle_of_a_push(
    own_server: Own, tmp_path: Path, kind: type[RedisServer]
) -> None:
    server = own_server(kind)
    bench = Bench(tmp_path, redis_url=server.url)
    bench.publisher().publish(artifact_of(1))
    generations = Generations(bench.client, KEYS, 20_000)
    begun, ended = threading.Event(), threading.Event()
    in_time: list[bool] = []
    real = Generations._commands

    def noticed(self: Generations, *args: Any) -> Iterator[Any]:
        for number, each in enumerate(real(self, *args)):
            if number == 100:
                begun.set()
            yield each

    def kill() -> None:
        begun.wait(60)
        server.kill()
        in_time.append(not ended.is_set())
        server.start()

    other = threading.Thread(target=kill)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Generations, "_commands", noticed)
        other.start()
        shards = generations.push("r2", LARGE)
        ended.set()
        other.join()
    assert in_time == [True]
    assert shards == {part.name: len(part.shards()) for part in LARGE}
    values: dict[bytes, bytes] = {}
    for fields in contents(bench.client, "r2").values():
        assert fields.pop(RELEASE_FIELD.encode()) == b"r2"
        values |= fields
    assert values == {name.encode(): value for part in LARGE for name, value in part.fields.items()}
    if kind is RedisServer:
        still_serves_one(bench, bench.client)
    assert bench.publisher().publish(artifact_of(1)).status == "published"
    still_serves_one(bench, bench.client)
    bench.client.close()


def test_out_of_memory_takes_the_half_pushed_release_away_and_serves_on(own_server: Own, tmp_path: Path) -> None:
    server = own_server(RedisServer)
    bench = Bench(tmp_path, redis_url=server.url)
    bench.publisher().publish(artifact_of(1))
    used = bench.client.info("memory")["used_memory"]
    bench.client.config_set("maxmemory", used + 1_000_000)
    with pytest.raises(DayspringError, match=r"r2; nothing was switched: it is out of memory.*maxmemory") as caught:
        bench.generations.push("r2", LARGE)
    assert "x" * 20 not in str(caught.value)  # no values of users in messages
    still_serves_one(bench, bench.client)
    assert contents(bench.client, "r2") == {}
    assert bench.client.hkeys(KEYS.generations) == [b"r1"]
    bench.client.config_set("maxmemory", 0)
    bench.generations.push("r2", LARGE)
    bench.client.close()


def test_a_failed_repair_of_what_is_served_takes_nothing_away(own_server: Own, tmp_path: Path) -> None:
    bench = Bench(tmp_path, redis_url=own_server(RedisServer).url)
    bench.publisher().publish(artifact_of(1))
    before = contents(bench.client, "r1")
    bench.client.config_set("maxmemory", 1)
    with pytest.raises(DayspringError, match="out of memory"):
        bench.generations.push("r1", bench.parts(1))
    assert contents(bench.client, "r1") == before
    bench.client.close()


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_a_server_that_evicts_any_key_is_refused_before_anything_is_pushed(
    own_server: Own, tmp_path: Path, policy: str
) -> None:
    bench = Bench(tmp_path, redis_url=own_server(RedisServer).url)
    bench.client.config_set("maxmemory-policy", policy)
    bench.client.config_set("maxmemory", "1gb")
    with pytest.raises(DayspringError, match=rf"maxmemory-policy {policy}.*noeviction"):
        bench.publisher().publish(artifact_of(1))
    assert bench.client.keys("*") == []
    with pytest.raises(DayspringError, match=policy):
        bench.generations.check()
    bench.client.config_set("maxmemory", 0)  # without a limit it evicts nothing
    bench.publisher().publish(artifact_of(1))
    bench.client.close()


def test_fields_evicted_where_the_policy_is_hidden_are_found_before_the_switch(own_server: Own, tmp_path: Path) -> None:
    server = own_server(RedisServer)
    bench = Bench(tmp_path, redis_url=server.url)
    bench.publisher().publish(artifact_of(1))
    user = {
        "enabled": True,
        "passwords": ["+writer"],
        "keys": ["test:*"],
        "categories": ["+@all"],
        "commands": ["-info"],
    }
    bench.client.acl_setuser("writer", **user)
    hidden = connect(tmp_path, f"redis://writer:writer@127.0.0.1:{server.port}/0")
    bench.client.config_set("maxmemory-policy", "allkeys-random")
    bench.client.config_set("maxmemory", bench.client.info("memory")["used_memory"] + 1_500_000)
    generations = Generations(hidden, KEYS)
    with pytest.raises(DayspringError, match="nothing was switched"):
        generations.push("r2", LARGE)
    current = generations.current()
    assert current is None or current.release_id == "r1"
    hidden.close()
    bench.client.close()


def test_a_replica_is_told_to_be_one(own_server: Own, tmp_path: Path) -> None:
    server = own_server(RedisServer)
    client = connect(tmp_path, server.url)
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(DayspringError, match=r"read-only replica; name the primary"):
        Generations(client, KEYS).push("r1", LARGE)
    client.close()


@pytest.mark.parametrize("user", ["", "app"])
def test_a_wrong_password_is_not_shown(redis_server: RedisServer, tmp_path: Path, user: str) -> None:
    wrong = "very-s3cret/word"
    with pytest.raises(DayspringError, match="does not accept user and password") as caught:
        connect(tmp_path, f"redis://{user}:{quote(wrong, safe='')}@127.0.0.1:{redis_server.port}/0")
    assert f"127.0.0.1:{redis_server.port}" in str(caught.value)
    for secret in (wrong, quote(wrong, safe=""), redis_server.password):
        assert secret not in str(caught.value)


def test_no_password_where_one_is_needed(redis_server: RedisServer, tmp_path: Path) -> None:
    with pytest.raises(DayspringError, match=r"does not accept user and password.*DAYSPRING_REDIS_URL"):
        connect(tmp_path, f"redis://127.0.0.1:{redis_server.port}/0")


def test_a_user_without_the_right_to_write(own_server: Own, tmp_path: Path) -> None:
    server = own_server(RedisServer)
    admin = connect(tmp_path, server.url)
    admin.acl_setuser("reader", enabled=True, passwords=["+reader"], keys=["test:*"], categories=["+@read"],
                      commands=["+ping", "+info"])  # fmt: skip
    client = connect(tmp_path, f"redis://reader:reader@127.0.0.1:{server.port}/0")
    with pytest.raises(DayspringError, match=r"no permissions.*grant its user"):
        Generations(client, KEYS).push("r1", LARGE)
    assert Generations(client, KEYS).current() is None
    for each in (client, admin):
        each.close()


@pytest.mark.skipif(
    shutil.which("openssl") is None and os.environ.get("CI") != "true",
    reason="openssl makes the certificates; install openssl",
)
def test_tls_with_a_ca_of_ones_own(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    port = RedisServer(tmp_path / "redis").port_of("tls")
    server = RedisServer(tmp_path / "redis", {
        "tls-port": str(port), "tls-cert-file": str(certificate), "tls-key-file": str(key),
        "tls-ca-cert-file": str(certificate), "tls-auth-clients": "no",
    })  # fmt: skip
    with server:
        url = f"rediss://:{server.password}@127.0.0.1:{port}/0"
        client = connect(tmp_path, f"{url}?ssl_ca_certs={certificate}")
        Generations(client, KEYS).push("r1", LARGE[1:])
        client.close()
        with pytest.raises(DayspringError, match="certificate verify failed") as caught:
            connect(tmp_path, url)
        assert server.password not in str(caught.value)
