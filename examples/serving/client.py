"""Answers both kinds of ranking jobs with what is published, by redis, numpy and TensorFlow alone (docs/serving.md).

    python -m examples.serving.client --job ads --redis redis://HOST:6379/0 --models published/ads/models --owner 712
    python -m examples.serving.client --job homework … --owner 501 9001 --chapter 10 --context '{"grade": 3}'

``--rest FILE`` and ``--grpc FILE`` write what TensorFlow Serving would be asked instead of asking the model here.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import redis
from numpy.typing import NDArray

from examples.serving.released.homework import Homework
from examples.serving.released.impressions import Impressions
from examples.serving.released.ready import Inputs, Question, Ready
from examples.serving.released.release import Release, ReleaseGone

KINDS: Mapping[str, type[Ready]] = {"ranking": Homework, "impressions": Impressions}
SIGNATURE = "serving_default"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """Every candidate, best first, ties in the order of their keys."""

    release_id: str
    keys: list[Any]
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]


class Model:
    """A SavedModel, asked in this process."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        first = "tensorflow" not in sys.modules
        import tensorflow as tf

        # Of a small request's operations, to share one out, or to hand it to a thread, takes longer than to do it.
        if first:  # later it is too late
            tf.config.threading.set_intra_op_parallelism_threads(1)
        self._tf, self._loaded = tf, tf.saved_model.load(str(folder))
        signature = self._loaded.signatures[SIGNATURE]
        self.types = {name: spec.dtype for name, spec in signature.structured_input_signature[1].items()}
        self._kept: dict[str, tuple[NDArray[Any], Any]] = {}
        graph = signature.graph.as_graph_def()
        nodes = chain(graph.node, *(function.node_def for function in graph.library.function))
        loops = any("_lower_using_switch_merge" in node.attr for node in nodes)  # which one thread does not run
        self._by = "" if loops else "SINGLE_THREADED_EXECUTOR"
        # Called by its arguments alone: a signature looks at each by its name again.
        self._order = sorted(self.types)
        self._call = tf.function(
            lambda *given: signature(**dict(zip(self._order, given, strict=True))), autograph=False
        ).get_concrete_function(*(signature.structured_input_signature[1][name] for name in self._order))

    def score(self, inputs: Inputs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits and probabilities ``[candidates]`` of one request."""
        given = [self._tensor(name, inputs[name]) for name in self._order]
        with self._tf.experimental.function_executor_type(self._by):
            answer = self._call(*given)
        return answer["logit"].numpy()[0], answer["probability"].numpy()[0]

    def _tensor(self, name: str, values: NDArray[Any]) -> Any:
        """A tensor; of the very array of the call before, that call's."""
        before, tensor = self._kept.get(name, (None, None))
        if before is not values:
            tensor = self._tf.constant(values, self.types[name])
            self._kept[name] = values, tensor
        return tensor


@dataclass(frozen=True)
class Served:
    """A release that answers: what is known of it, and its model."""

    pointer: bytes
    ready: Ready
    model: Model


class Client:
    """Answers requests of one job.

    Another release is made ready in the background, with a first request behind it, before it answers.

    Args:
        models: the folder that holds the job's models by number.
        keys: what the job's keys begin with, ``<namespace>:<job>``.
    """

    def __init__(self, client: redis.Redis, models: Path, keys: str) -> None:
        self._client, self._models, self._keys = client, models, keys
        self._behind = ThreadPoolExecutor(1)
        self._coming: Future[Served] | None = None
        self._like: Question | None = None
        self._now = self._made_ready()

    @property
    def model(self) -> Model:
        """The model that answers."""
        return self._now.model

    def ask(self, question: Question) -> Answer:
        """Every candidate of a question, scored."""
        release, keys, inputs = self.asked(question)
        if not keys:
            none = np.zeros(0, np.float32)
            return Answer(release.id, [], none, none)
        logits, probabilities = self._now.model.score(inputs)
        return ranked(release.id, keys, logits, probabilities)

    def asked(self, question: Question) -> tuple[Release, list[Any], Inputs]:
        """The release that answers a question, its candidates, and what its model is asked."""
        if self._coming is not None and self._coming.done():
            coming, self._coming = self._coming, None
            try:
                self._now = coming.result()
            except Exception as error:  # the one before answers on, and the next request tries again
                _LOG.warning("the release that is served now could not be made ready: %s", error)
        try:
            return self._inputs(self._now, question)
        except ReleaseGone:  # it expired while it was read: the one that is served now, once
            self._now = self._made_ready()
            return self._inputs(self._now, question)

    def _inputs(self, now: Served, question: Question) -> tuple[Release, list[Any], Inputs]:
        release = Release(self._client, self._keys, now.pointer)
        keys, inputs = now.ready.inputs(release, question, now.model.types)
        if release.newest != now.pointer and self._coming is None:
            self._like = question
            self._coming = self._behind.submit(self._made_ready)
        return release, keys, inputs

    def _made_ready(self) -> Served:
        pointer = self._client.get(f"{self._keys}:current")
        if not isinstance(pointer, bytes):
            raise RuntimeError(f"no key {self._keys}:current: nothing is published")
        release = Release(self._client, self._keys, pointer)
        config = release.fetch({"meta": ["config"]})["meta"]["config"]
        model = Model(self._models / str(release.pointer["version"]))
        served = Served(pointer, KINDS[config["kind"]](release), model)
        if self._like is not None:  # a model's first answer takes the longest
            keys, inputs = served.ready.inputs(release, self._like, model.types)
            if keys:
                model.score(inputs)
        return served


def ranked(release_id: str, keys: Sequence[Any], logits: NDArray[Any], probabilities: NDArray[Any]) -> Answer:
    """Candidates by score; of equal ones the lower key first: numbers by value, texts by their bytes."""
    in_order = sorted(keys, key=lambda key: key if isinstance(key, int) else key.encode())
    place = {key: at for at, key in enumerate(in_order)}
    order = np.lexsort((np.array([place[key] for key in keys]), -logits))
    return Answer(release_id, [keys[at] for at in order], logits[order], probabilities[order])


def rest_body(inputs: Inputs) -> str:
    """The body of a POST to TensorFlow Serving; a missing number is ``NaN``."""
    return json.dumps({"signature_name": SIGNATURE, "inputs": {name: each.tolist() for name, each in inputs.items()}})


def grpc_request(job: str, version: int, inputs: Inputs, types: Mapping[str, Any]) -> Any:
    """A ``tensorflow.serving.PredictRequest`` (of the package ``tensorflow-serving-api``)."""
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

    request = PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = job, SIGNATURE
    request.model_spec.version.value = version
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values, types[name], shape=values.shape))
    return request


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m examples.serving.client", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--job", required=True)
    parser.add_argument("--namespace", default="dayspring")
    parser.add_argument("--redis", required=True, metavar="URL", help="redis://… or unix:///…")
    parser.add_argument("--models", required=True, type=Path, metavar="FOLDER", help="that holds the models by number")
    parser.add_argument("--owner", required=True, nargs="+", metavar="ID", help="the user, or teacher and class")
    parser.add_argument("--chapter", action="append", metavar="ID", help="of homework; may be given several times")
    parser.add_argument("--context", type=json.loads, default={}, metavar="JSON", help='columns: {"grade": 3}')
    parser.add_argument("--top", type=int, default=5)
    parser.add_argument("--rest", type=Path, metavar="FILE", help="write the body of a POST to TensorFlow Serving")
    parser.add_argument("--grpc", type=Path, metavar="FILE", help="write a PredictRequest")
    given = parser.parse_args(arguments)
    client = Client(redis.Redis.from_url(given.redis), given.models, f"{given.namespace}:{given.job}")
    question = Question(given.owner, given.chapter, given.context)
    if given.rest is None and given.grpc is None:
        answer = client.ask(question)
        print(f"release {answer.release_id}, {len(answer.keys)} candidates")
        for place in range(min(given.top, len(answer.keys))):
            print(f"{place + 1:3}  {answer.keys[place]}  logit {answer.logits[place]:.6f}")
        return 0
    release, keys, inputs = client.asked(question)
    version = release.pointer["version"]
    if given.rest is not None:
        given.rest.write_text(rest_body(inputs), encoding="utf-8")
        print(f"{len(keys)} candidates: POST {given.rest} to /v1/models/{given.job}/versions/{version}:predict")
    if given.grpc is not None:
        request = grpc_request(given.job, version, inputs, client.model.types)
        given.grpc.write_bytes(request.SerializeToString())
        print(f"{len(keys)} candidates: PredictionService.Predict of {given.grpc}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
