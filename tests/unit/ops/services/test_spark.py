"""A Spark that PySpark brings: left out where that is not installed, and closed to whoever lacks its secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.services import spark
from ops.services.spark import Spark
from ops.services.stack import Stack


def test_left_out_where_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "_home", lambda: None)
    assert Spark(tmp_path).lacking() == "PySpark is not installed: make dev"
    assert "spark" not in [service.name for service in Stack(tmp_path).services]


def test_its_settings_are_the_owner_s_to_read_alone(tmp_path: Path) -> None:
    server = Spark(tmp_path)
    server.folder.mkdir(exist_ok=True)
    server.prepare()
    settings = server.conf / "spark-defaults.conf"
    assert f"spark.authenticate.secret {server.secret('secret')}\n" in settings.read_text()
    assert settings.stat().st_mode & 0o077 == 0
    assert server.secret("secret") not in str(server.environment()) + str(server.commands())


def test_two_workers_that_know_their_master(tmp_path: Path) -> None:
    commands = Spark(tmp_path).commands()
    assert list(commands) == ["master", "worker-1", "worker-2"]
    assert commands["worker-2"][-1] == f"spark://127.0.0.1:{Spark(tmp_path).port}"
    assert all(command[2:4] == ["--host", "127.0.0.1"] for command in commands.values())
