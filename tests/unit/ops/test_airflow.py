from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ops import airflow
from ops.deployment import SETTINGS, Deployment
from ops.rest import Api, ApiError


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """Those who take each port between its choice and its use; nothing is really started."""
    taken: list[socket.socket] = []

    def start(command: list[str], env: dict[str, str], name: str, logs: Path) -> None:
        if name == "api-server" and len(taken) < airflow._PORTS_TRIED - 1:
            stranger = socket.socket()
            stranger.bind(("127.0.0.1", int(env["AIRFLOW__API__PORT"])))
            stranger.listen()
            taken.append(stranger)

    monkeypatch.setenv("DAYSPRING_AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setattr(airflow.processes, "start", start)
    monkeypatch.setattr(airflow, "_migrate", lambda *_: None)
    return taken


def test_the_login_of_another_airflow_on_the_port_is_no_start(
    strangers: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def make_pool(api: Api) -> None:
        asked.append(api._base)
        if len(asked) == len(strangers):  # until nobody is there before us
            raise ApiError(401, "Invalid credentials")

    monkeypatch.setattr(airflow, "_wait_until_healthy", lambda *_: None)
    monkeypatch.setattr(airflow, "_make_pool", make_pool)
    deployment = airflow.up("own", {})
    assert len(strangers) == airflow._PORTS_TRIED - 1
    assert len(set(asked)) == len(asked) == airflow._PORTS_TRIED
    assert asked[-1] == deployment.url
    for each in strangers:
        each.close()


def test_a_server_that_found_its_port_taken_is_started_on_another(
    strangers: list[socket.socket], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waited: list[int] = []
    really = airflow._wait_until_healthy

    def wait(deployment: Deployment, patience: float) -> None:
        waited.append(deployment.port)
        if len(waited) < airflow._PORTS_TRIED:
            log = deployment.logs / "api-server.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(f"[Errno 98] error while attempting to bind on {deployment.port}: address already in use")
            really(deployment, patience)  # no process of that name lives

    monkeypatch.setattr(airflow, "_wait_until_healthy", wait)
    monkeypatch.setattr(airflow, "_make_pool", lambda api: None)
    assert airflow.up("own", {}).port == waited[-1]
    assert len(set(waited)) == airflow._PORTS_TRIED
    for each in strangers:
        each.close()


def test_another_error_of_the_server_is_told_as_it_is(
    strangers: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_pool(api: Api) -> None:
        raise ApiError(500, "the database is gone")

    monkeypatch.setattr(airflow, "_wait_until_healthy", lambda *_: None)
    monkeypatch.setattr(airflow, "_make_pool", make_pool)
    with pytest.raises(ApiError, match="the database is gone"):
        airflow.up("own", {})
    for each in strangers:
        each.close()


def started(name: str, settings: dict[str, str]) -> Deployment:
    """A deployment of which the scheduler's process has ended."""
    deployment = Deployment.load(airflow.airflow_homes() / name)
    deployment.prepare(settings)
    deployment.logs.mkdir(parents=True)
    (deployment.logs / "scheduler.pid").write_text("1 1", encoding="utf-8")
    return deployment


def test_an_airflow_that_lost_its_scheduler_is_the_one_that_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAYSPRING_AIRFLOW_HOME", str(tmp_path))
    for name in [each for each in os.environ if each in SETTINGS]:
        monkeypatch.delenv(name)
    assert airflow._asked_for(None) == ("own", {})
    demo = started("school", {"DAYSPRING_ROOT": "/data/school"})
    assert airflow._asked_for(None) == ("school", {"DAYSPRING_ROOT": "/data/school"})
    assert airflow._asked_for("other") == ("other", {})
    monkeypatch.setattr(airflow.processes, "pid_of", lambda name, logs: None if name == "scheduler" else 7)
    monkeypatch.setattr(Api, "health", lambda api: {"metadatabase": "healthy", "scheduler": "unhealthy"})
    airflow._say_how_it_is(demo)
    said = capsys.readouterr().out
    assert said.startswith(f"airflow (school): {demo.url}  login admin / ")
    assert "scheduler ended; `make airflow` starts it again" in said
    monkeypatch.setenv("DAYSPRING_ROOT", "/data/mine")
    assert airflow._asked_for(None) == ("own", {"DAYSPRING_ROOT": "/data/mine"})
    for path in demo.logs.glob("*.pid"):  # as `down` does
        path.unlink()
    monkeypatch.delenv("DAYSPRING_ROOT")
    assert airflow._asked_for(None) == ("own", {})


def test_settings_that_name_no_store_change_the_airflow_that_was_started_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYSPRING_AIRFLOW_HOME", str(tmp_path))
    for name in [each for each in os.environ if each in SETTINGS]:
        monkeypatch.delenv(name)
    started("school", {"DAYSPRING_ROOT": "/data/school", "DAYSPRING_SCHEDULE_END": "2024-03-10"})
    monkeypatch.setenv("DAYSPRING_SCHEDULE_END", "2024-03-11")
    later = {"DAYSPRING_ROOT": "/data/school", "DAYSPRING_SCHEDULE_END": "2024-03-11"}
    assert airflow._asked_for(None) == ("school", later)
    monkeypatch.setenv("DAYSPRING_ROOT", "/data/school")
    assert airflow._asked_for(None) == ("school", later)
    monkeypatch.setenv("DAYSPRING_ROOT", "/data/mine")
    assert airflow._asked_for(None) == ("own", later | {"DAYSPRING_ROOT": "/data/mine"})


def test_what_has_ended_is_started_again_and_what_runs_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAYSPRING_AIRFLOW_HOME", str(tmp_path))
    settings = {"DAYSPRING_ROOT": "/data/school"}
    deployment = started("school", settings)
    begun: list[str] = []
    running = {"api-server", "scheduler"}
    monkeypatch.setattr(airflow.processes, "pid_of", lambda name, logs: 7 if name in running else None)
    monkeypatch.setattr(airflow.processes, "start", lambda command, env, name, logs: begun.append(name))
    monkeypatch.setattr(airflow, "_wait_until_healthy", lambda *_: None)

    def never(*_: object) -> None:
        raise AssertionError("what runs was stopped")

    monkeypatch.setattr(airflow, "down_one", never)
    assert airflow.up("school", settings).mark == deployment.mark
    assert begun == ["dag-processor", "triggerer"]
    assert "starting again what has ended: dag-processor, triggerer" in capsys.readouterr().out


def test_the_command_line_of_airflow_has_the_environment_of_the_one_that_was_started_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYSPRING_AIRFLOW_HOME", str(tmp_path))
    with pytest.raises(SystemExit, match="none was started here that could be asked: make airflow"):
        airflow.main(["cli", "dags", "list"])
    started("school", {"DAYSPRING_ROOT": "/data/school"})
    became: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda path, words, env: became.append((words, env)))
    airflow.main(["cli", "dags", "list", "--output", "json"])
    ((words, env),) = became
    assert words == ["airflow", "dags", "list", "--output", "json"]
    assert env["AIRFLOW_HOME"] == str(tmp_path / "school")
    assert env["AIRFLOW__CORE__PLUGINS_FOLDER"].endswith("plugins")


def test_a_name_may_stand_behind_what_is_to_be_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str | None] = []

    def up(name: str, settings: dict[str, str]) -> Deployment:
        asked.append(name)
        return Deployment(tmp_path)

    monkeypatch.setattr(airflow, "up", up)
    monkeypatch.setenv("DAYSPRING_AIRFLOW_HOME", str(tmp_path))
    for words in (["up", "--name", "school"], ["--name", "school", "up"]):
        airflow.main(words)
    assert asked == ["school", "school"]
