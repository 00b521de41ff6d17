"""A closed day out of a real MySQL server, against plain pymysql into pandas: client CPU and peak memory.

    python -m benchmarks.mysql [--rows 1000000] [--rounds 5]

Starts a MariaDB of its own with a day of so many rows of 15 columns (text, whole numbers, DOUBLE) and reads it, each
time in a process of its own, after the imports: as `pymysql` … `fetchall()` into a DataFrame, as the source does by
default, and as it does with connectorx. Rounds are interleaved, figures are medians; the server's CPU is not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pymysql
from sqlalchemy import make_url

from benchmarks.extraction_memory import peak_mb
from ops.services.mariadb import MariaDb
from pipeline.days import Day

DAY = Day.of(2024, 3, 4)
TYPES = {
    "day": "VARCHAR(10) NOT NULL", "log_time": "BIGINT", "teacher_id": "BIGINT", "class_id": "BIGINT",
    "edition_id": "BIGINT", "tag": "VARCHAR(32)", "chapter_id": "VARCHAR(255)", "section_id": "VARCHAR(4000)",
    "style": "VARCHAR(255)", "v1": "DOUBLE", "v2": "DOUBLE", "v3": "DOUBLE", "cnt": "BIGINT", "grade": "VARCHAR(32)",
    "reflect_id": "VARCHAR(255)",
}  # fmt: skip
STATEMENT = f"SELECT {', '.join(TYPES)} FROM log WHERE day = :day"
_STEP = 20_000


def fill(url: str, rows: int) -> None:
    """The table ``log``: a day of so many rows."""
    place = make_url(url)
    rng = np.random.default_rng(1)
    connection = pymysql.connect(
        host=place.host, port=place.port or 3306, user=place.username, password=place.password or "",
        database=place.database, charset="utf8mb4",
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
        cursor.execute(f"CREATE TABLE log ({columns}, KEY log_day (day, log_time))")
        marks = ", ".join(["%s"] * len(TYPES))
        for start in range(0, rows, _STEP):
            size = min(_STEP, rows - start)
            ids = rng.integers(1, 100_000, (size, 2)).tolist()
            cursor.executemany(
                f"INSERT INTO log VALUES ({marks})",
                [
                    (str(DAY), 1_709_524_800_000 + start + n, a, b, 3, "click", f"{a},{b}", f"{a},{b},{a}", "3",
                     x, x / 3, x * 7, 1, "7", str(b))
                    for n, ((a, b), x) in enumerate(zip(ids, rng.random(size).tolist(), strict=True))
                ],
            )  # fmt: skip
        connection.commit()
        cursor.execute("ANALYZE TABLE log")


def read_plainly(url: str) -> int:
    """What a script does."""
    import pandas as pd

    place = make_url(url)
    connection = pymysql.connect(
        host=place.host, port=place.port or 3306, user=place.username, password=place.password or "",
        database=place.database, charset="utf8mb4",
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        cursor.execute(STATEMENT.replace(":day", f"'{DAY}'"))
        return len(pd.DataFrame(cursor.fetchall(), columns=list(TYPES)))


def read_by_source(url: str, queries: Path, bulk: bool) -> int:
    """The day as extraction reads it, chunk by chunk."""
    from pipeline.sources.mysql import MySqlSource

    source = MySqlSource(url, "--url", queries)
    if not bulk:
        source.bulk = None
    elif source.bulk is None:
        raise SystemExit("connectorx is not installed: pip install connectorx")
    with source.consistent():
        rows = sum(batch.num_rows for batch in source.read("log", list(TYPES), DAY, chunk_rows=20_000).batches)
    if bulk and source.not_in_bulk:
        raise SystemExit("connectorx did not read the day")
    return rows


def measure(way: str, url: str, queries: Path) -> dict[str, float]:
    """One read in this process."""
    if way == "pandas":
        import pandas as pd

        pd.DataFrame()
    else:
        import pipeline.sources.mysql

        assert pipeline.sources.mysql
        if way == "connectorx":
            import connectorx

            assert connectorx
    began, wall = time.process_time(), time.perf_counter()
    rows = read_plainly(url) if way == "pandas" else read_by_source(url, queries, way == "connectorx")
    return {
        "rows": rows, "cpu": time.process_time() - began, "wall": time.perf_counter() - wall, "peak_mb": peak_mb()
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mysql", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        way, folder = options.child
        server = MariaDb(Path(folder) / "mariadb")
        print(json.dumps(measure(way, server.reader_url, Path(folder) / "queries")))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "queries").mkdir()
        (Path(folder) / "queries" / "log.sql").write_text(f"-- ranges: log_time\n{STATEMENT}", encoding="utf-8")
        with MariaDb(Path(folder) / "mariadb") as server:
            fill(server.writer_url, options.rows)
            found: dict[str, list[dict[str, float]]] = {"pandas": [], "pymysql": [], "connectorx": []}
            for _ in range(options.rounds):
                for way, figures in found.items():
                    command = [sys.executable, "-m", "benchmarks.mysql", "--child", way, folder]
                    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                    figures.append(json.loads(done.stdout))
                    if figures[-1]["rows"] != options.rows:
                        raise SystemExit(f"{way} read {figures[-1]['rows']} rows of {options.rows}")
    names = {"pandas": "pymysql fetchall into pandas", "pymysql": "the source", "connectorx": "the source, connectorx"}
    for way, figures in found.items():
        middle = {name: statistics.median(each[name] for each in figures) for name in ("cpu", "wall", "peak_mb")}
        print(
            f"{options.rows:,} rows, {names[way]}: client CPU {middle['cpu']:.2f} s, wall {middle['wall']:.1f} s, "
            f"peak {middle['peak_mb']:.0f} MB",
            flush=True,
        )
    for way, bound in (("pymysql", ""), ("connectorx", " (bound: 0.15)")):
        ratio = statistics.median(a["cpu"] / b["cpu"] for a, b in zip(found[way], found["pandas"], strict=True))
        print(f"client CPU, {names[way]} / pymysql into pandas: {ratio:.3f}{bound}")
    print(f"peak memory with connectorx: {max(each['peak_mb'] for each in found['connectorx']):.0f} MB (bound: 200)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
