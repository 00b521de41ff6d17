"""What TensorFlow Serving is given to warm up with is what its clients ask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from models.export.warm_up import FILE, predict_request, write

INPUTS = {
    "ad": np.array([[7, 8], [9, -1]]),
    "city": np.array(["北京", "a long name"]),
    "age": np.array([0.5, np.nan], np.float32),
}


def test_a_request_names_model_signature_and_every_input_in_its_own_type() -> None:
    request = predict_request("ads", INPUTS)
    assert (request.model_spec.name, request.model_spec.signature_name) == ("ads", "serving_default")
    told = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
    assert told.keys() == INPUTS.keys()
    np.testing.assert_array_equal(told["ad"], INPUTS["ad"])
    np.testing.assert_array_equal(told["age"], INPUTS["age"])
    assert [each.decode() for each in told["city"]] == ["北京", "a long name"]
    types = {name: tf.as_dtype(proto.dtype) for name, proto in request.inputs.items()}
    assert types == {"ad": tf.int64, "city": tf.string, "age": tf.float32}


def test_inputs_without_a_row_keep_their_shape() -> None:
    none = predict_request("ads", {"ad": np.zeros((0, 2), np.int64), "city": np.array([], "<U1")})
    shapes = {name: [each.size for each in proto.tensor_shape.dim] for name, proto in none.inputs.items()}
    assert shapes == {"ad": [0, 2], "city": [0]}


def test_the_file_holds_a_log_a_request_in_order(tmp_path: Path) -> None:
    write(tmp_path, "ads", [{name: each[:rows] for name, each in INPUTS.items()} for rows in (1, 2)])
    logs = [PredictionLog.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(tmp_path / FILE))]
    assert [log.WhichOneof("log_type") for log in logs] == ["predict_log", "predict_log"]
    requests = [log.predict_log.request for log in logs]
    assert requests[1] == predict_request("ads", INPUTS)
    assert [tf.make_ndarray(each.inputs["ad"]).tolist() for each in requests] == [[[7, 8]], [[7, 8], [9, -1]]]
