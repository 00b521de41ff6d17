"""Commands that are shown work when pasted: the right folder and interpreter, all settings or none, no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import commands
from pipeline.commands import PROJECT, beginning, shown

STATUS = "look: `python -m pipeline status --job ads`, then `python -m pipeline prune --job ads`"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which an interpreter prints what it was asked and the settings that it sees."""
    for name in [name for name in os.environ if name.startswith(("DAYSPRING_", "AWS_"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "a checkout's folder"
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$PWD|$*"; env | grep -E "^(DAYSPRING|AWS)_" | sort\n', encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(commands, "PROJECT", folder)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.chdir(folder)
    return folder


def pasted(command: str, cwd: Path, **environment: str) -> list[str]:
    clean = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(["sh", "-c", command], cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


def remember(project: Path, **settings: str) -> None:
    (project / ".dayspring").mkdir()
    lines = [f"export {name}='{value}'" for name, value in settings.items()]
    (project / ".dayspring" / "current.env").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_none_are_needed_where_nothing_is_set(project: Path, tmp_path: Path) -> None:
    command = shown("python -m pipeline status --job ads")
    assert pasted(command, tmp_path) == [f"{project}|-m pipeline status --job ads"]


def test_none_are_needed_where_the_demo_left_the_same_ones(project: Path) -> None:
    settings = {"DAYSPRING_ROOT": "/r", "DAYSPRING_CONF": "/c", "DAYSPRING_REDIS_URL": "redis://:secret@h:1/0"}
    remember(project, **settings)
    assert beginning({**settings, "DAYSPRING_PYTHON": ""}).endswith("&& bin/python -m pipeline")


def test_all_of_them_where_the_demo_left_others(project: Path, tmp_path: Path) -> None:
    """The fault: root and settings' folder alone turned the rest of `current.env` off."""
    remember(project, DAYSPRING_ROOT="/other", DAYSPRING_RELEASE_URL="file:/other/bucket")
    settings = {
        "DAYSPRING_ROOT": "/my root", "DAYSPRING_CONF": "/c", "DAYSPRING_RELEASE_URL": "file:/my root/bucket",
        "DAYSPRING_ADS_URL": "parquet:/ads", "DAYSPRING_HOMEWORK_URL": "sqlite:////school.db",
        "DAYSPRING_REDIS_URL": "redis://h:1/0", "DAYSPRING_SCHEDULE_END": "2024-02-29",
    }  # fmt: skip
    told = pasted(shown("python -m pipeline status", settings), tmp_path)
    assert told == [f"{project}|-m pipeline status", *(f"{name}={settings[name]}" for name in sorted(settings))]


def test_relative_places_are_meant_from_where_the_process_runs(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {"DAYSPRING_ROOT": "r", "DAYSPRING_RELEASE_URL": "file:b", "DAYSPRING_ADS_URL": "sqlite:///ads.db"}
    told = pasted(shown("python -m pipeline status", settings), project)[1:]
    assert told == [
        f"DAYSPRING_ADS_URL=sqlite:///{tmp_path}/ads.db", f"DAYSPRING_RELEASE_URL=file:{tmp_path}/b",
        f"DAYSPRING_ROOT={tmp_path}/r",
    ]  # fmt: skip
    assert pasted(shown("python -m pipeline status", {}), project)[1:] == [f"DAYSPRING_ROOT={tmp_path}/.dayspring"]


@pytest.mark.parametrize(
    "settings",
    [
        {"DAYSPRING_ADS_URL": "mysql+pymysql://reader:pass'word@h/db"},
        {"DAYSPRING_REDIS_URL": "redis://:pass'word@h:1/0"},
        {"DAYSPRING_RELEASE_URL": "s3://bucket/models", "AWS_SECRET_ACCESS_KEY": "pass'word"},
    ],
)
def test_a_secret_is_the_shells_and_missed_with_its_name(
    project: Path, tmp_path: Path, settings: dict[str, str]
) -> None:
    command = shown("python -m pipeline status", {"DAYSPRING_ROOT": "/r", **settings})
    assert "word@" not in command
    assert "pass" not in command.replace("pipeline", "")
    name = [*settings][-1]
    (told,) = pasted(command, tmp_path)
    assert f"{name}: set it first, it holds a secret" in told
    assert f"{name}={settings[name]}" in pasted(command, tmp_path, **settings)


def test_a_profile_goes_with_the_files_that_it_stands_in(project: Path, tmp_path: Path) -> None:
    settings = {
        "AWS_CONFIG_FILE": "/etc/aws/config", "AWS_PROFILE": "p", "AWS_SHARED_CREDENTIALS_FILE": "/etc/aws/keys",
        "DAYSPRING_RELEASE_URL": "s3://bucket/models", "DAYSPRING_ROOT": "/r",
    }  # fmt: skip
    told = pasted(shown("python -m pipeline status", settings), tmp_path)[1:]
    assert sorted(told) == [f"{name}={value}" for name, value in settings.items()]


def test_credentials_of_a_store_that_is_not_used_are_left_out(project: Path) -> None:
    begins = beginning({"DAYSPRING_ROOT": "/r", "DAYSPRING_ALERT_WEBHOOK_URL": "https://x/y", "AWS_PROFILE": "p"})
    assert begins == "cd " + commands.shlex.quote(str(project)) + " && DAYSPRING_ROOT=/r bin/python -m pipeline"


def test_every_command_of_a_text_once_in_whatever_holds_it(project: Path) -> None:
    begins = beginning({})
    once = shown({"a": [STATUS, 1, None], "b": ("python -m pipeline",)}, {})
    assert once == {"a": [STATUS.replace("python -m pipeline", begins), 1, None], "b": ["python -m pipeline"]}
    assert shown(once, {}) == once


def test_in_a_container_they_are_what_is_typed_outside_it() -> None:
    settings = {"DAYSPRING_COMMAND": "docker compose exec airflow-scheduler python -m pipeline", "DAYSPRING_ROOT": "/d"}
    assert shown("run `python -m pipeline doctor --job ads`", settings) == (
        "run `docker compose exec airflow-scheduler python -m pipeline doctor --job ads`"
    )


def test_this_checkout_runs_its_own() -> None:
    done = subprocess.run(
        ["sh", "-c", shown("python -m pipeline --help")], cwd="/", capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.returncode, PROJECT.joinpath("pipeline").is_dir()) == (0, True), done.stderr
