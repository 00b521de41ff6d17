"""Compiled programs go from process to process: whole, of this machine alone, the newest ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.training import compiled_steps
from pipeline.training.compiled_steps import FOLDER, KEPT, keep_compiled_steps, leave, machine, taken_up
from tests.tiny import PROJECT

# A product whose bits depend on how it was compiled.
PROGRAM = """
import sys
from pathlib import Path
from types import SimpleNamespace
from pipeline.training.compiled_steps import keep_compiled_steps
closing = []
context = SimpleNamespace(
    root=Path(sys.argv[1]), job="ads", config=SimpleNamespace(threads=int(sys.argv[2])), on_close=closing.append
)
keep_compiled_steps(context, "din")
from pipeline.process.tensorflow_start import start_tensorflow
start_tensorflow()
import tensorflow as tf
from models.engine.engine import configure
configure(context.config.threads)
product = tf.function(lambda x: tf.reduce_sum(tf.tanh(tf.matmul(x, x)), axis=0), jit_compile=True)
print(product(tf.reshape(tf.range(1600, dtype=tf.float32) / 1600.0, (40, 40))).numpy().tobytes().hex())
while closing:
    closing.pop()()
"""


def kept(root: Path) -> list[Path]:
    return sorted((root / FOLDER / "ads" / "din").iterdir())


def test_the_next_process_runs_what_the_one_before_compiled(tmp_path: Path) -> None:
    # As a stage is run: what a run of all tests says of it would have TensorFlow tell more.
    variables = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}

    def run(threads: int) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path), str(threads)],
            cwd=PROJECT, env={**variables, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    first = run(2)
    (program,) = kept(tmp_path)
    whole = program.read_bytes()
    # It is read, not compiled anew and left once more.
    assert run(2) == first
    assert kept(tmp_path) == [program]
    # A file that a dying disk left half of is compiled again.
    program.write_bytes(whole[:-100])
    assert run(2) == first
    (again,) = kept(tmp_path)
    assert again.name.split(".", 2)[2] == program.name.split(".", 2)[2]
    assert len(again.read_bytes()) == len(whole)
    # Bits depend on the number of threads, of which the program itself says nothing.
    run(1)
    assert len(kept(tmp_path)) == 2
    assert not list(tmp_path.glob("dayspring-compiled-*"))


def folders(tmp_path: Path, *names: str) -> list[Path]:
    found = [tmp_path / name for name in names]
    for each in found:
        each.mkdir()
    return found


def test_only_whole_programs_of_the_same_machine_are_taken_up(tmp_path: Path) -> None:
    first, second, third, store = folders(tmp_path, "first", "second", "third", "store")
    (first / "step.pb").write_bytes(b"one")
    (first / "other.pb").write_bytes(b"two")
    leave(store, first, "here", set())
    assert taken_up(store, second, "elsewhere") == set()
    (broken,) = store.glob("*.other.pb")
    broken.write_bytes(b"tw")
    (store / ".here.abc.third.pb.1.tmp").write_bytes(b"half")  # its writer was killed
    assert taken_up(store, second, "here") == {"step.pb"}
    assert [(each.name, each.read_bytes()) for each in second.iterdir()] == [("step.pb", b"one")]
    assert not broken.exists()
    # Only what is new is left; what was taken up is there.
    leave(store, second, "here", {"step.pb"})
    (second / "new.pb").write_bytes(b"three")
    leave(store, second, "here", {"step.pb"})
    assert taken_up(store, third, "here") == {"step.pb", "new.pb"}


def test_the_oldest_programs_make_room(tmp_path: Path) -> None:
    store, *working = folders(tmp_path, "store", *map(str, range(KEPT + 2)))
    for number, folder in enumerate(working):
        (folder / f"{number}.pb").write_bytes(str(number).encode())
        leave(store, folder, "here", set())
        (path,) = store.glob(f"*.{number}.pb")
        os.utime(path, ns=(number, number))
    (last,) = folders(tmp_path, "last")
    assert taken_up(store, last, "here") == {f"{number}.pb" for number in range(2, KEPT + 2)}


def test_what_cannot_be_kept_is_said_and_fails_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (working,) = folders(tmp_path, "working")
    (tmp_path / "store").write_text("no folder")
    (working / "step.pb").write_bytes(b"one")
    leave(tmp_path / "store", working, "here", set())
    assert "the next process has to compile its training step again" in capsys.readouterr().err


def test_a_machine_is_its_processor_its_threads_and_its_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "processor : {0}\nmodel name : one\ncpu MHz : {0}\nflags : avx {1}\n\nprocessor : 9\nflags : none\n"
    (cpu := tmp_path / "cpuinfo").write_text(told.format(0, "fma"))
    monkeypatch.setattr(compiled_steps, "_CPU", cpu)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    here = machine(2)
    cpu.write_text(told.format(3, "fma"))
    assert machine(2) == here, "its speed of the moment and its number are nothing of a program"
    assert machine(3) != here
    cpu.write_text(told.format(0, "avx512f"))
    assert machine(2) != here
    cpu.write_text(told.format(0, "fma"))
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    assert machine(2) != here


def test_a_process_that_has_tensorflow_already_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace())  # type: ignore[arg-type]
    monkeypatch.delenv("TF_XLA_FLAGS", raising=False)
    context: Any = SimpleNamespace(root=tmp_path, job="ads", config=SimpleNamespace(threads=2))
    keep_compiled_steps(context, "din")
    assert "TF_XLA_FLAGS" not in os.environ
    assert not list(tmp_path.iterdir())
