"""HBase as the place of the ads tables, written through its Thrift gateway.

A row of a dated table is kept under ``userId_adId_timeMs_n``, n being its ordinal among rows of equal user, ad and time
in canonical order, behind those of other days, so that no exposure overwrites another. A day that is complete has the
row ``<table>/<day>`` in the table ``day_ready``.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import happybase
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from thriftpy2.thrift import TException

from examples.targets import DayPartitions, ParquetTarget
from pipeline.days import Day
from pipeline.errors import SourceError
from pipeline.ingest.row_order import canonical_order
from pipeline.sources.hbase.address import Address

FAMILIES = {
    "midas_online_user": "user", "midas_online_context": "context", "midas_offline": "context", "midas_online_ad": "ad",
}  # fmt: skip
_READY, _READY_FAMILY = "day_ready", "ready"
_KEY, _DAY, _TIME = "row_key", "log_day", "log_time"
_WRITTEN_FOR = "written_for"
"""Cell of a row whose own day is damaged: the day with which it was written and with which it is replaced."""
_CELLS_AT_ONCE = 20_000
_ROWS_AT_ONCE = 5_000
_MARKER_SECONDS = 0.02


class HBaseTarget:
    """Tables behind a Thrift gateway, made with their family where they are missing.

    Args:
        url: as of ``Address.parse``.
    """

    def __init__(self, url: str) -> None:
        self._address = Address.parse(url, f"--target {url.partition('?')[0]}" if "@" not in url else "--target")

    def holds(self, table: str) -> bool:
        """Whether a table has rows."""
        with self._connected(table) as connection:
            if self._name(table) not in connection.tables():
                return False
            first = self._table(connection, table).scan(filter="FirstKeyOnlyFilter() AND KeyOnlyFilter()", limit=1)
            return bool(list(first))

    def clear(self, table: str) -> None:
        """Removes a table, and its marks of days that are complete."""
        with self._connected(table) as connection:
            if self._name(table) in connection.tables():
                connection.delete_table(self._name(table), disable=True)
            if self._name(_READY) in connection.tables():
                ready = self._table(connection, _READY)
                _delete(ready, [key for key, _ in ready.scan(row_prefix=f"{table}/".encode())])

    def write_table(self, table: str, rows: pa.Table) -> int:
        """Replaces all rows of an undated table."""
        keys = rows[_KEY].to_pylist()
        if None in keys or len(set(keys)) < len(keys):
            raise SourceError(f"--target {self._address}: table {table}: a row without a key, or two rows of one key")
        if self.holds(table):
            self.clear(table)
        with self._connected(table) as connection:
            _put(self._made(connection, table, FAMILIES[table]), FAMILIES[table], keys, rows.drop_columns([_KEY]))
        return rows.num_rows

    def partitions(self, table: str, schema: pa.Schema, days: Sequence[Day]) -> HBaseDays:
        """Where rows of some days are written to, in any order."""
        return HBaseDays(self, table, schema, days)

    def replace_day(self, table: str, day: Day, rows: pa.Table) -> None:
        """Replaces a table's rows of ``day`` and marks the day as complete."""
        family = FAMILIES[table]
        keys, rows = _with_time(rows)
        slashed = str(day).replace("-", "/")
        stray = pc.fill_null(pc.not_equal(rows[_DAY].cast(pa.string()), slashed), True)
        marks = pc.if_else(stray, pa.scalar(slashed), pa.scalar(None, pa.string()))
        rows = rows.drop_columns([_KEY]).append_column(_WRITTEN_FOR, marks)
        mark = f"{table}/{day}".encode()
        with self._connected(table) as connection:
            ready = self._made(connection, _READY, _READY_FAMILY)
            here = self._made(connection, table, family)
            ready.delete(mark)
            for cell in (_DAY, _WRITTEN_FOR):
                old = here.scan(
                    columns=[f"{family}:{cell}".encode()], batch_size=_ROWS_AT_ONCE,
                    filter=f"SingleColumnValueFilter('{family}','{cell}',=,'binary:{slashed}',true,true)",
                )  # fmt: skip
                _delete(here, [key for key, _ in old])
            # What is written in the millisecond of its deletion stays deleted.
            time.sleep(_MARKER_SECONDS)
            _put(here, family, _unused(here, family, keys), rows)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            ready.put(mark, {f"{_READY_FAMILY}:at".encode(): now.encode()})

    @contextmanager
    def _connected(self, table: str) -> Iterator[happybase.Connection]:
        here = self._address
        connection = None
        try:
            connection = happybase.Connection(
                here.host, here.port, timeout=round(here.timeout * 1000), transport=here.transport,
                protocol=here.protocol,
            )  # fmt: skip
            yield connection
        except (TException, OSError) as error:
            message = getattr(error, "message", None) or error
            first = (message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)).splitlines()
            raise SourceError(
                f"--target {here}: table {table} cannot be written: {first[0] if first else type(error).__name__}; "
                f"see whether HBase and its Thrift gateway at {here.host}:{here.port} are up, then write again"
            ) from None
        finally:
            if connection is not None:
                connection.close()

    def _made(self, connection: happybase.Connection, table: str, family: str) -> happybase.Table:
        if self._name(table) not in connection.tables():
            connection.create_table(self._name(table), {family: {"max_versions": 1}})
        return self._table(connection, table)

    def _table(self, connection: happybase.Connection, table: str) -> happybase.Table:
        return connection.table(self._name(table))

    def _name(self, table: str) -> bytes:
        return f"{self._address.prefix}{table}".encode()


