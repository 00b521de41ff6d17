"""Do models of interactions see what they are made to see? On generated rows whose law is known (examples.criteo_like).

    python -m benchmarks.interactions [--rows 60000] [--days 8] [--seeds 1 2] [--effect triples]

Two worlds a seed, of the nine columns that effects are planted in: one with pairs of columns that say nothing apart,
one with triples of which no two say anything. On each the models are trained day by day, each day tested before it is
trained on. Printed is what ``compare`` says of AUC over the last half of the days of all seeds:

* pairs: a factorisation machine should be better than logistic regression;
* triples: networks and crosses should be better than a factorisation machine, which sees pairs alone;
* the first model of another seed: cannot be told from it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.schools import PROJECT, against, told, train_day
from examples.criteo_like import SCHEMA, TABLE, World
from examples.targets import ParquetTarget
from pipeline.config.experiment import Experiment
from pipeline.config.job import JobConfig
from pipeline.config.load import load_job
from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.stages.stage import SHARED, stage

FIRST = Day.of(2024, 1, 1)
COLUMNS = ("c1", "c2", "c5", "c6", "c8", "c9", "c14", "c17", "c23")
MEASURE, AGAIN = "auc", "again"
WORLDS = {"pairs": ("lr", "fm"), "triples": ("fm", "dnn", "dcn", "dcn_v2", "xdeepfm")}
"""By effect the models that it is asked of: the first does not see it, the others do."""


def variants(conf: Path, models: Sequence[str], rate: float, batch: int) -> JobConfig:
    """The example's job over the columns with effects, with the models, and the first again of another seed."""
    config = load_job("criteo", conf)
    experiments = {
        name: Experiment(
            model=name, loss="binary", dim=8, batch=batch, learning_rate=rate, compile="graph",
            options={} if name in ("lr", "fm") else {"units": [128, 64]},
        )
        for name in models
    }  # fmt: skip
    experiments[AGAIN] = experiments[models[0]].model_copy(update={"seed": 7})
    features = {name: config.features[name] for name in COLUMNS}
    release = config.release.model_copy(update={"champion": models[0]})
    return config.model_copy(update={"features": features, "experiments": experiments, "release": release})


def run_world(world: World, config: JobConfig, folder: Path, days: Sequence[Day], rows: int) -> JobContext:
    """Generate a world and train every model on each of its days, each tested on the next day first."""
    target = ParquetTarget(folder / "rows")
    context = JobContext(config, folder / "root")
    os.environ[context.source_variable] = f"parquet:{folder / 'rows'}"
    try:
        for day in days:
            target.write_day(TABLE, day, SCHEMA, world.day(day, rows))
            for name in SHARED:
                stage(name).run(context, day)
            for name in config.experiments:
                train_day(context, day, name)
    finally:
        context.close()
    return context


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000, help="a day (default %(default)s)")
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate (default %(default)s)")
    parser.add_argument("--batch", type=int, default=128, help="default %(default)s")
    parser.add_argument("--effect", nargs="+", choices=WORLDS, default=list(WORLDS), help="of these alone")
    given = parser.parse_args()
    days = list(FIRST.through(FIRST.plus(given.days - 1)))
    for effect in given.effect:
        models = WORLDS[effect]
        config = variants(PROJECT / "examples" / "conf", models, given.rate, given.batch)
        with ExitStack() as folders:
            worlds = [
                run_world(
                    World(seed, frozenset({"linear", effect})), config,
                    Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="interactions-"))), days, given.rows,
                )
                for seed in given.seeds
            ]  # fmt: skip
            print(effect)
            for name in (*models[1:], AGAIN):
                found = against(worlds, models[0], name, MEASURE, since=days[len(days) // 2])
                print(f"  {name} against {models[0]}: {told(found, MEASURE)}", flush=True)


if __name__ == "__main__":
    main()
