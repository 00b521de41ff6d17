"""Long days of MySQL by ``connectorx``, where it is installed: the same rows at a tenth of the client's CPU.

It opens connections of its own, outside any snapshot, and reads ahead as fast as the server sends. Hence only days that
are over, in pieces of bounded length, with the day's row count and checksums taken before and again after.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import queue
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pymysql.constants import FIELD_TYPE
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from pipeline.days import Day
from pipeline.sources.mysql_values import IN_UTC, INTEGERS, TEXTS, typed
from pipeline.sources.statements import Statement

_DIRECT = INTEGERS | TEXTS | {FIELD_TYPE.DOUBLE}
# Read as the text that the server makes of them: as numbers and dates they would lose digits, or fail on zero dates.
_AS_TEXT = frozenset(
    {FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.FLOAT, FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE,
     FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME, FIELD_TYPE.JSON, FIELD_TYPE.ENUM, FIELD_TYPE.SET}
)  # fmt: skip
_SLOTS = 1024
_BATCH = 10_000
_M_ARENA_MAX = -8
_WRAP = 2**64
_WHOLE = re.compile(r"-?[0-9]+")
# What the URL may hold that connectorx need not know; TLS, for one, is told to it in other words.
_KNOWN_SETTINGS = {"charset", "connect_timeout", "read_timeout", "write_timeout"}


class BulkFailed(Exception):
    """A day could not be read in bulk, or changed meanwhile; the usual way reads it."""


@dataclass(frozen=True)
class Control:
    """A day's row count, the checksum of its rows, and of each column the count and sum (of values, or of lengths)."""

    rows: int
    checksum: int
    columns: Mapping[str, tuple[int, int]]


@dataclass
class Plan:
    """How a day is read.

    Attributes:
        day_rows: the statement, with its day.
        pieces: conditions that part the rows; ``None`` = all of them.
        control: what the server said of the day before.
        read: what came, in rows and by column.
    """

    day_rows: str
    kinds: Mapping[str, int]
    pieces: list[str | None]
    control: Control
    rows: int = 0
    read: dict[str, tuple[int, int]] = field(default_factory=dict)


