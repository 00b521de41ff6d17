"""The memory of processes: given back to the system once it is free, and how much it was at most."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path


def give_back_memory() -> None:
    """Give the system the pages that lie free between others: 10 ms. Without glibc nothing is done.

    The allocator does it by itself at the end of its heaps only. To compile one more step takes 240 MB for seconds, of
    which it would hold on to 200 for days.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def peak_mb(process: int) -> int:
    """The most memory in MB that a process has held at once; 0 where the system does not say."""
    status = Path(f"/proc/{process}/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.is_file() else None
    return int(found[1]) // 1024 if found is not None else 0
