"""Days out of a real HBase: against a default scan, a block of days against single days, and memory against table size.

    python -m benchmarks.hbase [--rows 500000] [--rounds 5] [--memory 100000 500000] [--heap 1g]

Starts an HBase of its own (what it needs comes by ``make services``) and fills ``--rows`` context rows of 15 cells in
4 regions, of ten days in equal parts. Eight of the columns are read, as Arrow. The default way is happybase's
``scan()`` of everything with the day compared here. Rounds are interleaved, figures are medians. Memory is the peak of
a process that reads one day out of a table of ``--memory`` rows, a tenth of them of the day: the bound is for 100000 to
2000000, but two million rows take several minutes to write.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import happybase

from ops.services.hbase import HBase
from pipeline.days import Day
from pipeline.sources.hbase.source import HBaseSource

FIRST = Day.of(2024, 2, 24)
DAYS = [FIRST.plus(n) for n in range(10)]
READ = (
    "is_click", "log_time", "log_day", "location_ad", "exposure_duration", "count_click", "rclick_ad",
    "rencent_behavior",
)  # fmt: skip
_WRITERS = 4
_STEP = 2_000


def cells_of(row: int) -> dict[bytes, bytes]:
    """The fifteen cells of a row; its day goes by its number."""
    day = DAYS[row % 10]
    paths = ", ".join(f"/homework/exam/get-{(row + n) % 358}" for n in range(4))
    values = {
        "is_click": row % 25 == 0, "log_time": 1_708_700_000_000 + row, "exe_time": 1_708_700_000_050 + row,
        "log_day": str(day).replace("-", "/"), "log_hourtime": row % 24, "log_weektime": row % 7,
        "location_ad": row % 8, "exposure_duration": row % 60, "count_click": row % 13, "duplicate_tag": row % 2,
        "window_otherad": row % 5, "week_accuracy": row % 100 / 100, "rclick_ad": f"[{101590 + row % 99}, {102169}]",
        "rclick_category": "[7, 5]", "rencent_behavior": f"[{paths}]",
    }  # fmt: skip
    return {f"context:{name}".encode(): str(value + 0 if name == "is_click" else value).encode()
            for name, value in values.items()}  # fmt: skip


def key_of(row: int) -> bytes:
    """User, ad, time and ordinal; the user spread evenly over eight hexadecimal digits."""
    return b"%08x_%d_%d_0" % (row * 2_654_435_761 % 2**32, row % 400, 1_708_700_000_000 + row)


def fill(server: HBase, table: str, rows: int) -> None:
    server.split(table, ["context"], 4, "HexStringSplit")

    def write(part: int) -> None:
        connection = happybase.Connection("127.0.0.1", server.port, timeout=120_000)
        for start in range(part * _STEP, rows, _WRITERS * _STEP):
            with connection.table(table).batch() as batch:
                for row in range(start, min(start + _STEP, rows)):
                    batch.put(key_of(row), cells_of(row))
        connection.close()

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(write, range(_WRITERS)))


def filled(server: HBase, rows: int) -> None:
    began = time.perf_counter()
    fill(server, f"context_{rows}", rows)
    print(f"wrote {rows:,} rows in {time.perf_counter() - began:.0f} s", flush=True)


def default_scan(server: HBase, table: str, day: Day) -> int:
    """What a script does: everything travels, one connection, the day is looked at here."""
    connection = happybase.Connection("127.0.0.1", server.port, timeout=120_000)
    wanted = str(day).replace("-", "/").encode()
    rows = [cells for _, cells in connection.table(table).scan() if cells[b"context:log_day"] == wanted]
    connection.close()
    return len(rows)


def read(url: str, table: str, days: Sequence[Day]) -> int:
    source = HBaseSource(url, "--url", {})
    rows = sum(batch.num_rows for _, batch in source.read_days(table, READ, days, chunk_rows=50_000).batches)
    source.close()
    return rows


def timed(call: Callable[[], int], expected: int) -> float:
    began = time.perf_counter()
    found = call()
    took = time.perf_counter() - began
    if found != expected:
        raise SystemExit(f"{found} rows were read, {expected} are there")
    return took


def speed(server: HBase, rows: int, rounds: int) -> Iterator[str]:
    table = f"context_{rows}"
    ways: dict[str, Callable[[], float]] = {
        "default": lambda: timed(lambda: default_scan(server, table, DAYS[3]), rows // 10),
        "one day": lambda: timed(lambda: read(server.url, table, DAYS[3:4]), rows // 10),
        "ten single days": lambda: timed(lambda: sum(read(server.url, table, [day]) for day in DAYS), rows),
        "block of ten": lambda: timed(lambda: read(server.url, table, DAYS), rows),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(way())
    middle = {name: statistics.median(each) for name, each in taken.items()}
    for name, seconds in middle.items():
        yield f"{name:<16} {seconds:8.2f} s   ({', '.join(f'{each:.2f}' for each in taken[name])})"
    gains = [slow / fast for slow, fast in zip(taken["default"], taken["one day"], strict=True)]
    shares = [one / ten for one, ten in zip(taken["block of ten"], taken["ten single days"], strict=True)]
    yield f"default scan / one day of ten: {statistics.median(gains):.1f} (target ≥ 5)"
    yield f"block of ten / ten single days: {statistics.median(shares):.2f} (target ≤ 0.4)"


def memory(server: HBase, sizes: Sequence[int]) -> Iterator[str]:
    peaks = []
    for rows in sizes:
        peaks.append(_peak(server.url, f"context_{rows}"))
        yield f"peak of a process that reads a day of {rows // 10:,} of {rows:,} rows: {peaks[-1]:.0f} MB"
    yield f"largest / smallest table: {peaks[-1] / peaks[0]:.2f} (flat is 1)"


def _peak(url: str, table: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.hbase", "--peak-of", table, "--url", url], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(done.stdout)


def _own_peak() -> float:
    """Megabytes; the kernel's other figure for it begins with what the parent had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hbase", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=500_000, help="rows of the table (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds, 0 for none (default %(default)s)")
    parser.add_argument("--memory", type=int, nargs="*", default=[100_000, 500_000], help="table sizes, ascending")
    parser.add_argument("--heap", default=HBase.heap, help="of the region server (default %(default)s)")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak_of:
        read(given.url, given.peak_of, DAYS[3:4])
        print(_own_peak())
        return
    with tempfile.TemporaryDirectory() as folder:
        server = HBase(Path(folder) / "hbase")
        server.heap = given.heap
        lacking = server.lacking()
        if lacking:
            raise SystemExit(f"hbase: {lacking}")
        server.start()
        try:
            # The speed first: other tables would take its blocks' place in the server's memory.
            if given.rounds:
                filled(server, given.rows)
                for line in speed(server, given.rows, given.rounds):
                    print(line, flush=True)
            for rows in sorted(set(given.memory) - {given.rows if given.rounds else 0}):
                filled(server, rows)
            for line in memory(server, given.memory) if given.memory else ():
                print(line, flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
