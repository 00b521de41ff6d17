"""``python -m benchmarks``: every benchmark in turn, each in a process of its own; it prints ratios, not verdicts."""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    "windows", "id_lookup", "step", "step_parts", "step_against", "models", "deepctr", "extraction_memory", "many_days",
    "day_cost", "shards", "policies", "planted", "order", "interactions", "interactions_step", "inference", "predict",
    "labelled_rows", "compare", "request", "trainers", "recall", "redis_push", "hbase", "mysql",
)  # fmt: skip


def main() -> int:
    failed = []
    for name in NAMES:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nended with an error: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
