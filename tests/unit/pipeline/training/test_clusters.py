"""Which trainers a process starts, of this machine or of `TF_CONFIG`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.training.clusters import clusters_of


def given(kind: str, index: int, **cluster: list[str]) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_without_hosts_all_are_started_here_each_told_of_all() -> None:
    first, second = clusters_of(None, 2, "")
    assert first["cluster"] == second["cluster"]
    assert [each["task"] for each in (first, second)] == [{"type": "worker", "index": n} for n in (0, 1)]
    assert len(set(first["cluster"]["worker"])) == 2
    assert all(each.startswith("127.0.0.1:") for each in first["cluster"]["worker"])


@pytest.mark.parametrize(("kind", "cluster"), [("chief", {"chief": ["a:1"], "worker": ["b:1"]}),
                                               ("worker", {"worker": ["a:1", "b:1"]})])  # fmt: skip
def test_of_hosts_the_first_is_started_here(kind: str, cluster: dict[str, Any]) -> None:
    named = given(kind, 0, **cluster)
    assert clusters_of(named, 2, "") == [json.loads(named)]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (given("worker", 0, worker=["a:1", "b:1", "c:1"]), "TF_CONFIG: names 3 trainers, and `workers` is 2"),
        (given("worker", 1, worker=["a:1", "b:1"]), "this is trainer 2, which follows the first: run `the command`"),
        (given("worker", 0, chief=["a:1"], worker=["b:1"]), "this is trainer 2, which follows the first"),
        ("{", "TF_CONFIG: JSONDecodeError.*expected"),
        ("{}", "TF_CONFIG: KeyError.*expected"),
    ],
)
def test_hosts_that_do_not_fit_are_refused(named: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        clusters_of(named, 2, "the command")
