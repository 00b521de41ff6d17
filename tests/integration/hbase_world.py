"""A few small tables in a real HBase, and a job over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import happybase
import pytest

from pipeline.days import Day
from pipeline.job import JobContext
from tests.unit.pipeline.small_job import config

DAY = Day.of(2024, 2, 28)
"""Its block of ten days begins on 2024-02-24 and ends on 2024-03-04."""

LOG: dict[str, Any] = {
    "source": "ctx",
    "day": "log_day",
    "order": ["log_time", "user", "ad"],
    "columns": {
        "user": {"type": "int", "source": "row_key", "part": 0, "required": True},
        "ad": {"type": "int", "source": "row_key", "part": 1, "required": True},
        "label": {"type": "int", "required": True, "allowed": [0, 1]},
        "log_day": {"type": "day", "required": True},
        "log_time": {"type": "time"},
        "kind": {"type": "str"},
    },
}
PEOPLE: dict[str, Any] = {
    "source": "usr",
    "dated": False,
    "key": ["user"],
    "keys": {"table": "log", "column": "user"},
    "columns": {"user": {"type": "int", "required": True}, "city": {"type": "str"}},
}


def slashed(day: Day) -> str:
    return str(day).replace("-", "/")


def row(day: Day = DAY, **cells: str | bytes) -> dict[str, str | bytes]:
    """The cells of a good row of the log."""
    return {"c:label": "1", "c:log_day": slashed(day), "c:log_time": "1709524800000", "c:kind": "a", **cells}


class World:
    """Tables under a prefix of one test's own, and sources over them."""

    def __init__(self, port: int, prefix: str) -> None:
        self.port = port
        self.prefix = prefix.rstrip("_") + "_"

    @property
    def url(self) -> str:
        return self.url_at(self.port)

    def url_at(self, port: int, **options: object) -> str:
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"hbase://127.0.0.1:{port}/{self.prefix}" + (f"?{query}" if query else "")

    @contextmanager
    def connected(self) -> Iterator[happybase.Connection]:
        connection = happybase.Connection("127.0.0.1", self.port, timeout=60_000)
        try:
            yield connection
        finally:
            connection.close()

    def make(self, table: str, families: Mapping[str, Mapping[str, Any]] | Sequence[str] = ("c",)) -> None:
        options = families if isinstance(families, Mapping) else {name: {"max_versions": 1} for name in families}
        with self.connected() as connection:
            connection.create_table(self.prefix + table, {name: dict(each) for name, each in options.items()})

    def put(self, table: str, rows: Mapping[str | bytes, Mapping[str, str | bytes]]) -> None:
        with self.connected() as connection, connection.table(self.prefix + table).batch(batch_size=20_000) as batch:
            for key, cells in rows.items():
                batch.put(_bytes(key), {_bytes(name): _bytes(value) for name, value in cells.items()})

    def fill(self, days: Mapping[Day, int], users: int = 5) -> None:
        """``ctx`` with so many rows of each day, and ``usr``."""
        self.make("ctx")
        self.make("usr")
        rows = {
            f"{1 + n % users}_{100 + n}_{1_709_524_800_000 + n}_0": row(day, **{"c:label": str(n % 2)})
            for day, count in days.items()
            for n in range(day.ordinal % 100 * 10_000, day.ordinal % 100 * 10_000 + count)
        }
        self.put("ctx", rows)
        self.put("usr", {str(n): {"c:user": str(n), "c:city": f"city {n}"} for n in range(1, users + 1)})

    def job(self, root: Path, monkeypatch: pytest.MonkeyPatch, url: str | None = None, **settings: Any) -> JobContext:
        monkeypatch.setenv("DAYSPRING_TINY_URL", url or self.url)
        tables = settings.pop("tables", {"log": LOG, "people": PEOPLE})
        features = {"ad": {"kind": "categorical", "side": "item", "space": "ad", "source": "item.ad"}}
        return JobContext(config(tables, features=features, **settings), root)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
