"""Time of an exported model's answer, by rows asked at once and by threads.

    python -m benchmarks.inference [--model deepfm …] [--rounds 5]

The models and rows of ``benchmarks.interactions_step`` (26 ids, raw, and 13 numbers), exported; each number of threads
in a process of its own, which calls the signature as a service does. Wall clock: milliseconds a call, and thousands of
rows a second; medians of rounds. MISSED where `deepfm` answers fewer than 50,000 rows a second at once by two threads.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from benchmarks.interactions_step import IDS, MODELS, NUMBERS, ROWS, UNITS, WIDTH, WITH_UNITS, schema
from models.engine.engine import Engine, configure
from models.export.saved_model import module_of

SIZES = (1, 16, 128, 1024, 8192)
THREADS = (1, 2)
LEAST = 50.0
"""Thousands of rows a second, of ``deepfm``."""
_SECONDS = 0.3
"""Of calls of one size in a round."""


def export(model: str, folder: Path) -> None:
    """Write a model as it is first drawn, which knows every id below the size of its tables."""
    known = schema()
    engine = Engine(known, model, {"units": UNITS} if model in WITH_UNITS else {},
                    dims=dict.fromkeys(known.spaces, 4 if model == "ffm" else WIDTH))  # fmt: skip
    size = ROWS // IDS
    engine.fresh(dict.fromkeys(known.spaces, size))
    maps = dict.fromkeys(known.spaces, ("int", np.arange(2, size)))
    module_of(engine, dict.fromkeys(known.spaces, "int")).write(folder, engine.sizes, maps, {})


def answers(folder: Path, threads: int) -> dict[str, float]:
    """Milliseconds of a call by its rows, in this process."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    draw = np.random.default_rng(0)
    found = {}
    for rows in SIZES:
        inputs = {f"c{n}": tf.constant(draw.integers(0, ROWS // IDS, rows)) for n in range(IDS)}
        inputs |= {f"i{n}": tf.constant(draw.normal(size=(rows, 1)).astype(np.float32)) for n in range(NUMBERS)}
        shapes = {name: spec.shape.rank for name, spec in serve.structured_input_signature[1].items()}
        inputs = {name: tf.reshape(each, [rows] if shapes[name] == 1 else [rows, 1]) for name, each in inputs.items()}
        serve(**inputs)
        calls, begun = 0, time.perf_counter()
        while calls < 3 or time.perf_counter() - begun < _SECONDS:
            serve(**inputs)["logit"].numpy()
            calls += 1
        found[str(rows)] = 1e3 * (time.perf_counter() - begun) / calls
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", choices=MODELS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", nargs=2, metavar=("FOLDER", "THREADS"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.work:
        print(json.dumps(answers(Path(given.work[0]), int(given.work[1]))))
        return 0
    configure(2)
    names = given.model or MODELS
    with tempfile.TemporaryDirectory(prefix="inference-") as folder:
        for name in names:
            export(name, Path(folder, name))
        rounds = [
            {(name, threads): json.loads(subprocess.run(
                [sys.executable, "-m", "benchmarks.inference", "--work", str(Path(folder, name)), str(threads)],
                check=True, capture_output=True, text=True).stdout) for name in names for threads in THREADS}
            for _ in range(given.rounds)
        ]  # fmt: skip
    print(f"load {os.getloadavg()[0]:.1f}; ms a call (krow/s), medians of {given.rounds} rounds")
    print(f"{'model':<12}{'threads':>8}" + "".join(f"{rows:>18}" for rows in SIZES))
    missed = False
    for name in names:
        for threads in THREADS:
            ms = {rows: statistics.median(each[name, threads][str(rows)] for each in rounds) for rows in SIZES}
            print(f"{name:<12}{threads:>8}" + "".join(f"{ms[n]:>9.2f} ({n / ms[n]:>5.1f})" for n in SIZES))
            if name == "deepfm" and threads == max(THREADS):
                most = max(rows / each for rows, each in ms.items())
                missed = most < LEAST
                print(f"deepfm: {most:.0f} krow/s (target ≥ {LEAST:.0f}){': MISSED' if missed else ''}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
