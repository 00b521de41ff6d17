"""Requests that TensorFlow Serving asks of an exported model before it answers anybody with it.

It reads them from ``assets.extra/tf_serving_warmup_requests``, a TFRecord file of ``PredictionLog``s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

from models.export.nearest import BESIDE

FILE = f"{BESIDE}/tf_serving_warmup_requests"
SIGNATURE = "serving_default"


def predict_request(name: str, inputs: Mapping[str, NDArray[Any]]) -> PredictRequest:
    """What a client of TensorFlow Serving asks the model ``name``; inputs as :func:`input_specs` names them."""
    request = PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = SIGNATURE
    for each, values in inputs.items():
        request.inputs[each].CopyFrom(tf.make_tensor_proto(values, shape=values.shape))
    return request


def write(model: Path, name: str, requests: Sequence[Mapping[str, NDArray[Any]]]) -> None:
    """Write the requests beside the model of the folder ``model``, which is served as ``name``."""
    path = model / FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as records:
        for inputs in requests:
            log = PredictionLog(predict_log=PredictLog(request=predict_request(name, inputs)))
            records.write(log.SerializeToString())
