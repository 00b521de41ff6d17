"""Machine code of an experiment's training step, kept for its next process: to compile one takes half of a small day.

TensorFlow's own cache on disk finds a program by every instruction of it, but reads its files unchecked, and does not
ask for which processor or how many threads they were made. So each process has a folder of its own for it, with what an
earlier one of the same :func:`machine` has left there, each file by the digest in its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from pipeline.errors import DayspringError
from pipeline.job import JobContext
from pipeline.storage.files import write_atomic

FOLDER = ".compiled"
"""Below the root, then a folder a job and one an experiment."""
KEPT = 8
"""Programs of an experiment, the newest. Each is of other sizes of its tables or of a batch; 1 to 3 MB."""
_CPU = Path("/proc/cpuinfo")
_PROCESSOR = (
    "vendor_id", "cpu family", "model", "model name", "stepping", "flags",
    "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features",
)  # fmt: skip


def keep_compiled_steps(context: JobContext, experiment: str) -> None:
    """Have this process start with what was compiled before, and leave what it compiles once the context is closed.

    Nothing is kept where the processor cannot be told, nor in a process that has TensorFlow already: it compiles once
    for many days.
    """
    if "tensorflow" in sys.modules or not _CPU.exists():
        return
    kept, mine = context.root / FOLDER / context.job / experiment, machine(context.config.threads)
    working = tempfile.TemporaryDirectory(prefix="dayspring-compiled-")
    context.on_close(working.cleanup)
    folder = Path(working.name)
    taken = taken_up(kept, folder, mine)
    context.on_close(lambda: leave(kept, folder, mine, taken))
    flags = f"--tf_xla_persistent_cache_directory={folder} --tf_xla_persistent_cache_device_types=CPU"
    os.environ["TF_XLA_FLAGS"] = f"{os.environ.get('TF_XLA_FLAGS', '')} {flags}".strip()
    # Of every program that it reads it says as an error that the processor may lack two features that are none.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def machine(threads: int) -> str:
    """Digest of all that decides, beside the program, what it is compiled to."""
    processor = _CPU.read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    told = dict(line.split(":", 1) for line in processor.splitlines() if ":" in line)
    known = {name.strip(): value.strip() for name, value in told.items()}
    made_for = [
        metadata.version("tensorflow"), platform.machine(), [known.get(name) for name in _PROCESSOR],
        len(os.sched_getaffinity(0)), threads, os.environ.get("XLA_FLAGS"), os.environ.get("TF_XLA_FLAGS"),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(made_for).encode()).hexdigest()[:16]


def taken_up(kept: Path, folder: Path, mine: str) -> set[str]:
    """Copy this machine's programs to where TensorFlow looks for them, and remove those that are not whole."""
    found = set()
    for path, of, name, digest in _programs(kept):
        if of != mine:
            continue
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # another process has just made room
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            path.unlink(missing_ok=True)
            continue
        (folder / name).write_bytes(data)
        found.add(name)
    return found


def leave(kept: Path, folder: Path, mine: str, taken: set[str]) -> None:
    """Keep what has been compiled since; of too many the oldest go. What cannot be kept is said, and fails nothing."""
    new = sorted(path for path in folder.iterdir() if path.name not in taken)
    try:
        for path in new:
            kept.mkdir(parents=True, exist_ok=True)
            data = path.read_bytes()
            write_atomic(kept / f"{mine}.{hashlib.sha256(data).hexdigest()}.{path.name}", data)
        if new:
            newest = sorted((path for path, *_ in _programs(kept)), key=lambda path: -path.stat().st_mtime_ns)
            for path in newest[KEPT:]:
                path.unlink(missing_ok=True)
    except (OSError, DayspringError) as error:
        print(f"{kept}: the next process has to compile its training step again: {error}", file=sys.stderr)


def _programs(kept: Path) -> Iterator[tuple[Path, str, str, str]]:
    """Each file with its machine, TensorFlow's name for it, and its digest."""
    for path in sorted(kept.glob("*.*.*.pb")):
        of, digest, name = path.name.split(".", 2)
        yield path, of, name, digest
