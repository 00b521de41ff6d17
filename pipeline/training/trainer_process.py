"""One of several processes that train an experiment together, from its start to its end.

The first is told what to do on its standard input and answers on its standard output, a line of JSON each; it tells the
others, who do the same and write nothing.
"""

from __future__ import annotations

import json
import signal
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import tensorflow as tf

from models.engine.engine import configure
from models.engine.exchange import Workers
from pipeline.errors import ChainError, DayspringError, LastingError, TrainerLost
from pipeline.job import JobContext
from pipeline.training.clusters import Cluster, wait_for
from pipeline.training.day_training import TrainedHere, train_here
from pipeline.training.loaded_trainers import Trainers
from pipeline.training.written_work import read


def join(context: JobContext, experiment: str, cluster: Cluster) -> Workers:
    """Join the others; waits until all are there."""
    configure(context.config.threads)
    # The strategy would take a part on each of them.
    tf.config.set_visible_devices([], "GPU")
    if cluster.number:
        wait_for(cluster.addresses[0])
    workers = Workers(tf.distribute.cluster_resolver.TFConfigClusterResolver())
    # TensorFlow takes it for a notice.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Trainers.of(context, experiment).exchange = workers
    return workers


def lead(context: JobContext, workers: Workers, asked: IO[str], answers: IO[str]) -> None:
    """The first trainer, until nothing more is asked."""

    def answer(**told: Any) -> None:
        print(json.dumps(told), file=answers, flush=True)

    answer(ready=True)
    trained: TrainedHere | None = None
    for line in asked:
        told = json.loads(line)
        if "write" in told and trained is not None:
            tensors, content = trained.write(Path(told["write"]))
            answer(tensors=tensors, content=content)
        elif "train" in told:
            trained = None
            try:
                workers.tell(line)
                trained = _trained(context, workers, told)
            except (DayspringError, tf.errors.OpError) as error:
                lost = isinstance(error, tf.errors.OpError)
                answer(error=_why(error) if lost else str(error), lost=lost, lasting=isinstance(error, LastingError))
                return  # whoever asked says it
            answer(record=trained.record.model_dump_json(), seconds=trained.seconds)
        else:
            break
    workers.tell()


def follow(context: JobContext, workers: Workers) -> None:
    """Another trainer, until the first one ends."""
    try:
        while line := workers.tell():
            _trained(context, workers, json.loads(line))
    except tf.errors.OpError as error:
        raise TrainerLost(f"{context.job}: {_why(error)}") from None


def _why(error: Exception) -> str:
    """What TensorFlow says of a sum that did not come about, without where in which graph."""
    lines = [line for line in str(error).splitlines() if "abort" in line.lower()] or str(error).splitlines()
    return f"another trainer is lost ({lines[0]})"


def _trained(context: JobContext, workers: Workers, told: dict[str, Any]) -> TrainedHere:
    work = read(context.store, told["train"])
    settings = work.overrides.applied(context.config, work.experiment).stage_settings("train", work.experiment)
    if told["settings"] != settings:
        raise ChainError(
            f"trainer {workers.part.number + 1} of '{work.experiment}' has other settings than the run: give all "
            "trainers the same YAML (`DAYSPRING_CONF`)"
        )
    if told["checkpoint"] is not None:
        Trainers.of(context, work.experiment).trainer.checkpoint = told["checkpoint"]
    trained = train_here(context, work)
    if not workers.agree(_checksum(trained)):
        raise ChainError(
            f"the trainers of '{work.experiment}' have come to different weights; let all have one kind of processor, "
            "the same TensorFlow and the same settings"
        )
    return trained


def _checksum(trained: TrainedHere) -> int:
    found = 0
    for name in sorted(trained.tensors):
        found = zlib.crc32(np.ascontiguousarray(trained.tensors[name]).data, found)
    return found
