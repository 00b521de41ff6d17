"""Whether a file system keeps what artefacts stand on: one holder of a lock, a rename that is seen at once and whole.

A shared one (NFS, SMB, a parallel file system) may be mounted without locks, or with locks that hold on one host alone
(``nolock``, ``local_lock=all``): a lock is taken here and tried by another process, which also reads what a rename here
has put in a file's place. What holds between two hosts one host alone cannot tell.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.errors import DayspringError
from pipeline.storage.files import write_atomic
from pipeline.storage.locks import held

_OTHER = """
import sys
from pathlib import Path
from filelock import FileLock, Timeout
folder = Path(sys.argv[1])
try:
    FileLock(str(folder / "probe.lock"), timeout=0, fallback_to_soft=False).acquire()
    print("lock")
except Timeout:
    pass
if (folder / "renamed").read_bytes() != b"new" * 100_000:
    print("rename")
"""
_PATIENCE = 60


def hold_between_processes(root: Path) -> None:
    """Raises ``DayspringError`` where another process of this machine gets a held lock, or reads what was replaced."""
    with tempfile.TemporaryDirectory(dir=root) as name:
        folder = Path(name)
        (folder / "renamed").write_bytes(b"old")
        with held(folder / "probe.lock", timeout=5, what="probe"):
            write_atomic(folder / "renamed", b"new" * 100_000, durable=False)
            other = subprocess.run(
                [sys.executable, "-c", _OTHER, str(folder)], capture_output=True, text=True, timeout=_PATIENCE,
                check=False, env=os.environ,
            )  # fmt: skip
    broken = other.stdout.split()
    if other.returncode != 0:
        raise DayspringError(f"{root}: cannot be tried by a second process: {other.stderr.strip()[-500:]}")
    if "lock" in broken:
        raise DayspringError(
            f"{root}: a second process gets a lock that the first one holds; mount it with locks (NFS: version 4, "
            "without `nolock` or `local_lock`), or put DAYSPRING_ROOT elsewhere"
        )
    if "rename" in broken:
        raise DayspringError(
            f"{root}: a second process does not read what a rename has put in a file's place; mount it without that "
            "cache, or put DAYSPRING_ROOT elsewhere"
        )
