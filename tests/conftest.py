"""One tiny school a session, and chains trained on it once, for the tests that run the whole line."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from ops.processes import end_servers_under
from pipeline.days import Day
from pipeline.process.tensorflow_start import start_tensorflow
from pipeline.release.check.checker import Checker
from pipeline.stages.line import Line
from tests import tiny
from tests.made_once import made_once
from tests.order import in_order, together
from tests.tiny import FIRST, LAST, SECOND, STATE_FROM, Place, copy_of

pytest_plugins = ["tests.services"]

# No test judges by time: a busy machine is no fault of the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

USE_TENSORFLOW = ("tests/integration", "tests/faults", "tests/end_to_end", "tests/unit/models", "tests/unit/benchmarks",
                  "tests/unit/pipeline/release/check/test_checker_script.py")  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of `--dist loadfile`: units of work as `tests.order` has them."""
    from xdist.scheduler import LoadFileScheduling

    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = together
    return scheduler if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = in_order(items)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """What is imported and collected makes no garbage worth looking for meanwhile."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """TensorFlow's threads are settled before any test starts it: a process has one number for good."""
    if any(item.nodeid.startswith(USE_TENSORFLOW) for item in session.items):
        start_tensorflow()
        from models.engine.engine import configure

        configure(2)
    # What was collected stays to the end; looking through it for garbage again and again took a tenth of the run.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the run's processes and their children have worked: shared by all cores it takes no less."""
    spent, cores = os.times(), os.cpu_count() or 1
    worked = spent.user + spent.system + spent.children_user + spent.children_system
    least = f"on {cores} cores at least {worked / cores:.0f} s"
    terminalreporter.write_line(f"{worked:.0f} s of CPU, servers aside: {least}")


@pytest.fixture(scope="session", autouse=True)
def _quick_disk() -> Iterator[None]:
    """Nothing here has to outlive the machine; that what is committed is synced first is tested where it is done."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_redis_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Embedded Redis servers outlive the process that started them, but not the tests."""
    yield
    end_servers_under(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session", autouse=True)
def _one_checker() -> Iterator[None]:
    """One clean process checks the exports of all commands here, as it would those of all days of one command.

    It imports TensorFlow, which costs more than a tiny day.
    """
    checker = Checker()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checker, "of", lambda context: context.kept(Checker, lambda: checker))
        yield
    checker.close()


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Sources and settings, no artefacts; not to be changed."""

    def make(folder: Path) -> None:
        tiny.generate(folder)
        for job in ("ads", "homework"):
            Place(folder).configure(job, tiny.settings(job))

    return Place(made_once("school", tmp_path_factory, make))


@pytest.fixture(scope="session")
def trained(school: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The job ``ads`` trained on all days by one process, undisturbed; not to be changed.

    Beside its ``root`` a copy ``root-second``: as it was at the end of the second day.
    """

    def make(folder: Path) -> None:
        place = copy_of(school, folder)
        with _second_day_kept(place):
            place.good("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none")

    return Place(made_once("trained", tmp_path_factory, make))


@pytest.fixture(scope="session")
def lessons(school: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The job ``homework`` trained on all days, last year's rows replayed; not to be changed.

    Beside its ``root`` a copy ``root-second``, as that of ``trained``.
    """

    def make(folder: Path) -> None:
        place = copy_of(school, folder)
        days = ("--from", FIRST, "--to", LAST, "--state-from", STATE_FROM)
        with _second_day_kept(place):
            place.good("backfill", "--job", "homework", *days, "--publish", "none")

    return Place(made_once("lessons", tmp_path_factory, make))


@contextmanager
def _second_day_kept(place: Place) -> Iterator[None]:
    """What is there when the second day has been told of is copied to ``root-second``."""
    said = Line.say_day

    def keep(line: Line, day: Day, text: str) -> None:
        said(line, day, text)
        if day == SECOND:
            shutil.copytree(place.root, place.folder / "root-second")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Line, "say_day", keep)
        yield


@pytest.fixture
def place(school: Place, tmp_path: Path) -> Place:
    """Sources and settings to break, no artefacts."""
    return copy_of(school, tmp_path / "place")


@pytest.fixture
def begun(trained: Place, tmp_path: Path) -> Place:
    """The job ``ads`` as it was at the end of its second day, to go on with."""
    place = copy_of(trained, tmp_path / "begun")
    shutil.copytree(trained.folder / "root-second", place.root)
    return place


@pytest.fixture
def chain(trained: Place, tmp_path: Path) -> Place:
    """A trained job ``ads`` to break."""
    return copy_of(trained, tmp_path / "chain", root=True)
