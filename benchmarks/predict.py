"""Batch prediction of labelled rows: rows a second from file to file, and of these in the model's call.

    python -m benchmarks.predict [--rows 200000] [--rounds 3] [--experiment deepfm]

Two generated days in Criteo's layout train and release one experiment of ``examples/conf/criteo.yaml``; a third day's
rows, 13 numbers and 26 ids of text, are then scored as ``python -m pipeline predict`` does, from .csv to .csv and from
.parquet to .parquet, two columns carried over, in a process of its own that has the release open. Wall clock, best of
the rounds in thousands of rows a second, and CPU microseconds a row; MISSED below the targets for `deepfm`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from benchmarks.labelled_rows import FIRST, measured
from pipeline.job import JobContext
from pipeline.serving.batch.checked_rows import RowChecks
from pipeline.serving.batch.open_release import OpenRelease
from pipeline.serving.batch.predict import score_file
from pipeline.serving.batch.rows_in import RowsIn
from pipeline.serving.batch.scorer import Scorer
from pipeline.storage.redis.connection import connect

TRAINED = 20_000
"""Rows of each trained day."""
MODEL_LEAST, FILE_LEAST = 50.0, 30.0
"""Targets of ``deepfm``: thousands of rows a second in the model's call, and from file to file."""
KINDS = ("csv", "parquet")


def prepare(folder: Path, rows: int, experiment: str) -> dict[str, str]:
    """Release the model and write what is to be scored; returns the variables of the commands."""
    target = f"parquet:{folder / 'rows'}"
    measured(["examples.criteo_like", "--target", target, "--days", "2", "--rows-per-day", str(TRAINED)])
    more = ["--from", str(FIRST.plus(2)), "--days", "1", "--rows-per-day", str(rows)]
    measured(["examples.criteo_like", "--target", f"parquet:{folder / 'asked'}", *more])
    variables = {"DAYSPRING_CRITEO_URL": target, "DAYSPRING_ROOT": str(folder / "root")}
    span = ["--from", str(FIRST), "--to", str(FIRST.next())]
    measured(["pipeline", "backfill", "--job", "criteo", *span, "--experiment", experiment], **variables)
    table = pq.read_table(folder / "asked" / "criteo" / f"day={FIRST.plus(2)}" / "part-0000.parquet", partitioning=None)
    table = table.drop_columns(["day"])
    pa_csv.write_csv(table, folder / "rows.csv")
    pq.write_table(table, folder / "rows.parquet")
    return variables


def work(folder: Path, rows: int, rounds: int) -> dict[str, list[float]]:
    """Of each kind of file seconds and CPU seconds a round; of the model's calls alone too."""
    context, found = JobContext.open("criteo"), {}
    client = connect(context.root)
    release = OpenRelease.served(context, client)
    for kind in KINDS:
        given, out = str(folder / f"rows.{kind}"), folder / f"out.{kind}"
        for number in range(rounds + 1):
            begun, cpu = time.perf_counter(), time.process_time()
            done = score_file(release, given, out, ["line", "label"])
            assert done.scored == rows
            if number:  # the first one loads the model
                found.setdefault(kind, []).append(time.perf_counter() - begun)
                found.setdefault(f"{kind} CPU", []).append(time.process_time() - cpu)
    scorer = Scorer(release, None)
    table = scorer.meta.config.tables["rows"]
    checks = RowChecks(scorer.meta.config, scorer.needed)
    pieces = RowsIn(str(folder / "rows.parquet"), table, (), None).pieces()
    asked = [scorer.inputs(checks.check(piece).rows) for piece in pieces]
    for _ in range(rounds):
        begun, cpu = time.perf_counter(), time.process_time()
        for inputs in asked:
            release.model.answer(inputs)["logit"].numpy()
        found.setdefault("model", []).append(time.perf_counter() - begun)
        found.setdefault("model CPU", []).append(time.process_time() - cpu)
    client.close()
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--experiment", default="deepfm")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.work:
        print(json.dumps(work(given.work, given.rows, given.rounds)))
        return 0
    with tempfile.TemporaryDirectory(prefix="predict-") as named:
        folder = Path(named)
        variables = prepare(folder, given.rows, given.experiment)
        words = ["--work", str(folder), "--rows", str(given.rows), "--rounds", str(given.rounds)]
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.predict", *words], check=True, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "DAYSPRING_CONF": "examples/conf", **variables},
        ).stdout  # fmt: skip
    found: dict[str, list[float]] = json.loads(told.splitlines()[-1])
    missed = False
    print(f"{given.experiment}, {given.rows} rows of 39 columns, load {os.getloadavg()[0]:.1f}")
    for name, least in (("model", MODEL_LEAST), *((kind, FILE_LEAST) for kind in KINDS)):
        rate, cpu = given.rows / min(found[name]) / 1e3, 1e6 * min(found[f"{name} CPU"]) / given.rows
        judged = given.experiment == "deepfm"
        missed |= judged and rate < least
        told = f" (target ≥ {least:.0f}){': MISSED' if rate < least else ''}" if judged else ""
        what = "in the model's call" if name == "model" else f".{name} to .{name}"
        print(f"  {what:<20}{rate:7.1f} krow/s{told}, CPU µs a row {cpu:.1f}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
