"""DIN against DeepCTR's: cost of a training step, each in a process of its own.

    python -m benchmarks.deepctr [--rounds 5] [--batch 1024] [--keep FOLDER]

DeepCTR needs Keras 2, so it runs in an environment that is made in the work folder, beside this project's packages
(``PACKAGES``; the index that pip is set to must have them). Both train the network of ``benchmarks.models``, DeepCTR
with its own Adam of all rows, no penalties and ready batches. CPU milliseconds of all threads as slopes, in turns; the
ratio is the median over rounds, MISSED where it is below the target.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from contextlib import nullcontext
from pathlib import Path

import numpy as np

PACKAGES = ("deepctr==0.9.4", "tf-keras==2.21.0", "tensorflow-recommenders==0.7.7")
TARGET = 1.8

DEEPCTR = """
import sys, time

import numpy as np
import tensorflow as tf
from deepctr.feature_column import SparseFeat, VarLenSparseFeat
from deepctr.models import DIN

place, batch, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.config.threading.set_inter_op_parallelism_threads(2)
held = dict(np.load(place))
sizes, label = dict(zip(held.pop("names").tolist(), held.pop("sizes").tolist())), held.pop("label")
columns = [SparseFeat(name, size, embedding_dim=width) for name, size in sizes.items()]
for name in ("item", "category"):
    step = SparseFeat(f"hist_{name}", sizes[name], embedding_dim=width, embedding_name=name)
    columns.append(VarLenSparseFeat(step, maxlen=held[f"hist_{name}"].shape[1], length_name="length"))
held["length"] = (held["hist_item"] > 0).sum(axis=1).astype(np.int32)
model = DIN(columns, ["item", "category"], dnn_hidden_units=(256, 128, 64), att_hidden_size=(80, 40),
            att_activation="sigmoid", att_weight_normalization=True, l2_reg_embedding=0.0)
model.compile("adam", "binary_crossentropy")
count = len(label) // batch
cut = lambda each: each[: count * batch].reshape(count, batch, *each.shape[1:])
ready = tf.data.Dataset.from_tensor_slices(({name: cut(each) for name, each in held.items()}, cut(label))).repeat()


def run(steps):
    model.fit(ready, steps_per_epoch=steps, epochs=1, verbose=0)


def seconds(steps):
    start = time.process_time()
    run(steps)
    return time.process_time() - start


run(2)
print("CPU ms", flush=True)
for _ in sys.stdin:
    few, many = seconds(4), seconds(20)
    print("CPU ms", 1e3 * (many - few) / 16, flush=True)
"""

OURS = """
import sys

from benchmarks.models import Trained
from benchmarks.step import THREADS, slope
from models.engine.engine import configure

configure(THREADS)
trained = Trained("din", int(sys.argv[2]))
trained.run(2)
print("CPU ms", flush=True)
for _ in sys.stdin:
    print("CPU ms", slope(trained.run, 8), flush=True)
"""


def environment(folder: Path) -> Path:
    """The Python of an environment with ``PACKAGES`` beside this project's; made where it is not there."""
    python, made, wanted = folder / "bin" / "python", folder / "made", "\n".join(PACKAGES)
    if not made.exists() or made.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        site = next((folder / "lib").glob("python*/site-packages"))
        here = Path(np.__file__).resolve().parents[1]
        (site / "project.pth").write_text(f"{here}\n")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", *PACKAGES], check=True)
        made.write_text(wanted)
    return python


def write_rows(place: Path, batch: int) -> None:
    """The rows of ``benchmarks.models`` by DeepCTR's names."""
    from benchmarks.models import SIZES, STEPS, features, rows_of
    from models.schema import FeatureSchema

    schema = FeatureSchema(tuple(features("din", STEPS)), dict.fromkeys(SIZES, "int"))
    day, ids = rows_of(schema, 32 * batch, STEPS)
    named = {name.replace("history", "hist"): each[:, 0] if each.shape[1] == 1 else each for name, each in ids.items()}
    label = day.label[:, :1].astype(np.float32)
    np.savez(place, label=label, names=np.array([*SIZES]), sizes=np.array([*SIZES.values()]), **named)


class Trainer:
    """A process that says what a step costs whenever it is asked."""

    def __init__(self, python: str | Path, program: str, *arguments: object, **variables: str) -> None:
        self._process = subprocess.Popen(
            [python, "-c", program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **variables}, cwd=Path(__file__).resolve().parents[1],
        )  # fmt: skip
        self._told()

    def cost(self) -> float:
        """CPU milliseconds a step."""
        assert self._process.stdin
        print(file=self._process.stdin, flush=True)
        return float(self._told())

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _told(self) -> str:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("CPU ms"):
                return line.removeprefix("CPU ms")
        raise SystemExit(f"a trainer ended with {self._process.wait()}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="in turns (default 5)")
    parser.add_argument("--batch", type=int, default=1024, help="rows of a step (default 1024)")
    parser.add_argument("--keep", type=Path, help="a folder for the environment, to be used again")
    arguments = parser.parse_args()
    with nullcontext(arguments.keep) if arguments.keep else tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        python = environment(work / "environment")
        write_rows(work / "rows.npz", arguments.batch)
        theirs = Trainer(python, DEEPCTR, work / "rows.npz", arguments.batch, 16, TF_USE_LEGACY_KERAS="1")
        ours = Trainer(sys.executable, OURS, "din", arguments.batch)
        rounds = [(theirs.cost(), ours.cost()) for _ in range(arguments.rounds)]
        for trainer in (theirs, ours):
            trainer.close()
    costs = [statistics.median(each) for each in zip(*rounds, strict=True)]
    ratio = statistics.median(there / here for there, here in rounds)
    missed = arguments.batch == 1024 and ratio < TARGET
    print(f"din, batch {arguments.batch}: DeepCTR {costs[0]:.1f}, here {costs[1]:.1f} CPU ms a step, ratio {ratio:.2f} "
          f"(target ≥ {TARGET}){'  MISSED' if missed else ''}; load {os.getloadavg()[0]:.1f}")  # fmt: skip
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