class BulkReader:
    """Reads a day's rows by connectorx.

    Args:
        url: of the server, in connectorx's form; it holds the password.
        stall: seconds without a row after which the read is given up.
        least: a shorter day is not worth it.
        piece: rows in a piece, which bounds the memory.
    """

    def __init__(self, url: str, stall: float, *, least: int = 20_000, piece: int = 100_000) -> None:
        self._url = url
        self._stall = stall
        self._least = least
        self._piece = piece

    @classmethod
    def of(cls, url: URL, stall: float, **sizes: int) -> BulkReader | None:
        """``None`` where connectorx is not installed, or the URL has settings that it does not know."""
        if importlib.util.find_spec("connectorx") is None or set(url.query) - _KNOWN_SETTINGS:
            return None
        _few_heaps()
        # It would go on over a server's Unix socket when the host is local, whatever stands between.
        milliseconds = 1000 * int(str(url.query.get("connect_timeout", 10)))
        settings = {"prefer_socket": "false", "tcp_connect_timeout_ms": str(milliseconds)}
        plain = url.set(drivername="mysql", query=settings)
        return cls(plain.render_as_string(hide_password=False), stall, **sizes)

    def reads(self, kinds: Collection[int]) -> bool:
        """Whether columns of these kinds come out equal."""
        return all(kind in _DIRECT or kind in _AS_TEXT for kind in kinds)

    def plan(self, connection: Connection, statement: Statement, day: Day, kinds: Mapping[str, int]) -> Plan | None:
        """How the day's rows are read; ``None`` where the usual way is better."""
        day_rows = statement.of_day(day)
        rows = int(_one(connection, f"SELECT COUNT(*) FROM ({day_rows}) AS counted")[0])
        if rows < self._least:
            return None
        pieces: list[str | None] = [None]
        if rows > self._piece:
            if statement.ranges is None:
                raise BulkFailed(
                    f"{rows:,} rows are too many for one piece, and the statement has no line `-- ranges: COLUMN` "
                    "that names a column of whole numbers"
                )
            pieces = [*_split(connection, day_rows, statement.ranges, self._piece)]
        return Plan(day_rows, kinds, pieces, _control(connection, day_rows, kinds))

    def read(self, plan: Plan, chunk_rows: int) -> Iterator[pa.RecordBatch]:
        """The rows, piece by piece. Raises ``BulkFailed``."""
        selected = ", ".join(f"{_expression(name, kind)} AS {_quoted(name)}" for name, kind in plan.kinds.items())
        whole = f"SELECT {selected} FROM ({plan.day_rows}) AS bulk"
        queries = [whole if piece is None else f"{whole} WHERE {piece}" for piece in plan.pieces]
        for batch in self._batches(queries, chunk_rows):
            plan.rows += batch.num_rows
            arrays = []
            for (name, kind), column in zip(plan.kinds.items(), batch.columns, strict=True):
                count, total = plan.read.get(name, (0, 0))
                here, more = _sums(column)
                plan.read[name] = (count + here, total + more)
                if kind == FIELD_TYPE.TIMESTAMP and pc.any(pc.ends_with(column, "?")).as_py():
                    raise BulkFailed(f"the session of connectorx is not in UTC, in which column '{name}' is read")
                arrays.append(typed(column, kind))
            yield pa.RecordBatch.from_arrays(arrays, list(plan.kinds))

    def verify(self, connection: Connection, plan: Plan) -> None:
        """Raises ``BulkFailed`` unless the day is now what it was, and what was read is all of it."""
        after = _control(connection, plan.day_rows, plan.kinds)
        if after != plan.control:
            raise BulkFailed(
                f"the day changed while it was read ({plan.control.rows:,} rows before, {after.rows:,} after)"
            )
        if plan.rows != after.rows:
            raise BulkFailed(f"{plan.rows:,} rows came of {after.rows:,}")
        for name, (count, total) in plan.read.items():
            if (count, total % _WRAP) != (after.columns[name][0], after.columns[name][1] % _WRAP):
                raise BulkFailed(f"column '{name}' came out otherwise than the server holds it")

    def _batches(self, queries: Sequence[str], chunk_rows: int) -> Iterator[pa.RecordBatch]:
        """The chunks of the queries; in a thread of their own, because connectorx itself never gives up waiting."""
        arrived: queue.Queue[pa.RecordBatch | BaseException | None] = queue.Queue(1)
        left = threading.Event()

        def pull() -> None:
            last: BaseException | None = None
            try:
                for query in queries:
                    self._pull(query, chunk_rows, arrived, left)
            except BaseException as error:  # a panic of Rust is no Exception
                last = error
            _put(arrived, last, left)

        thread = threading.Thread(target=pull, name="connectorx", daemon=True)
        thread.start()
        try:
            while True:
                try:
                    found = arrived.get(timeout=self._stall)
                except queue.Empty:
                    raise BulkFailed(f"no rows came for {self._stall:.0f} s") from None
                if found is None:
                    break
                if isinstance(found, BaseException):
                    raise BulkFailed(f"connectorx says: {found}") from None
                yield found
        finally:
            left.set()
        thread.join()

    def _pull(self, query: str, chunk_rows: int, arrived: queue.Queue[Any], left: threading.Event) -> None:
        import connectorx

        reader = connectorx.read_sql(
            self._url, query, return_type="arrow_stream", protocol="binary", batch_size=min(chunk_rows, _BATCH),
            pre_execution_query=IN_UTC,
        )  # fmt: skip
        for batch in reader:
            _put(arrived, batch, left)
            if left.is_set():
                return


