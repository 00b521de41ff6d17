"""What the demo's data sets set, embedded and on the servers; arguments that stay off the command line."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ops import deployment, quietly, samples
from ops.services.base import Service
from ops.services.stack import Stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Four servers that are not there, taken for running."""
    monkeypatch.setattr(Service, "is_running", lambda self: True)
    for name in ("mariadb", "redis", "s3", "hbase"):
        (tmp_path / name).mkdir()
    return Stack(tmp_path)


def test_only_urls_differ_between_the_profiles(stack: Stack) -> None:
    embedded, served = samples.school().settings, samples.school(stack).settings
    differing = {name for name in embedded.keys() | served.keys() if embedded.get(name) != served.get(name)}
    assert {name for name in differing if not name.startswith("AWS_")} == {
        "DAYSPRING_ROOT",
        "DAYSPRING_HOMEWORK_URL",
        "DAYSPRING_ADS_URL",
        "DAYSPRING_REDIS_URL",
        "DAYSPRING_RELEASE_URL",
    }


def test_data_sets_are_kept_apart_on_the_servers(stack: Stack, tmp_path: Path) -> None:
    school, real = samples.school(stack).settings, samples.real(tmp_path, full=False, stack=stack).settings
    for name in ("DAYSPRING_HOMEWORK_URL", "DAYSPRING_ADS_URL", "DAYSPRING_REDIS_URL", "DAYSPRING_RELEASE_URL"):
        assert school[name] != real[name]
    assert school == samples.school(stack).settings


def test_the_pipeline_may_only_read_the_database(stack: Stack) -> None:
    assert "//reader:" in samples.school(stack).settings["DAYSPRING_HOMEWORK_URL"]


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


def test_arguments_stay_off_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shows_itself.py").write_text(
        "import os, pathlib, psutil, sys\n"
        "command = ' '.join(psutil.Process().cmdline())\n"
        "pathlib.Path(sys.argv[1]).write_text(repr((sys.argv[2:], command, 'DAYSPRING_COMMAND' in os.environ)))\n"
        "sys.exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    out = tmp_path / "out"
    assert quietly.run("shows_itself", [str(out), "--target", "mysql://u:hunter2@host/db"]) == 7
    arguments, command, left = ast.literal_eval(out.read_text())
    assert arguments == ["--target", "mysql://u:hunter2@host/db"]
    assert "hunter2" not in command
    assert not left
