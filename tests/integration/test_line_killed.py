"""A backfill that is killed at chosen moments and started again ends as one that was not."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.tiny import FIRST, LAST, PROJECT, Place

BACKFILL = ("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none")
MOMENTS = {
    "some id spaces of the first day have grown, others have not": ("pipeline.features.ids.store", "write_atomic", 4),
    "the second experiment is trained and not written": ("pipeline.training.checkpoint_file", "write", 2),
    # An artefact's manifest and the mark that makes it current are written by turns.
    "the tenth artefact is whole and not current": ("pipeline.storage.artifacts.store", "write_atomic", 20),
    "the second day's tables have grown and are not trained": ("models.engine.engine", "Engine.train_epoch", 3),
}
"""A function that is called where a process shall die, and at which of its calls."""
PROGRAM = """
import importlib, os, signal, sys
from pipeline.cli.main import main
where, _, name = f"module.{sys.argv[2]}".rpartition(".")
where = eval(where, {"module": importlib.import_module(sys.argv[1])})
real, calls, last = getattr(where, name), 0, int(sys.argv[3])
def dying(*args, **more):
    global calls
    calls += 1
    if calls == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **more)
setattr(where, name, dying)
sys.exit(main(sys.argv[4:]))
"""


@pytest.mark.slow
def test_killed_at_each_of_the_moments_it_ends_bit_equal(place: Place, trained: Place) -> None:
    for number, (moment, (module, name, call)) in enumerate(MOMENTS.items()):
        # Each process hashes text in another order.
        killed = subprocess.run(
            [sys.executable, "-c", PROGRAM, module, name, str(call), *map(str, BACKFILL)], cwd=PROJECT, text=True,
            env={**place.variables(), "PYTHONHASHSEED": str(number)}, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        assert killed.returncode == -signal.SIGKILL, (moment, killed.stderr[-2000:])
        assert place.run("compare-chains", place.root, trained.root, "--job", "ads").code == 1
    assert list(place.root.rglob(".staging*")), "none of them died with an artefact half made"
    ran = place.good(*BACKFILL)
    assert "Traceback" not in ran.err
    compared = place.run("compare-chains", place.root, trained.root, "--job", "ads")
    assert compared.out.startswith("equal: 6 trained days of 2 experiments"), compared.out
    place.good("doctor", "--job", "ads")
    assert not list(place.root.rglob(".staging*"))
