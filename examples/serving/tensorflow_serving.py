"""Requests to TensorFlow Serving for rows of a file, in its two forms.

    python -m examples.serving.tensorflow_serving --job criteo --input rows.csv --rest request.json --grpc request.pb
    curl -d @request.json http://127.0.0.1:8501/v1/models/criteo:predict

What the model is asked is what ``predict`` asks it: raw ids and numbers by feature, and what the release tells of
earlier rows (counters, histories). Rows that cannot be scored are told, and left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from examples.command import guarded
from models.export.warm_up import SIGNATURE, predict_request
from pipeline.days import Day
from pipeline.errors import DataError, UsageError
from pipeline.job import JobContext
from pipeline.serving.batch.checked_rows import RowChecks
from pipeline.serving.batch.open_release import OpenRelease
from pipeline.serving.batch.rows_in import RowsIn
from pipeline.serving.batch.scorer import Scorer, guard_kind
from pipeline.storage.redis.connection import connect


def inputs_of(release: OpenRelease, given: str, day: Day | None) -> tuple[dict[str, NDArray[Any]], RowChecks]:
    """What a release's model is asked of the rows of a file, by feature, and what its rows were found to be.

    Raises:
        DataError: none of them can be scored.
    """
    scorer = Scorer(release, day)
    config = scorer.meta.config
    checks = RowChecks(config, scorer.needed)
    rows_in = RowsIn(given, config.tables[config.request.rows], [], day)
    rows = [checks.check(piece).rows for piece in rows_in.pieces()]
    checks.misshapen(rows_in.misshapen)
    table = pa.concat_tables(rows) if rows else pa.table({})
    if not table.num_rows:
        why = f"none of its {checks.read} rows can be scored" if checks.read else "has no rows"
        raise DataError(f"--input {given}: {why}")
    return scorer.inputs(table), checks


def rest_body(inputs: Mapping[str, NDArray[Any]]) -> str:
    """The body of ``POST /v1/models/<job>:predict``; a missing number is ``NaN``, as TensorFlow Serving writes it."""
    return json.dumps({"signature_name": SIGNATURE, "inputs": {name: each.tolist() for name, each in inputs.items()}})


def from_rest_body(body: str, types: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """What a server makes of a body, by the types of the model's inputs."""
    return {name: np.asarray(values, types[name]) for name, values in json.loads(body)["inputs"].items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m examples.serving.tensorflow_serving", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--job", required=True)
    parser.add_argument("--input", required=True, metavar="FILE|FOLDER", help="of a few rows: a request is one message")
    parser.add_argument("--day", type=Day.parse, help="that the rows are of; by default that after the release")
    parser.add_argument("--rest", type=Path, metavar="FILE", help="the body of a POST, as JSON")
    parser.add_argument("--grpc", type=Path, metavar="FILE", help="a PredictRequest, serialised")
    asked = parser.parse_args(arguments)
    if asked.rest is None and asked.grpc is None:
        parser.error("nothing to write: name --rest FILE, --grpc FILE or both")
    return guarded(lambda: _write(asked))


def _write(asked: argparse.Namespace) -> None:
    for name, path in (("rest", asked.rest), ("grpc", asked.grpc)):
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            raise UsageError(f"--{name} {path}: name a file in a folder that is there")
    context = JobContext.open(asked.job)
    guard_kind(context.config)
    client = connect(context.root)
    try:
        release = OpenRelease.served(context, client)
        inputs, checks = inputs_of(release, asked.input, asked.day)
    finally:
        client.close()
    for line in _told(checks):
        print(line, file=sys.stderr)
    rows, version = len(next(iter(inputs.values()))), release.found.pointer.version
    if asked.rest is not None:
        asked.rest.write_text(rest_body(inputs), encoding="utf-8")
        print(f"{rows} rows: POST {asked.rest} to /v1/models/{context.job}/versions/{version}:predict")
    if asked.grpc is not None:
        request = predict_request(context.job, inputs)
        request.model_spec.version.value = version
        asked.grpc.write_bytes(request.SerializeToString())
        print(f"{rows} rows: PredictionService.Predict of {asked.grpc}, a tensorflow.serving.PredictRequest")


def _told(checks: RowChecks) -> Iterable[str]:
    for reason, rows in checks.reasons.most_common():
        yield f"left out: {rows} rows, {reason}"
    if checks.absent:
        yield f"read as missing, as the input lacks them: {', '.join(checks.absent)}"


if __name__ == "__main__":
    sys.exit(main())
