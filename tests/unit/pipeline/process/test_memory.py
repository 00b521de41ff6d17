"""What lies free between what is in use goes back to the system."""

from __future__ import annotations

import ctypes

import psutil
import pytest

from pipeline.process.memory import give_back_memory

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
