"""What days of trees cost beside a net's, over the same arrays.

    DAYSPRING_ADS_URL=parquet:ads python -m benchmarks.trees [--from 2022-04-25] [--to 2022-05-04]
        [--experiment gbdt_lr …]

Each experiment of ``examples/conf/trees/ads.yaml`` (``din`` first) by a backfill in a process of its own, after one of
``popularity`` that makes the days' arrays: CPU seconds of all threads for its tests, gates, trainings, exports and
checks, and their ratio to the net's. MISSED where ``gbdt_lr`` takes more than 3 times as much. Needs KuaiRand-Pure
(``examples.kuairand``, with ``--outcomes``).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile

from benchmarks.labelled_rows import measured

NET, MOST = "din", {"gbdt_lr": 3.0}
"""What others are compared with; how many times its CPU they may take."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--from", dest="first", default="2022-04-25")
    parser.add_argument("--to", dest="last", default="2022-05-04")
    parser.add_argument("--experiment", action="append", help="default: gbdt, gbdt_lr, daily")
    options = parser.parse_args()
    if "DAYSPRING_ADS_URL" not in os.environ:
        raise SystemExit("set DAYSPRING_ADS_URL to where examples.kuairand has written its tables")
    days = ("--from", options.first, "--to", options.last)
    missed = False
    with tempfile.TemporaryDirectory() as folder:

        def cost(name: str) -> float:
            words = ["pipeline", "backfill", "--job", "ads", *days, "--publish", "none", "--experiment", name]
            return measured(words, DAYSPRING_CONF="examples/conf/trees", DAYSPRING_ROOT=folder).cpu

        cost("popularity")
        of_net = cost(NET)
        print(f"{'experiment':>12} {'CPU s':>8} {'of ' + NET:>8}\n{NET:>12} {of_net:8.1f} {1:8.2f}", flush=True)
        for name in options.experiment or ["gbdt", "gbdt_lr", "daily"]:
            own = cost(name)
            over = own / of_net > MOST.get(name, float("inf"))
            missed |= over
            print(f"{name:>12} {own:8.1f} {own / of_net:8.2f}{'  MISSED' if over else ''}", flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
