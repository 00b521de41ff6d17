"""Going on after faults, against a gateway of the test's own that breaks off as it is told."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import happybase
import pytest
from thriftpy2.transport import TTransportException

from pipeline.errors import SourceError
from pipeline.sources.hbase import link as link_module
from pipeline.sources.hbase.address import Address
from pipeline.sources.hbase.key_ranges import KeyRange
from pipeline.sources.hbase.link import Gateway, Link, describe
from pipeline.sources.hbase.scan import Question, pieces_of, scan_range

WHOLE = KeyRange(b"", b"")


class FakeHBase:
    """Keys, and what goes wrong with the scans of them.

    Attributes:
        faults: what is raised by the next scans, each after so many rows.
        patience: rows that a scan may pass over before its answer comes too late; only those of ``shown`` are given.
    """

    def __init__(self, keys: list[bytes]) -> None:
        self.keys = sorted(keys)
        self.shown = set(keys)
        self.faults: list[tuple[int, Exception]] = []
        self.patience: int | None = None
        self.scans = 0
        self.opened = 0

    def connect(self, *given: Any, **named: Any) -> FakeHBase:
        self.opened += 1
        return self

    def table(self, name: str) -> FakeHBase:
        return self

    def close(self) -> None:
        return

    def regions(self) -> list[dict[str, bytes]]:
        return [{"start_key": b""}, {"start_key": b"5"}]

    def scan(
        self, row_start: bytes, row_stop: bytes | None, batch_size: int, columns: Any = None, filter: Any = None,
        limit: int | None = None, reverse: bool = False,
    ) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:  # fmt: skip
        low, high = (row_stop or b"", row_start) if reverse else (row_start, row_stop or b"")
        inside = [key for key in self.keys if low <= key and (not high or key < high or (reverse and key == high))]
        if reverse or limit is not None:
            yield from [(key, {}) for key in (reversed(inside) if reverse else inside)][:limit]
            return
        self.scans += 1
        after, fault = self.faults.pop(0) if self.faults else (len(self.keys) + 1, None)
        given = passed = 0
        for key in inside:
            if fault is not None and given == after:
                raise fault
            passed += 1
            if self.patience is not None and passed > self.patience:
                raise TimeoutError("timed out")
            if key in self.shown:
                given += 1
                passed = 0
                yield key, {b"c:a": key}
        if fault is not None:
            raise fault


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeHBase:
    found = FakeHBase([f"{n}_1".encode() for n in range(100, 1000)])
    monkeypatch.setattr(happybase, "Connection", found.connect)
    monkeypatch.setattr(link_module, "_LONGEST_PAUSE", 0.0)
    return found


@pytest.fixture
def link() -> Link:
    gateway = Gateway(Address("gate", 1), "X")
    gateway.reached = True
    return Link(gateway)


def question(batch: int = 7) -> Question:
    return Question("t", (b"c:a",), "F", batch)


def keys(link: Link, whole: KeyRange = WHOLE, batch: int = 7) -> list[bytes]:
    return [key for rows in scan_range(link, question(batch), whole) for key, _ in rows]


@pytest.mark.parametrize("seed", range(20))
def test_rows_come_once_and_in_order_wherever_it_breaks(fake: FakeHBase, link: Link, seed: int) -> None:
    chance = random.Random(seed)
    kinds = [
        lambda: TTransportException(4, "read 0 bytes"), lambda: ConnectionResetError(104, "reset"),
        lambda: TimeoutError("timed out"), EOFError,
    ]  # fmt: skip
    fake.faults = [(chance.choice([0, 1, 7, 13, 40]), chance.choice(kinds)()) for _ in range(10)]
    assert keys(link) == fake.keys
    assert not fake.faults
    assert fake.opened >= 10


def test_a_range_that_broke_off_at_its_end_is_asked_for_the_rest(fake: FakeHBase, link: Link) -> None:
    fake.faults = [(900, ConnectionResetError())]
    assert keys(link, KeyRange(b"", b"")) == fake.keys
    assert fake.scans == 2


def test_faults_without_progress_end_it_with_where_and_what(fake: FakeHBase, link: Link) -> None:
    fake.faults = [(0, ConnectionResetError(104, "Connection reset"))] * 50
    with pytest.raises(SourceError, match=r"hbase://gate:1/: reading table 't': broke off 14 times .*Connection reset"):
        keys(link)
    assert fake.scans == link_module.ATTEMPTS


def test_progress_starts_the_count_again(fake: FakeHBase, link: Link) -> None:
    fake.faults = [
        fault for _ in range(5) for fault in [(0, ConnectionResetError())] * 12 + [(1, ConnectionResetError())]
    ]
    assert keys(link) == fake.keys


def test_a_filter_that_lets_nothing_pass_for_long_still_gets_forward(fake: FakeHBase, link: Link) -> None:
    """An answer passes over 60 rows in time; the only row that passes the filter is behind 800."""
    fake.patience, fake.shown = 60, {b"905_1"}
    assert keys(link) == [b"905_1"]


def test_what_will_not_pass_is_said_at_once(fake: FakeHBase, link: Link) -> None:
    class ServerError(OSError):
        message = b"org.apache.hadoop.hbase.TableNotFoundException: t\n\tat java..."

    fake.faults = [(3, ServerError())]
    with pytest.raises(SourceError, match=r"HBase says: ServerError: org\.apache.*TableNotFoundException: t$"):
        keys(link)
    assert fake.scans == 1


def test_the_first_connection_is_not_waited_for(fake: FakeHBase, link: Link) -> None:
    link.gateway.reached = False
    fake.faults = [(0, ConnectionRefusedError(111, "refused"))]
    with pytest.raises(SourceError, match="no HBase Thrift gateway answers at gate:1"):
        keys(link)


def test_pieces_are_of_regions_and_cover_all(fake: FakeHBase, link: Link) -> None:
    pieces = pieces_of(link, "t")
    assert len(pieces) == 16
    assert (pieces[0].start, pieces[-1].stop) == (b"", b"")
    assert b"5" in {each.start for each in pieces}
    assert [key for each in pieces for key in keys(link, each)] == fake.keys
    fake.keys = []
    assert pieces_of(link, "t") == [KeyRange(b"", b"5"), KeyRange(b"5", b"")]


def test_messages_of_java_are_cut_to_their_first_line() -> None:
    class Server(Exception):
        message = b"org.X: why\n\tat y"

    assert describe(Server()) == "Server: org.X: why"
    assert describe(ConnectionRefusedError(111, "Connection refused")) == "ConnectionRefusedError: 'Connection refused'"
    assert describe(EOFError()) == "EOFError"
