"""What TensorFlow says as it starts: everybody knows the chatter, all else is passed on."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.tiny import PROJECT

# A module `tensorflow` that talks as the real one does, on the descriptor of native code.
PROGRAM = """
import os, sys, types
from pipeline.process import tensorflow_start
class Talking(types.ModuleType):
    @property
    def config(self):
        os.write(2, b"E0000 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error\\n\\n")
        os.write(2, b"W: the disk is nearly full\\n")
        threading = types.SimpleNamespace(set_intra_op_parallelism_threads=lambda number: print("threads", number))
        return types.SimpleNamespace(list_physical_devices=lambda: [], threading=threading)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            import importlib.machinery
            return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec):
        return Talking(spec.name)
    def exec_module(self, module):
        print("oneDNN custom operations are on", file=sys.stderr)
sys.meta_path.insert(0, Finder())
for threads in THREADS:
    tensorflow_start.start_tensorflow(threads)
print("after", file=sys.stderr)
print(os.environ["TF_CPP_MIN_LOG_LEVEL"])
"""


def started(*threads: int | None) -> subprocess.CompletedProcess[str]:
    """A process that starts TensorFlow once for each."""
    clean = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    program = PROGRAM.replace("THREADS", repr(threads))
    return subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=clean, capture_output=True, text=True, timeout=60, check=True
    )


def test_chatter_is_left_out_and_nothing_else_is_lost() -> None:
    done = started(None)
    assert done.stderr.splitlines() == ["W: the disk is nearly full", "after"]
    assert done.stdout == "2\n"


def test_who_starts_it_says_how_many_threads_share_an_operation() -> None:
    assert started(1, 2).stdout == "threads 1\n2\n"
    assert started(None, 2).stdout == "2\n"
