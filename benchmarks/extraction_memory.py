"""Peak memory of a day's extraction: it grows with the chunk, not with the table.

    python -m benchmarks.extraction_memory [--rows 100000 1000000 10000000] [--source parquet sqlite]

Generates tables of so many rows, extracts each in a process of its own, and prints the peak resident size, also over
that of a process that extracts 1,000 rows. The last line of a source is the ratio of the largest table's peak to that
of the smallest.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAY = "2024-03-04"
TOUCH = 1_000
STEP = 200_000
COLUMNS = ("day", "time", "user", "ad", "label", "clicked")

_CONFIG = {
    "job": "bench", "kind": "impressions", "chunk_rows": 50_000,
    "tables": {
        "log": {
            "source": "log", "day": "day",
            "columns": {
                "day": {"type": "day", "required": True}, "time": {"type": "time"}, "user": {"type": "int"},
                "ad": {"type": "int"}, "label": {"type": "int"}, "clicked": {"type": "int_list"},
            },
        }
    },
    "spaces": {"ad": "int"},
    "impressions": {"rows": "log", "user": "user", "item": "ad", "label": "label"},
    "features": {"ad": {"kind": "categorical", "side": "item", "space": "ad", "source": "item.ad"}},
    "experiments": {"pooled": {"model": "pooled", "loss": "binary"}},
    "release": {"champion": "pooled"},
}  # fmt: skip


def _chunks(rows: int) -> list[int]:
    return [min(STEP, rows - start) for start in range(0, rows, STEP)]


def _rows(rng: np.random.Generator, rows: int) -> pa.Table:
    ads = rng.integers(100_000, 105_000, rows)
    return pa.table(
        {
            "day": pa.array(np.full(rows, DAY)),
            "time": 1_709_481_600_000 + rng.integers(0, 86_400_000, rows),
            "user": rng.integers(1, 1_000_000, rows),
            "ad": ads,
            "label": (rng.random(rows) < 0.04).astype(np.int64),
            "clicked": pa.array(np.char.add(np.char.add(ads.astype(str), ","), ads[::-1].astype(str))),
        }
    )


def generate(source: str, rows: int, folder: Path) -> str:
    """Writes a table of so many rows; returns its URL."""
    rng = np.random.default_rng(rows)
    if source == "parquet":
        partition = folder / "log" / f"day={DAY}"
        partition.mkdir(parents=True)
        first = _rows(rng, 1)
        with pq.ParquetWriter(partition / "part-0000.parquet", first.schema) as writer:
            for size in _chunks(rows):
                writer.write_table(_rows(rng, size))
        return f"parquet:{folder}"
    path = folder / "log.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(f"CREATE TABLE log ({', '.join(COLUMNS)})")
        for size in _chunks(rows):
            values = zip(*(column.to_pylist() for column in _rows(rng, size).columns), strict=True)
            connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", values)
    return f"sqlite:///{path}"


def extract_here(url: str, root: Path, queries: Path) -> dict[str, float]:
    """Extracts the day in this process; the peak resident size in MB, and the seconds."""
    from pipeline.config.job import JobConfig
    from pipeline.days import Day
    from pipeline.ingest.extract import extract
    from pipeline.job import JobContext
    from pipeline.sources.sqlite import SqliteSource

    os.environ["DAYSPRING_BENCH_URL"] = url
    context = JobContext(JobConfig.model_validate(_CONFIG), root)
    if url.startswith("sqlite"):
        context._source = SqliteSource(url, "DAYSPRING_BENCH_URL", queries)
    began = time.perf_counter()
    found = extract(context, Day.parse(DAY))
    seconds = time.perf_counter() - began
    return {"rows": found.manifest.rows["log"], "peak_mb": peak_mb(), "seconds": seconds}


def peak_mb() -> float:
    """Peak resident size of this process in MB.

    From the kernel's high-water mark where it tells: ``ru_maxrss`` also remembers the process that this one came from.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(source: str, rows: int, folder: Path) -> dict[str, float]:
    """Generates and extracts in a process of its own."""
    here = Path(tempfile.mkdtemp(dir=folder))
    try:
        (here / "queries").mkdir()
        statement = f"SELECT {', '.join(COLUMNS)} FROM log WHERE day = :day"
        (here / "queries" / "log.sql").write_text(statement)
        url = generate(source, rows, here)
        command = [sys.executable, "-m", "benchmarks.extraction_memory", "--child", url, str(here)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found
    finally:
        shutil.rmtree(here)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extraction_memory", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--source", nargs="+", choices=("parquet", "sqlite"), default=["parquet", "sqlite"])
    parser.add_argument("--folder", type=Path, default=None, help="where to generate (default: the temporary folder)")
    parser.add_argument("--child", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        url, folder = options.child
        print(json.dumps(extract_here(url, Path(folder) / "root", Path(folder) / "queries")))
        return 0
    for source in options.source:
        base = measure(source, TOUCH, options.folder)["peak_mb"]
        print(f"{source}: a process that extracts {TOUCH:,} rows peaks at {base:.0f} MB")
        peaks = []
        for rows in options.rows:
            found = measure(source, rows, options.folder)
            peaks.append(found["peak_mb"])
            print(
                f"{source}: {rows:>12,} rows  peak {found['peak_mb']:6.0f} MB  (+{found['peak_mb'] - base:.0f} MB)  "
                f"{rows / found['seconds'] / 1000:6.0f} krow/s",
                flush=True,
            )
        ends = f"peak of {options.rows[-1]:,} rows / peak of {options.rows[0]:,} rows"
        print(f"{source}: {ends} = {peaks[-1] / peaks[0]:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
