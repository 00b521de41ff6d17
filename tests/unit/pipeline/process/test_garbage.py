from __future__ import annotations

import gc
import threading

import pytest

from pipeline.process.garbage import no_collection


def test_it_is_on_again_when_the_last_holder_has_left() -> None:
    assert gc.isenabled()
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with no_collection():
            inside.set()
            leave.wait(10)

    other = threading.Thread(target=hold)
    with no_collection():
        assert not gc.isenabled()
        other.start()
        assert inside.wait(10)
    assert not gc.isenabled()
    leave.set()
    other.join(10)
    assert gc.isenabled()


def test_it_is_on_again_after_an_error_and_stays_off_where_it_was_off() -> None:
    with pytest.raises(KeyError), no_collection():
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
