"""Models day by day against the libraries': AUC of each next day's rows, in one protocol.

    export DAYSPRING_CONF=examples/conf/histories     # din and dien; examples/conf/interactions: lr fm deepfm …
    python -m benchmarks.deepctr_days --from 2022-04-25 --to 2022-05-04 [--means-from 2022-04-27] [--keep FOLDER]
        [--models lr fm deepfm dcn_v2 xdeepfm dlrm]

The job's experiments of that name are run by ``backfill`` (what is there stands), and DeepCTR's models, or what
``benchmarks.deepctr_fields`` has, in an environment of the benchmark's own (``benchmarks.deepctr``), take the same
arrays: every feature that the experiment reads, the same widths, networks, batches and rate, one pass a day from
yesterday's weights and Adam, each day tested before it is trained on; ids that no day has trained read as unknown in
both. What their interface has no place for: the product of target and history, ids that read as unknown in training,
the base rate to begin with. Prints AUC by day and mean; MISSED where ours is more than .0015 below.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import deepctr_fields
from benchmarks.deepctr import environment
from benchmarks.deepctr_protocol import COLUMNS, DAYS
from models.schema import Columns, DayArrays, Feature, FeatureSchema, Kind
from pipeline.cli.main import main as pipeline
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.evaluation.metrics import auc
from pipeline.evaluation.records import TestRecord
from pipeline.features.arrays import files
from pipeline.features.records import MapsRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import FEATURES, MAPS, TEST

MOST_BELOW = 0.0015
UNKNOWN = 1

DEEPCTR = """
import json, sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import array_ops, array_ops_stack, cond, control_flow_assert, control_flow_ops, while_loop
from tensorflow.python.util import nest

# What their recurrence calls by names that TensorFlow has moved.
nest.is_sequence = nest.is_nested
array_ops.stack, array_ops.unstack = array_ops_stack.stack, array_ops_stack.unstack
control_flow_ops.Assert, control_flow_ops.cond = control_flow_assert.Assert, cond.cond
control_flow_ops.while_loop = while_loop.while_loop
tf.compat.v1.disable_eager_execution()
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.config.threading.set_inter_op_parallelism_threads(2)

from deepctr.feature_column import DenseFeat, SparseFeat, VarLenSparseFeat
from deepctr.models import DIEN, DIN

""" + COLUMNS + """tf.random.set_seed(told["seed"])
settings = {"dnn_hidden_units": told["units"], "att_activation": told["attention_activation"],
            "att_weight_normalization": True, "l2_reg_embedding": 0.0, "seed": told["seed"]}
if told["model"] == "din":
    model = DIN(columns, told["histories"], att_hidden_size=told["attention_units"], **settings)
else:
    model = DIEN(columns, told["histories"], gru_type="AUGRU", att_hidden_units=told["attention_units"], **settings)