@functools.cache
def _few_heaps() -> None:
    """glibc gives threads heaps of their own, and connectorx starts some for each query: 60 MB more in a long read."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)


def _put(target: queue.Queue[Any], item: object, left: threading.Event) -> None:
    """Hands over, until nobody waits any more."""
    while not left.is_set():
        try:
            target.put(item, timeout=1)
            return
        except queue.Full:
            continue


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _expression(name: str, kind: int) -> str:
    if kind == FIELD_TYPE.TIMESTAMP:
        # The session's zone stands in the value: a session that is not in UTC cannot be taken for one that is.
        return f"CONCAT(CAST({_quoted(name)} AS CHAR), IF(@@session.time_zone = '+00:00', 'Z', '?'))"
    return f"CAST({_quoted(name)} AS CHAR)" if kind in _AS_TEXT else _quoted(name)


def _all(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(statement.replace(":", "\\:"))).fetchall()]


def _one(connection: Connection, statement: str) -> tuple[Any, ...]:
    (row,) = _all(connection, statement)
    return row


def _control(connection: Connection, day_rows: str, kinds: Mapping[str, int]) -> Control:
    values = [_expression(name, kind) for name, kind in kinds.items()]
    asked = ["COUNT(*)", f"SUM(CRC32(CONCAT_WS('|', {', '.join(values)})))"]
    for value, kind in zip(values, kinds.values(), strict=True):
        summed = value if kind in INTEGERS else "0" if kind == FIELD_TYPE.DOUBLE else f"CHAR_LENGTH({value})"
        asked += [f"COUNT({value})", f"SUM({summed})"]
    rows, checksum, *sums = [
        int(each or 0) for each in _one(connection, f"SELECT {', '.join(asked)} FROM ({day_rows}) AS t")
    ]
    return Control(rows, checksum, dict(zip(kinds, zip(sums[::2], sums[1::2], strict=True), strict=True)))


def _sums(array: pa.Array) -> tuple[int, int]:
    """Of a column: how many values there are, and their sum or that of their lengths (modulo 2**64)."""
    count = len(array) - array.null_count
    if pa.types.is_floating(array.type):
        return count, 0
    kind = array.type
    if pa.types.is_integer(kind):
        lengths = array
    else:
        lengths = (
            pc.utf8_length(array)
            if pa.types.is_string(kind) or pa.types.is_large_string(kind)
            else pc.binary_length(array)
        )
    return count, int(pc.sum(lengths).as_py() or 0)


def _split(connection: Connection, day_rows: str, column: str, most: int) -> Iterator[str]:
    """Conditions on ranges of the column, ascending, each met by at most so many rows where one value is not more."""
    name = _quoted(column)
    found = _one(connection, f"SELECT MIN({name}), MAX({name}), COUNT(*) - COUNT({name}) FROM ({day_rows}) AS ends")
    if int(found[2]):
        yield f"{name} IS NULL"
    if found[0] is not None:
        if not all(_WHOLE.fullmatch(str(each, "ascii", "replace")) for each in found[:2]):
            raise BulkFailed(f"`-- ranges: {column}` does not name a column of whole numbers")
        for first, last in _ranges(connection, day_rows, name, int(found[0]), int(found[1]), most):
            yield f"{name} BETWEEN {first} AND {last}"


def _ranges(
    connection: Connection, day_rows: str, name: str, first: int, last: int, most: int
) -> Iterator[tuple[int, int]]:
    width = -(-(last - first + 1) // _SLOTS)
    slot = f"(CAST({name} AS DECIMAL(30)) - {first}) DIV {width}"
    within = f"FROM ({day_rows}) AS slots WHERE {name} BETWEEN {first} AND {last}"
    counts = sorted(
        (int(at), int(rows)) for at, rows in _all(connection, f"SELECT {slot}, COUNT(*) {within} GROUP BY 1")
    )
    start, held = first, 0
    for at, rows in counts:
        begins, ends = first + at * width, min(first + (at + 1) * width - 1, last)
        if held and held + rows > most:
            yield start, begins - 1
            start, held = begins, 0
        if rows > most and width > 1:
            yield from _ranges(connection, day_rows, name, begins, ends, most)
            start, held = ends + 1, 0
        else:
            held += rows
    if held:
        yield start, last
