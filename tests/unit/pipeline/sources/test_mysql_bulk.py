"""Which days go by connectorx, and what stops it, without a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from pymysql.constants import FIELD_TYPE
from sqlalchemy import make_url

from pipeline.sources.mysql_bulk import BulkFailed, BulkReader, Control, Plan

pytest.importorskip("connectorx", reason="pip install connectorx")
URL = make_url("mysql+pymysql://reader:s%40cret@db.example:3307/school?charset=utf8mb4&connect_timeout=4")
KINDS = {"id": FIELD_TYPE.LONGLONG, "name": FIELD_TYPE.VAR_STRING}


def reader(stall: float = 5) -> BulkReader:
    found = BulkReader.of(URL, stall)
    assert found is not None
    return found


def give(patch: pytest.MonkeyPatch, batches: Iterator[Any], seen: list[tuple[str, str]] | None = None) -> None:
    def read_sql(url: str, query: str, **_: Any) -> Iterator[Any]:
        if seen is not None:
            seen.append((url, query))
        return batches

    patch.setattr("connectorx.read_sql", read_sql)


def batch(*rows: tuple[int, str | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"id": pa.array([id for id, _ in rows], pa.int32()), "name": pa.array([name for _, name in rows], pa.string())}
    )


def plan(rows: int = 2, **columns: tuple[int, int]) -> Plan:
    return Plan("SELECT id, name FROM t", KINDS, [None], Control(rows, 17, {"id": (2, 3), "name": (1, 2), **columns}))


def verify(patch: pytest.MonkeyPatch, found: BulkReader, done: Plan, control: Control | None = None) -> None:
    patch.setattr("pipeline.sources.mysql_bulk._control", lambda *_: control or done.control)
    found.verify(None, done)  # type: ignore[arg-type]


def test_urls_with_settings_of_their_own_go_by_pymysql() -> None:
    assert BulkReader.of(URL.update_query_dict({"ssl_ca": "/ca.pem"}), 5) is None
    assert BulkReader.of(URL.update_query_dict({"unix_socket": "/s"}), 5) is None


def test_the_server_is_asked_over_the_network_with_a_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []
    give(monkeypatch, iter([]), seen)
    list(reader().read(plan(), 100))
    ((url, query),) = seen
    assert url.startswith("mysql://reader:s%40cret@db.example:3307/school?")
    assert {"prefer_socket=false", "tcp_connect_timeout_ms=4000"} <= set(url.partition("?")[2].split("&"))
    assert query == "SELECT `id` AS `id`, `name` AS `name` FROM (SELECT id, name FROM t) AS bulk"


def test_types_that_come_out_equal_are_read() -> None:
    assert reader().reads([FIELD_TYPE.LONGLONG, FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.DATE, FIELD_TYPE.JSON])
    assert not reader().reads([FIELD_TYPE.LONGLONG, FIELD_TYPE.BIT])
    assert not reader().reads([FIELD_TYPE.GEOMETRY])


def test_what_was_read_is_compared_with_what_the_server_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, iter([batch((1, "ab")), batch((2, None))]))
    found, done = reader(), plan()
    chunks = list(found.read(done, 100))
    assert [each.schema.types for each in chunks] == [[pa.int64(), pa.string()]] * 2
    verify(monkeypatch, found, done)
    changed = Control(2, 18, done.control.columns)
    with pytest.raises(BulkFailed, match=r"the day changed while it was read \(2 rows before, 2 after\)"):
        verify(monkeypatch, found, done, changed)


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        (3, {}, "2 rows came of 3"),
        (2, {"name": (2, 2)}, "column 'name' came out otherwise"),
        (2, {"id": (2, 4)}, "column 'id' came out otherwise"),
    ],
)
def test_a_short_or_wrong_read_is_found(
    monkeypatch: pytest.MonkeyPatch, rows: int, columns: dict[str, tuple[int, int]], message: str
) -> None:
    give(monkeypatch, iter([batch((1, "ab"), (2, None))]))
    found, done = reader(), plan(rows, **columns)
    list(found.read(done, 100))
    with pytest.raises(BulkFailed, match=message):
        verify(monkeypatch, found, done)


def test_errors_and_panics_of_connectorx_end_the_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """As pyo3 raises it."""

    def breaking() -> Iterator[pa.RecordBatch]:
        yield batch((1, "ab"))
        raise PanicException("server disconnected")

    give(monkeypatch, breaking())
    chunks = reader().read(plan(), 100)
    assert next(chunks).num_rows == 1
    with pytest.raises(BulkFailed, match="connectorx says: server disconnected"):
        next(chunks)


def test_a_server_that_sends_nothing_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()

    def stalling() -> Iterator[pa.RecordBatch]:
        yield batch((1, "ab"))
        given_up.wait(60)

    give(monkeypatch, stalling())
    chunks = reader(stall=0.3).read(plan(), 100)
    assert next(chunks).num_rows == 1
    with pytest.raises(BulkFailed, match="no rows came for 0 s"):
        next(chunks)
    given_up.set()
