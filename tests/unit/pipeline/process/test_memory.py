"""What lies free between what is in use goes back to the system; what a process held at most is known."""

from __future__ import annotations

import ctypes
import os
import resource
import sys

import psutil
import pytest

from pipeline.process.memory import give_back_memory, peak_mb

BLOCKS, BYTES = 20_000, 4096


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the allocator is not glibc's")
def test_freed_pages_between_others_are_given_back() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = [libc.malloc(BYTES) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, BYTES)
    *freed, last = blocks
    for block in freed:
        libc.free(block)
    held = psutil.Process().memory_info().rss
    give_back_memory()
    assert held - psutil.Process().memory_info().rss > BLOCKS * BYTES // 2
    libc.free(last)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it of any process")
def test_peak_of_a_process() -> None:
    assert peak_mb(os.getpid()) == pytest.approx(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rel=0.05)


def test_no_peak_of_a_process_that_is_not_there() -> None:
    assert peak_mb(2**22 + 1) == 0
