from __future__ import annotations

import logging
from threading import Event

import pytest

from pipeline.errors import DayspringError
from pipeline.serving.taken_up import TakenUp


class Served:
    """What is served, by name; made ready when the test lets it be."""

    def __init__(self) -> None:
        self.name = "first"
        self.may, self.done = Event(), Event()
        self.may.set()
        self.fails = False

    def __call__(self) -> str:
        assert self.may.wait(30)
        try:
            if self.fails:
                raise DayspringError(f"{self.name}: no model")
            return self.name
        finally:
            self.done.set()


@pytest.fixture
def served() -> Served:
    return Served()


def taken_when_ready(taken: TakenUp[str], served: Served, name: str) -> str:
    """What answers after the release that is served was made ready."""
    assert served.done.wait(30)
    while taken.release() != name:  # between being made and being known to be lies an instant
        pass
    return taken.release()


def test_the_one_before_answers_until_the_new_one_is_ready(served: Served) -> None:
    taken = TakenUp(served)
    assert taken.release() == "first"
    served.may.clear()
    served.done.clear()
    served.name = "second"
    taken.begin()
    assert [taken.release(), taken.release()] == ["first", "first"]
    served.may.set()
    assert taken_when_ready(taken, served, "second") == "second"
    taken.close()


def test_one_that_is_gone_is_not_answered_with_and_the_coming_one_is_waited_for(served: Served) -> None:
    taken = TakenUp(served)
    assert taken.release() == "first"
    served.name = "second"
    taken.begin()
    taken.gone()
    assert taken.release() == "second"
    served.name = "third"
    taken.gone()
    assert taken.release() == "third"
    taken.close()


def test_one_that_cannot_be_made_ready_is_told_and_the_one_before_answers(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    taken = TakenUp(served)
    assert taken.release() == "first"
    served.name, served.fails = "second", True
    served.done.clear()
    taken.begin()
    taken.close()  # waits for it
    with caplog.at_level(logging.WARNING):
        assert taken.release() == "first"
    assert "second: no model" in caplog.text
    taken.begin()  # not again at once: the executor is closed and would refuse
    taken.gone()
    with pytest.raises(DayspringError, match="second: no model"):
        taken.release()


def test_renewed_it_is_what_is_served_now(served: Served) -> None:
    taken = TakenUp(served)
    assert taken.release() == "first"
    served.name = "second"
    taken.begin()
    served.name = "third"
    taken.renew()
    assert taken.release() == "third"
    taken.close()
