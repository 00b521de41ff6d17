"""One process a stage, as Airflow runs the line: the same bits as one process for all days, and light processes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.tiny import LAST, OUTAGE, PROJECT, Place

HEAVY = ("tensorflow", "keras", "airflow", "sqlalchemy", "scipy", "matplotlib", "boto3", "requests")
LIGHT = ("extract", "validate", "update_id_maps", "build_features", "check", "release", "publish", "prune", "report")


def _imported(messages: str) -> set[str]:
    """Modules of ``-X importtime``."""
    return set(re.findall(r"^import time: .*\| +(\S+)$", messages, re.MULTILINE))


def _stage(place: Place, name: str, day: object, *more: str) -> tuple[int, str]:
    """Exit code and messages of a stage in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline", "stage", name, "--job", "ads", "--day", str(day), *more],
        cwd=PROJECT, env=place.variables(), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.slow
def test_a_process_a_stage_ends_bit_equal_and_imports_only_what_it_needs(begun: Place, trained: Place) -> None:
    for day in (OUTAGE, LAST):
        for name in LIGHT[:4]:
            code, messages = _stage(begun, name, day)
            assert code == 0, messages[-1000:]
            assert not _imported(messages) & set(HEAVY), f"{name} imports {_imported(messages) & set(HEAVY)}"
        both = [
            begun.start("stage", "experiment", "--job", "ads", "--day", day, "--experiment", name, PYTHONHASHSEED=seed)
            for name, seed in (("pooled", "1"), ("din", "2"))
        ]
        answers = [process.communicate(timeout=300)[1] for process in both]
        expected = 99 if day == OUTAGE else 0
        assert [process.returncode for process in both] == [expected, expected], answers
        for name in LIGHT[4:]:
            code, messages = _stage(begun, name, day)
            assert code == 0, messages[-1000:]
            assert not _imported(messages) & set(HEAVY), f"{name} imports {_imported(messages) & set(HEAVY)}"
    compared = begun.run("compare-chains", begun.root, trained.root, "--job", "ads")
    assert compared.out.startswith("equal: 6 trained days of 2 experiments"), compared.out
    assert begun.artifact("release", LAST).manifest.state == "done"
    _stop_redis(begun)


def _stop_redis(place: Place) -> None:
    from pipeline.storage.redis.embedded import stop

    stop(place.root)


def test_nothing_is_looked_for_on_the_network_when_the_project_is_imported() -> None:
    script = """
import sys
def hook(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__":
        raise RuntimeError(f"{event} {arguments}")
sys.addaudithook(hook)
import importlib, pkgutil, pipeline, models
for package in (pipeline, models):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith(("__main__", "checker_script")):
            importlib.import_module(module.name)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("arguments", [("--help",), ("status", "--job", "ads"), ("measures", "--job", "ads")])
def test_commands_that_only_look_start_without_tensorflow(trained: Place, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline", *arguments],
        cwd=PROJECT, env=trained.variables(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    assert not _imported(done.stderr) & {*HEAVY, "pandas"}
