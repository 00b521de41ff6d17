"""Memory that was freed, given back to the system."""

from __future__ import annotations

import ctypes


def give_back_memory() -> None:
    """Give the system the pages that lie free between others: 10 ms. Without glibc nothing is done.

    The allocator does it by itself at the end of its heaps only. To compile one more step takes 240 MB for seconds, of
    which it would hold on to 200 for days.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