class HBaseDays:
    """As ``DayPartitions``; the rows lie in files beside until the block is left, so memory is that of one day."""

    def __init__(self, target: HBaseTarget, table: str, schema: pa.Schema, days: Sequence[Day]) -> None:
        self._target = target
        self._table = table
        self._days = days
        self._folder = tempfile.TemporaryDirectory(prefix="dayspring-")
        self._beside = DayPartitions(ParquetTarget(Path(self._folder.name)), table, schema, days)

    def write(self, day: Day, rows: pa.Table) -> None:
        self._beside.write(day, rows)

    def __enter__(self) -> HBaseDays:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._folder as folder:
            self._beside.__exit__(kind, error, trace)
            if error is None:
                for day in self._days:
                    path = Path(folder) / self._table / f"day={day}" / "part-0000.parquet"
                    self._target.replace_day(self._table, day, pq.read_table(path, partitioning=None))


def _with_time(rows: pa.Table) -> tuple[list[str], pa.Table]:
    """Each row's key with its time and ordinal, and the rows in the same order."""
    rows = rows.take(canonical_order(rows, [_KEY, _TIME]))
    times = rows[_TIME].cast(pa.string())
    whole = pc.fill_null(pc.match_substring_regex(times, "^[0-9]+$"), False)
    stems = pc.binary_join_element_wise(rows[_KEY], pc.if_else(whole, times, "0"), "_")
    codes = np.asarray(stems.combine_chunks().dictionary_encode().indices)
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
    ordinals = np.empty(len(codes), np.int64)
    ordinals[order] = np.arange(len(codes)) - np.repeat(begins, np.diff(np.append(begins, len(codes))))
    keys = pc.binary_join_element_wise(stems, pa.array(ordinals).cast(pa.string()), "_")
    return keys.to_pylist(), rows


def _unused(table: happybase.Table, family: str, keys: Sequence[str]) -> list[str]:
    """Keys that no row of another day has, ordinals raised where needed: a log may hold one instant under two days."""
    columns = [f"{family}:{cell}".encode() for cell in (_DAY, _WRITTEN_FOR)]
    rows = Counter(key.rpartition("_")[0] for key in keys)
    found, asked = list(keys), list(range(len(keys)))
    while asked:
        taken: set[bytes] = set()
        for start in range(0, len(asked), _ROWS_AT_ONCE):
            wanted = [found[place].encode() for place in asked[start : start + _ROWS_AT_ONCE]]
            taken.update(key for key, _ in table.rows(wanted, columns=columns))
        asked = [place for place in asked if found[place].encode() in taken]
        for place in asked:
            stem, _, ordinal = found[place].rpartition("_")
            # By as many as the day has of them, so that its own ordinals stay apart.
            found[place] = f"{stem}_{int(ordinal) + rows[stem]}"
    return found


def _put(table: happybase.Table, family: str, keys: Sequence[str], rows: pa.Table) -> None:
    """Writes rows as text; an empty field is no cell."""
    names = [f"{family}:{name}".encode() for name in rows.column_names]
    with table.batch(batch_size=_CELLS_AT_ONCE) as batch:
        for start in range(0, rows.num_rows, _ROWS_AT_ONCE):
            part = rows.slice(start, _ROWS_AT_ONCE)
            columns = [_text(column).cast(pa.binary()).to_pylist() for column in part.columns]
            for key, values in zip(keys[start : start + _ROWS_AT_ONCE], zip(*columns, strict=True), strict=True):
                cells = {name: value for name, value in zip(names, values, strict=True) if value is not None}
                batch.put(key.encode(), cells)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as text that reads back as the same value; whole numbers without a point, as ids kept as floats."""
    if not pa.types.is_floating(column.type):
        return column.cast(pa.string())
    whole = pc.and_(pc.equal(column, pc.trunc(column)), pc.less(pc.abs(column), 2.0**53))
    integers = pc.if_else(pc.fill_null(whole, False), column, pa.scalar(None, column.type)).cast(pa.int64())
    filled = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return pc.coalesce(integers.cast(pa.string()), filled.cast(pa.string()))


def _delete(table: happybase.Table, keys: Sequence[bytes]) -> None:
    with table.batch(batch_size=_ROWS_AT_ONCE) as batch:
        for key in keys:
            batch.delete(key)