model.compile(tf.keras.optimizers.legacy.Adam(told["rate"]), "binary_crossentropy")
tf.compat.v1.keras.backend.get_session().run(tf.compat.v1.global_variables_initializer())
""" + DAYS

PROGRAMS = {"din": DEEPCTR, "dien": DEEPCTR} | dict.fromkeys(deepctr_fields.MODELS, deepctr_fields.PROGRAM)
"""By model, what trains it in the environment of the benchmark."""


class Days:
    """The days of an experiment as DeepCTR takes them: ids and floats by column, a row a pair."""

    def __init__(self, context: JobContext, experiment: str, days: Sequence[Day]) -> None:
        self.context, self.experiment, self.days = context, experiment, days
        self.config: JobConfig = context.config
        self.schema: FeatureSchema = self.config.experiment_schema(experiment)
        used = [f for f in self.schema.features if f.kind is not Kind.NEGATIVES]
        self.features = {_name(feature): feature for feature in used}
        histories = [f for f in used if f.kind is Kind.SEQUENCE]
        others = {f.name: f.kind for f in used if f.kind not in (Kind.CATEGORICAL, Kind.BAG, Kind.DENSE, Kind.SEQUENCE)}
        if others or not histories or not all(f.of for f in histories):
            raise SystemExit(f"'{experiment}' reads what DeepCTR has no column for: {others or histories}")
        self.histories = [str(feature.of) for feature in histories]

    def sizes(self, day: Day) -> dict[str, int]:
        """Ids of each space as the day ends."""
        return dict(MapsRecord.of(self.context.needed(MAPS, day)).sizes)

    def arrays(self, day: Day) -> DayArrays:
        return files.read(self.context.needed(FEATURES, day))

    def write(self, folder: Path) -> None:
        """Files of every day, and ``settings.json``."""
        settings = self.config.experiments[self.experiment]
        options: dict[str, Any] = dict(settings.options)
        encoder = dict(options.get("encoder", options))
        dims, sizes = self.config.widths(self.experiment), self.sizes(self.days[-1])
        for day in self.days:
            rows = dict(self._rows(self.arrays(day)))
            np.savez(folder / f"{day}.npz", label=self.arrays(day).label[:, 0].astype(np.float32), **rows)
        limits = {str(day): self._limits(before) for before, day in zip(self.days, self.days[1:], strict=False)}
        told = {
            "model": settings.model, "columns": [*self._columns(dims, sizes)], "histories": self.histories,
            "options": options, "units": list(options.get("units", [])),
            "attention_units": encoder.get("attention_units", [80, 40]),
            "attention_activation": encoder.get("attention_activation", "sigmoid"), "rate": settings.learning_rate,
            "batch": settings.batch, "seed": 1, "days": [str(day) for day in self.days], "limits": limits,
        }  # fmt: skip
        (folder / "settings.json").write_text(json.dumps(told))

    def _columns(self, dims: dict[str, int], sizes: dict[str, int]) -> Iterator[dict[str, Any]]:
        for name, feature in self.features.items():
            if feature.kind is Kind.DENSE:
                yield {"kind": "dense", "name": name, "width": feature.size}
            else:
                space, length = str(feature.space), _length(feature)
                yield {"kind": "ids", "name": name, "width": _width(feature), "space": space, "dim": dims[space],
                       "size": sizes[space], "length": length}  # fmt: skip

    def _limits(self, before: Day) -> dict[str, int]:
        sizes = self.sizes(before)
        return {name: sizes[str(f.space)] for name, f in self.features.items() if f.has_ids}

    def _rows(self, arrays: DayArrays) -> Iterator[tuple[str, NDArray[Any]]]:
        """By column, of every pair: ids ``[pairs]`` or ``[pairs, width]``, floats ``[pairs, size]``, lengths."""
        request = np.repeat(np.arange(arrays.requests), arrays.candidates)
        rows = {"request": request, "item": np.asarray(arrays.pair_item), "pair": np.arange(arrays.pairs)}
        for name, feature in self.features.items():
            place: Columns = arrays.layout.on(feature.side, ids=feature.has_ids)[feature.name]
            values = np.asarray(arrays.on(feature.side, ids=feature.has_ids)[:, place.start : place.stop])
            told = values[rows[str(feature.side)]]
            if not feature.has_ids:
                yield name, np.nan_to_num(told)
                continue
            length = _length(feature)
            if length is None:
                yield name, told[:, 0].astype(np.int32)
                continue
            if ((told[:, :-1] == 0) & (told[:, 1:] != 0)).any():
                raise SystemExit(f"'{feature.name}' has holes, which DeepCTR takes for its end")
            yield name, np.pad(told.astype(np.int32), ((0, 0), (0, _width(feature) - told.shape[1])))
            yield length, (told > 0).sum(axis=1).astype(np.int32)


def _name(feature: Feature) -> str:
    """As DeepCTR finds it: a history by the name of the feature that it is of."""
    return f"hist_{feature.of}" if feature.kind is Kind.SEQUENCE else feature.name


def _length(feature: Feature) -> str | None:
    """The column that says how many ids of a feature there are; none for one."""
    if feature.kind is Kind.SEQUENCE:
        return "seq_length"
    return f"{feature.name}_length" if feature.kind is Kind.BAG else None


def _width(feature: Feature) -> int:
    return feature.steps if feature.kind is Kind.SEQUENCE else feature.values


def theirs(days: Days, python: Path, folder: Path) -> dict[Day, float]:
    """AUC of each day but the first by DeepCTR's model."""
    folder.mkdir(parents=True, exist_ok=True)
    days.write(folder)
    (folder / "train.py").write_text(PROGRAMS[days.config.experiments[days.experiment].model])
    environment_of = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": "/usr/bin:/bin"}
    subprocess.run([python, folder / "train.py", folder], check=True, env=environment_of)
    found = {}
    for day in days.days[1:]:
        value = auc(days.arrays(day).label[:, 0], np.load(folder / f"{day}.npy"))
        assert value is not None, f"{day} has rows of one label alone"
        found[day] = value
    return found


def ours(days: Days) -> dict[Day, float]:
    """The same of the experiment's own tests."""
    context = days.context
    tests = {day: context.store.current(Ref(TEST, context.job, day, days.experiment)) for day in days.days[1:]}
    found = {day: TestRecord.of(test).values["auc"] for day, test in tests.items() if test is not None}
    return {day: float(value) for day, value in found.items() if value is not None}


def compare(model: str, here: dict[Day, float], there: dict[Day, float], since: Day) -> bool:
    """Print both by day and their means; whether ours is not too far below."""
    days = [day for day in here if day in there]
    print(f"{model:<22}" + "".join(f"{str(day)[5:]:>8}" for day in days) + f"{'mean':>8}")
    means = []
    for whose, values in (("here", here), ("the library", there)):
        means.append(float(np.mean([values[day] for day in days if day >= since])))
        print(f"  {whose:<20}" + "".join(f"{values[day]:8.4f}" for day in days) + f"{means[-1]:8.4f}")
    difference = means[0] - means[1]
    good = difference >= -MOST_BELOW
    print(f"  difference of means {difference:+.4f} (target ≥ -{MOST_BELOW}){'' if good else '  MISSED'}", flush=True)
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", default="ads", help="(default ads)")
    parser.add_argument("--from", dest="first", type=Day.parse, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=Day.parse, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--means-from", type=Day.parse, metavar="YYYY-MM-DD", help="first day of the means")
    parser.add_argument("--models", nargs="+", choices=[*PROGRAMS], default=["din", "dien"],
                        help="(default din dien)")
    parser.add_argument("--keep", type=Path, help="a folder for environment and arrays, to be used again")
    given = parser.parse_args()
    asked = [each for model in given.models for each in ("--experiment", model)]
    span = ["--from", str(given.first), "--to", str(given.last)]
    if code := pipeline(["backfill", "--job", given.job, *span, "--publish", "none", *asked]):
        return code
    with nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        python, context, missed = environment(work / "environment"), JobContext.open(given.job), 0
        through = [day for day in given.first.through(given.last) if context.skipped(day) is None]
        for model in given.models:
            days = Days(context, model, through)
            here = ours(days)
            missed += not compare(model, here, theirs(days, python, work / model), given.means_from or through[1])
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
