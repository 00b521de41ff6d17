"""A process that works for others dies with any of them, however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from pipeline.process.parents import VARIABLE, workers
from tests.tiny import PROJECT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")

STAGE = """
import sys, time
from pipeline.process.parents import die_with_parents
die_with_parents()
print("up", flush=True)
time.sleep(120)
"""
# A worker that starts a task that starts a stage, each told of nothing but its own place, as Airflow's are.
TASK = f"""
import os, subprocess, sys
from pipeline.process.parents import VARIABLE, workers
stage = subprocess.Popen([sys.executable, "-c", {STAGE!r}], env=dict(os.environ, **{{VARIABLE: workers()}}),
                         start_new_session=True, stdout=subprocess.PIPE, text=True)
stage.stdout.readline()
print(stage.pid, flush=True)
stage.wait()
"""
WORKER = f"""
import subprocess, sys
task = subprocess.Popen([sys.executable, "-c", {TASK!r}], stdout=subprocess.PIPE, text=True)
print(task.pid, task.stdout.readline(), flush=True)
task.wait()
"""


@pytest.fixture
def processes() -> tuple[psutil.Process, psutil.Process, psutil.Process]:
    """Worker, task and stage."""
    started = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert started.stdout is not None
    task, stage = started.stdout.readline().split()
    return psutil.Process(started.pid), psutil.Process(int(task)), psutil.Process(int(stage))


@pytest.mark.parametrize("killed", [0, 1])
def test_the_stage_dies_with_its_task_and_with_the_worker_above(
    processes: tuple[psutil.Process, psutil.Process, psutil.Process], killed: int
) -> None:
    stage = processes[2]
    assert stage.is_running()
    processes[killed].send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs([stage], timeout=20)
    assert alive == []
    for process in processes[:2]:
        if process.is_running():
            process.kill()


def test_a_process_told_of_one_that_has_ended_does_not_start() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    done = subprocess.run(
        [sys.executable, "-c", STAGE], cwd=PROJECT, env={**os.environ, VARIABLE: f"{os.getpid()},{gone.pid}"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")


def test_its_own_children_are_not_told() -> None:
    program = "import os; from pipeline.process.parents import *; die_with_parents(); print(VARIABLE in os.environ)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env={**os.environ, VARIABLE: workers()},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def test_without_the_variable_nothing_is_watched() -> None:
    program = (
        "import ctypes, threading; from pipeline.process.parents import die_with_parents; die_with_parents(); "
        "found = ctypes.c_int(-1); ctypes.CDLL(None).prctl(2, ctypes.byref(found), 0, 0, 0); "
        "print(threading.active_count(), found.value)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True
    )
    # One thread, and no signal at the parent's death.
    assert done.stdout == "1 0\n"
