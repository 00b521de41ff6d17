"""``trainer``: one of several processes that train an experiment together."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from typing import NoReturn

from pipeline.cli.arguments import Commands, add_job
from pipeline.errors import ConfigError, DayspringError, UsageError
from pipeline.job import JobContext
from pipeline.process.tensorflow_start import start_tensorflow
from pipeline.training.clusters import TF_CONFIG, Cluster
from pipeline.training.compiled_steps import keep_compiled_steps


def register(commands: Commands) -> None:
    parser = commands.add(
        "trainer", _trainer,
        "Train with others that TF_CONFIG names: all but the first, which a run or a stage starts by itself.",
        "trainer --job ads --experiment din",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--experiment", required=True, metavar="E", help="one with `workers`")


def _trainer(options: argparse.Namespace) -> NoReturn:
    context, name = JobContext.open(options.job), options.experiment
    if name not in context.config.experiments:
        raise UsageError(f"--experiment {name}: job '{context.job}' has {', '.join(context.config.experiments)}")
    if TF_CONFIG not in os.environ:
        raise ConfigError(f"{TF_CONFIG}: is not set; it names the hosts of all trainers and which of them this is")
    settings = context.config.experiments[name]
    cluster = Cluster.of(os.environ[TF_CONFIG], settings.workers)
    threads = settings.share(context.config.threads)
    context = JobContext(context.config.model_copy(update={"threads": threads}), context.root)
    # What is asked for by whoever started this process, and nothing else, is written to standard output.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    keep_compiled_steps(context, f"{name}@{cluster.number + 1}")
    start_tensorflow()
    from pipeline.training import trainer_process

    code = 0
    try:
        workers = trainer_process.join(context, name, cluster)
        if cluster.number:
            trainer_process.follow(context, workers)
        else:
            trainer_process.lead(context, workers, sys.stdin, answers)
    except DayspringError as error:
        print(f"error: {error}", file=sys.stderr)
        code = error.exit_code
    except Exception:
        traceback.print_exc()
        code = 1
    context.close()
    # Not by returning: TensorFlow's end may wait for trainers that have gone.
    sys.stderr.flush()
    os._exit(code)
