"""Holding Python's garbage collector off work that makes many objects and no garbage of its own."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_holders = 0
_was_on = False


@contextmanager
def no_collection() -> Iterator[None]:
    """No search for unreachable cycles meanwhile, in any thread; what is not in a cycle is freed as always.

    The search goes through all objects again and again as their number grows: it is three quarters of decoding rows
    that come as objects, and a fifth of importing TensorFlow. Holders may overlap; the last one to leave ends it.
    """
    global _holders, _was_on
    with _lock:
        if _holders == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0 and _was_on:
                gc.enable()
