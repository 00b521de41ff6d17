"""One connection, and which of its faults pass."""

from __future__ import annotations

from typing import Any

import happybase
import pytest
from thriftpy2.thrift import TApplicationException

from pipeline.errors import SourceError
from pipeline.sources.hbase import link as module
from pipeline.sources.hbase.address import Address
from pipeline.sources.hbase.link import ATTEMPTS, Gateway, Link, Stopped, Trouble, is_timeout


class Connection:
    """Counts how many were opened and how many are open."""

    opened = 0
    open = 0

    def __init__(self, *given: Any, **named: Any) -> None:
        Connection.opened += 1
        Connection.open += 1

    def table(self, name: str) -> str:
        return name

    def close(self) -> None:
        Connection.open -= 1


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> Link:
    monkeypatch.setattr(happybase, "Connection", Connection)
    monkeypatch.setattr(Connection, "opened", 0)
    monkeypatch.setattr(Connection, "open", 0)
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 0.0)
    gateway = Gateway(Address("gate", 1, prefix="day_"), "DAYSPRING_ADS_URL")
    gateway.reached = True
    return Link(gateway)


def asked(link: Link, *faults: Exception) -> list[int]:
    """How often a question was put until it was answered."""
    left, puts = list(faults), [0]

    def call(link: Link) -> list[int]:
        link.table("ctx")
        puts[0] += 1
        if left:
            raise left.pop(0)
        return puts

    return link.ask("reading ctx", call)


def test_what_broke_off_is_asked_again_on_another_connection(link: Link) -> None:
    assert link.table("ctx") == "day_ctx"
    assert asked(link, OSError("reset"), EOFError()) == [3]
    assert (Connection.opened, Connection.open) == (3, 1)


def test_faults_without_end_are_given_up_with_the_last_of_them(link: Link) -> None:
    with pytest.raises(SourceError, match=rf"reading ctx: broke off {ATTEMPTS} times .* last with: OSError: 'reset'"):
        asked(link, *[OSError("reset")] * ATTEMPTS)
    assert asked(link, *[OSError("reset")] * (ATTEMPTS - 1)) == [ATTEMPTS]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (TApplicationException(TApplicationException.UNKNOWN_METHOD, "no getTableRegions"), "not `hbase thrift2`"),
        (OSError("org.apache.TableNotFoundException: ctx"), "HBase says: OSError: 'org.apache.TableNotFoundException"),
    ],
)
def test_what_will_not_pass_is_said_at_once(link: Link, fault: Exception, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        asked(link, fault)
    assert Connection.opened == 1


def test_a_fault_that_is_ours_is_raised_as_it_is(link: Link) -> None:
    with pytest.raises(KeyError):
        asked(link, KeyError("column"))
    assert Connection.open == 0


def test_progress_begins_the_count_anew(link: Link) -> None:
    trouble = Trouble(link, "scanning")
    for _ in range(3):
        for _ in range(ATTEMPTS - 1):
            trouble.meet(OSError("reset"))
        trouble.over()


def test_a_link_that_was_closed_stops_whoever_works_with_it(link: Link) -> None:
    link.connection()
    link.close()
    assert (link.closed, Connection.open) == (True, 0)
    with pytest.raises(Stopped):
        link.connection()
    with pytest.raises(Stopped):
        link.wait(60)
    with pytest.raises(Stopped):
        Trouble(link, "scanning").meet(OSError("closed under it"))


def test_a_timeout_is_one_although_closing_failed_in_another_way() -> None:
    closed = OSError("closed")
    closed.__context__ = TimeoutError("timed out")
    assert is_timeout(closed)
    assert not is_timeout(OSError("closed"))
    assert not is_timeout(None)
