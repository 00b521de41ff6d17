"""What a deployment remembers, keeps private and hands to its processes."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from dayspring import daily_dag
from ops import airflow, deployment, samples
from ops import deployment as deployments
from ops.deployment import MARK, Deployment, free_port, remember, remembered
from ops.services.stack import Stack


def test_port_and_mark_are_kept(tmp_path: Path) -> None:
    first = Deployment.load(tmp_path / "own")
    first.prepare({"DAYSPRING_ROOT": "/somewhere"})
    again = Deployment.load(tmp_path / "own")
    assert (again.port, again.mark, again.settings) == (first.port, first.mark, {"DAYSPRING_ROOT": "/somewhere"})


def test_a_busy_port_is_passed_over() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert free_port(port) > port


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    made = Deployment(tmp_path).secrets()
    assert Deployment(tmp_path).secrets() == made
    assert len(made["jwt"]) >= 64
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert Deployment(tmp_path / "other").secrets()["password"] != made["password"]


def test_the_callers_own_airflow_and_settings_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIRFLOW_HOME", "AIRFLOW__CORE__EXECUTOR", "AIRFLOW_CONN_X", "DAYSPRING_ADS_URL"):
        monkeypatch.setenv(name, "stranger")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    mine = Deployment(tmp_path)
    mine.prepare({"DAYSPRING_ROOT": "/somewhere"})
    env = mine.environment()
    assert "stranger" not in env.values()
    assert "PYTHONDONTWRITEBYTECODE" not in env
    assert env["DAYSPRING_ROOT"] == "/somewhere"
    assert env[MARK] == mine.mark
    assert env["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert env["AIRFLOW__CORE__DAG_DISCOVERY_SAFE_MODE"] == "False", "a file without the word is passed over in silence"
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://127.0.0.1:{mine.port}/execution/"


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text('{"port": 1', encoding="utf-8")
    with pytest.raises(SystemExit, match=r"deployment\.json: damaged"):
        Deployment.load(tmp_path)


def test_the_last_demos_settings_survive_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployments, "PROJECT", tmp_path)
    assert remembered() == {}
    settings = {"DAYSPRING_ROOT": "/a folder/with 'quotes'", "DAYSPRING_ADS_URL": "parquet:/x=y"}
    remember(settings)
    assert remembered() == settings


def test_settings_reach_airflow_and_are_private(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = samples.school(stack).settings
    assert set(settings) <= set(deployment.SETTINGS)
    monkeypatch.setattr(deployment, "PROJECT", tmp_path)
    deployment.remember(settings)
    assert deployment.current_file().stat().st_mode & 0o077 == 0
    assert deployment.remembered() == settings


def test_another_airflows_settings_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    monkeypatch.setenv("AIRFLOW_CONN_DAYSPRING_ADS", "other")
    env = deployment.Deployment(tmp_path, {"AWS_ACCESS_KEY_ID": "own"}, 8091, "mark").environment()
    assert "AWS_SECRET_ACCESS_KEY" not in env
    assert "AIRFLOW_CONN_DAYSPRING_ADS" not in env
    assert env["AWS_ACCESS_KEY_ID"] == "own"
    # An Airflow with the caller's own stores takes both along.
    assert deployment.settings_from_environment().keys() >= {"AWS_SECRET_ACCESS_KEY", "AIRFLOW_CONN_DAYSPRING_ADS"}


def test_by_a_broker_tasks_go_to_workers_of_their_own(tmp_path: Path) -> None:
    mine = Deployment(tmp_path)
    assert list(airflow.components_of(mine)) == list(airflow.COMPONENTS)
    assert mine.environment()["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    mine.prepare({"DAYSPRING_BROKER_URL": "redis://:secret@broker/3"})
    found = mine.environment()
    assert found["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert found["AIRFLOW__CELERY__BROKER_URL"] == found["AIRFLOW__CELERY__RESULT_BACKEND"] == "redis://:secret@broker/3"
    added = {name: command for name, command in airflow.components_of(mine).items() if name not in airflow.COMPONENTS}
    queues = [command[command.index("--queues") + 1] for command in added.values()]
    assert sorted(",".join(queues).split(",")) == sorted(daily_dag.QUEUES)
    assert "secret" not in str(added)
