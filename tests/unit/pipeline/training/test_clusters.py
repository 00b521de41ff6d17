"""Which trainers a process starts, of this machine or of `TF_CONFIG`, and when one joins."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.training.clusters import Cluster, started_here, wait_for


def given(kind: str, index: int, **cluster: list[str]) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_without_hosts_all_are_started_here_each_told_of_all() -> None:
    first, second = started_here(None, 2, "")
    assert first.addresses == second.addresses
    assert (first.number, second.number) == (0, 1)
    assert len(set(first.addresses)) == 2
    assert all(each.startswith("127.0.0.1:") for each in first.addresses)
    assert Cluster.of(second.written, 2) == second


@pytest.mark.parametrize(("kind", "cluster"), [("chief", {"chief": ["a:1"], "worker": ["b:1"]}),
                                               ("worker", {"worker": ["a:1", "b:1"]})])  # fmt: skip
def test_of_hosts_the_first_is_started_here(kind: str, cluster: dict[str, Any]) -> None:
    assert started_here(given(kind, 0, **cluster), 2, "") == [Cluster(("a:1", "b:1"), 0)]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (given("worker", 0, worker=["a:1", "b:1", "c:1"]), "TF_CONFIG: names 3 trainers, and `workers` is 2"),
        (given("worker", 1, worker=["a:1", "b:1"]), "this is trainer 2, which follows the first: run `the command`"),
        (given("worker", 0, chief=["a:1"], worker=["b:1"]), "this is trainer 2, which follows the first"),
        (given("worker", 2, worker=["a:1", "b:1"]), "TF_CONFIG: .*expected"),
        (given("worker", 0, worker=["a", "b"]), "TF_CONFIG: .*expected"),
        ("{", "TF_CONFIG: JSONDecodeError.*expected"),
        ("{}", "TF_CONFIG: KeyError.*expected"),
    ],
)
def test_hosts_that_do_not_fit_are_refused(named: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        started_here(named, 2, "the command")


def test_one_waits_until_the_first_listens() -> None:
    (first,) = started_here(None, 1, "")
    waiting = threading.Thread(target=wait_for, args=first.addresses, daemon=True)
    waiting.start()
    assert waiting.is_alive()
    host, port = first.addresses[0].split(":")
    with socket.create_server((host, int(port))):
        waiting.join(30)
        assert not waiting.is_alive()
