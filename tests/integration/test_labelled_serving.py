"""How a release of labelled rows is asked: by a file, over HTTP, and as TensorFlow Serving is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from examples.serving import http_predict, tensorflow_serving
from models.schema import MISSING_STR
from pipeline.errors import UsageError
from pipeline.job import JobContext
from pipeline.release.build import generations, models
from pipeline.serving.batch import rows_in, scorer
from pipeline.serving.batch.open_release import OpenRelease
from pipeline.storage.redis import embedded
from tests.integration.labelled_world import (
    DAYS,
    KEPT,
    LAST,
    ROWS,
    day_file,
    found,
)
from tests.tiny import Place


@pytest.mark.parametrize("experiment", ["dnn", "popularity", "trees"])
def test_what_a_server_warms_up_with_is_answered_as_the_golden_rows_are(labelled: Place, experiment: str) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    export = found(labelled, "export", LAST, experiment)
    serve = tf.saved_model.load(str(export.file("model"))).signatures["serving_default"]
    with np.load(export.file("golden_outputs.npz")) as golden:
        expected = golden["logit"]
    records = tf.data.TFRecordDataset(str(export.file("model/assets.extra/tf_serving_warmup_requests")))
    asked = [PredictionLog.FromString(record.numpy()).predict_log.request for record in records]
    assert [each.model_spec.name for each in asked] == ["criteo", "criteo"]
    for request, rows in zip(asked, (1, 16), strict=True):
        assert request.inputs.keys() == serve.structured_input_signature[1].keys(), "a server refuses others"
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        answer = serve(**{name: tf.constant(values) for name, values in inputs.items()})
        np.testing.assert_allclose(answer["logit"], expected[:rows], rtol=1e-5, atol=1e-5)


def expected_logits(place: Place, labelled_context: JobContext, rows: Any) -> Any:
    """What the released model answers of rows, its counters worked out of all rows of the days by hand."""
    import pandas as pd
    import tensorflow as tf

    pointer = generations(labelled_context).current()
    assert pointer is not None
    model = tf.saved_model.load(str(models(labelled_context).local(pointer)))
    past = pd.concat([pq.read_table(day_file(place, day), partitioning=None).to_pandas() for day in DAYS])
    of_c6 = past.groupby("c6")["label"].agg(["size", "sum"]).reindex(rows["c6"]).fillna(0)
    rate = (of_c6["sum"] + 20 * past["label"].mean()) / (of_c6["size"] + 20)
    both = past.groupby(["c6", "c9"])["label"].size()
    count = [both.get((one, two), 0) for one, two in zip(rows["c6"], rows["c9"], strict=True)]
    inputs = {
        name: tf.constant(rows[[name]].to_numpy(np.float32)) if name.startswith("i")
        else tf.constant(rows[name].fillna(MISSING_STR).tolist()) for name in KEPT
    }  # fmt: skip
    inputs |= {f"{name}_bin": tf.constant(rows[name].to_numpy(np.float32)) for name in ("i1", "i5")}
    inputs["both"] = tf.constant(rows[["c9", "c23"]].fillna("").to_numpy().tolist())
    inputs["c6_rate"] = tf.constant(np.log(rate / (1 - rate)).to_numpy(np.float32)[:, None])
    inputs["c6_c9_count"] = tf.constant(np.log1p(count).astype(np.float32)[:, None])
    return model.signatures["serving_default"](**inputs)["logit"].numpy()[:, 0]


def test_a_file_is_scored_as_the_model_scores_its_rows(
    labelled: Place, labelled_context: JobContext, tmp_path: Path
) -> None:
    """Whatever kind of file it is; ids that are new among them, and with labels the measures."""
    import pandas as pd

    table = pq.read_table(day_file(labelled, LAST), partitioning=None)
    rows = table.to_pandas()
    rows.loc[:4, "c6"] = "never there"
    with contextlib.closing(labelled_context):
        expected = expected_logits(labelled, labelled_context, rows)
    rows.assign(day=str(LAST.next())).to_csv(tmp_path / "rows.csv.gz", index=False)
    rows.drop(columns=["label", "line", "day"]).assign(key=range(ROWS)).to_parquet(tmp_path / "rows.parquet")
    folder = tmp_path / "source" / "criteo" / f"day={LAST.next()}"
    folder.mkdir(parents=True)
    rows.assign(day=str(LAST.next())).to_parquet(folder / "part-0000.parquet", index=False)
    words = ("predict", "--job", "criteo")
    out = tmp_path / "out.csv"
    ran = labelled.good(*words, "--input", tmp_path / "rows.csv.gz", "--output", out, "--columns", "line,label")
    scored = pd_read(out)
    assert list(scored) == ["line", "label", "logit", "probability"]
    assert scored["line"].tolist() == rows["line"].tolist(), "in the order of the input"
    np.testing.assert_allclose(scored["logit"], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(scored["probability"], 1 / (1 + np.exp(-expected)), rtol=1e-5, atol=1e-6)
    assert f"labelled {ROWS}" in ran.out
    loss = np.logaddexp(0, np.where(rows["label"] == 1, -1, 1) * expected).mean()
    assert f"log_loss {loss:.5f}" in ran.out.replace(f"{loss:.6f}", f"{loss:.5f}")
    # Of its own days the release knows the answers: their rows are scored, and measure nothing.
    pd.concat([rows, rows.head(9).assign(day=str(LAST.next()))]).to_csv(tmp_path / "seen.csv", index=False)
    ran = labelled.good(*words, "--input", tmp_path / "seen.csv", "--output", out)
    assert len(pd_read(out)) == ROWS + 9
    assert f"{ROWS} of them are of days up to {LAST}, which the release has learnt from" in ran.out
    assert "labelled 9" in ran.out
    known = tmp_path / "known" / f"dt={LAST}"
    known.mkdir(parents=True)
    rows.drop(columns="day").to_csv(known / "rows.csv", index=False)
    ran = labelled.good(*words, "--input", tmp_path / "known", "--output", out)
    assert f"{ROWS} of them are of days up to {LAST}" in ran.out
    assert "auc" not in ran.out
    out = tmp_path / "out.parquet"
    ran = labelled.good(*words, "--input", tmp_path / "rows.parquet", "--output", out, "--columns", "key")
    assert pq.read_table(out).column("key").to_pylist() == [*range(ROWS)]
    np.testing.assert_allclose(pq.read_table(out)["logit"], expected, rtol=1e-5, atol=1e-5)
    assert "not read, as the job does not declare them: key" in ran.out
    assert "log_loss" not in ran.out
    assert "no row has a label, so nothing is measured" in ran.out
    source = ("--input", f"parquet:{tmp_path / 'source'}", "--day", LAST.next())
    told = json.loads(labelled.good(*words, *source, "--output", out, "--json").out)
    assert (told["scored"], told["quarantined"], told["quarantine"]) == (ROWS, 0, None)
    assert told["measures"]["log_loss"] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(pq.read_table(out)["logit"], expected, rtol=1e-5, atol=1e-5)


def pd_read(path: Path) -> Any:
    import pandas as pd

    return pd.read_csv(path)


def test_rows_that_cannot_be_scored_lie_beside_the_output(labelled: Place, tmp_path: Path) -> None:
    rows = pq.read_table(day_file(labelled, LAST), partitioning=None).to_pandas().head(6).astype(object)
    rows.loc[1, "label"], rows.loc[2, "i1"], rows.loc[3, "c1"] = 7, "many", None
    path, out, bad = tmp_path / "rows.csv", tmp_path / "out.csv", tmp_path / "out.quarantine.csv"
    rows.to_csv(path, index=False)
    with path.open("a") as file:
        file.write("a line,of three,cells\n")
    given = ("predict", "--job", "criteo", "--input", path, "--output", out, "--columns", "line")
    ran = labelled.good(*given)
    assert pd_read(out)["line"].tolist() == [0, 4, 5]
    told = pd_read(bad)
    assert sorted(zip(told["column"].fillna(""), told["reason"], strict=True)) == [
        ("", "3 cells, where the header has 42"), ("c1", "missing"), ("i1", "not a number"),
        ("label", "not an allowed value"),
    ]  # fmt: skip
    assert json.loads(told.loc[told["column"] == "i1", "row"].item())["line"] == "2"
    assert f"4 rows in {bad} (" in ran.out
    assert "i1: not a number: 1" in ran.out
    # The next run has none, and a run that fails leaves what was there.
    rows.head(1).to_csv(path, index=False)
    labelled.good(*given)
    assert not bad.exists()
    before = out.read_bytes()
    rows.head(1).drop(columns="c1").to_csv(path, index=False)
    ran = labelled.run(*given)
    assert ran.code == 3
    assert "no column 'c1', which tables.rows.columns declares as required" in ran.message
    assert out.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"rows.csv", "out.csv"}
    rows.iloc[1:4].to_csv(path, index=False)
    ran = labelled.run(*given)
    assert (ran.code, out.read_bytes()) == (3, before)
    assert f"none of its 3 rows can be scored; they are in {bad}" in ran.message
    assert len(pd_read(bad)) == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--day", LAST], "know what came of these rows"),
        (["--columns", "nowhere"], "--columns nowhere: the input has"),
        (["--columns", "logit"], "is what a score is written to"), (["--release", "nothing"], "no such release"),
    ],
)  # fmt: skip
def test_what_is_asked_wrong_of_a_prediction_is_told(
    labelled: Place, tmp_path: Path, words: list[object], told: str
) -> None:
    out = tmp_path / "out.csv"
    ran = labelled.run("predict", "--job", "criteo", "--input", day_file(labelled, LAST), "--output", out, *words)
    assert ran.code == UsageError.exit_code
    assert told in ran.message
    assert not [*tmp_path.iterdir()]


def test_a_release_that_is_named_is_derived_again(
    labelled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It scores as it is served, in whatever pieces, and what earlier rows asked for can be forgotten at any time."""
    served = json.loads(labelled.good("status", "--job", "criteo", "--json").out)["served"]["release_id"]
    words = ("predict", "--job", "criteo", "--input", day_file(labelled, LAST), "--output")
    labelled.good(*words, tmp_path / "served.parquet")
    monkeypatch.setattr(OpenRelease, "served", None)
    monkeypatch.setattr(scorer, "_RENEWED", 2)
    monkeypatch.setattr(rows_in, "PIECE", 64)
    told = labelled.good(*words, tmp_path / "named.parquet", "--release", served).out
    assert f"release {served}: {ROWS} rows" in told
    one, two = (pq.read_table(tmp_path / f"{name}.parquet")["logit"] for name in ("served", "named"))
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.fixture
def service(labelled_context: JobContext) -> Iterator[TestClient]:
    """The example's service over HTTP."""
    with contextlib.closing(labelled_context), contextlib.closing(http_predict.Service(labelled_context)) as made:
        yield TestClient(http_predict.app(made, most_mb=1))


def test_a_file_is_scored_over_http_as_by_the_command(labelled: Place, service: TestClient, tmp_path: Path) -> None:
    import pandas as pd

    rows = pq.read_table(day_file(labelled, LAST), partitioning=None).to_pandas().head(9).astype(object)
    rows = pd.concat([rows.assign(day=str(LAST.next())), rows.head(2)])  # of the last two the release knows what came
    path, out = tmp_path / "rows.csv", tmp_path / "out.parquet"
    rows.to_csv(path, index=False)
    ran = json.loads(labelled.good("predict", "--job", "criteo", "--input", path, "--output", out, "--json").out)
    scored = pq.read_table(out)
    told = service.get("/health").json()
    assert told == {"code": 0, "release": ran["release_id"], "day": str(LAST)}
    asked = {"columns": "line, i1", "user_id": "42"}
    answer = service.post("/predict", data=asked, files={"file": ("../../rows.csv", path.read_bytes())})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["code"], body["dtype"], body["user_id"], body["rows"]) == (0, "float32", "42", 11)
    assert (body["release"], body["quarantine"]) == (ran["release_id"], [])
    assert (body["measures"]["labelled"], body["not_measured"]) == (9, 2)
    assert body["measures"]["log_loss"] == pytest.approx(ran["measures"]["log_loss"])
    assert list(body["data"][0]) == ["line", "i1", "logit", "probability"]
    assert [each["line"] for each in body["data"]] == rows["line"].astype(str).tolist()
    np.testing.assert_allclose([each["logit"] for each in body["data"]], scored["logit"], rtol=1e-6)


def test_what_cannot_be_scored_over_http_is_told(labelled: Place, service: TestClient, tmp_path: Path) -> None:
    rows = pq.read_table(day_file(labelled, LAST), partitioning=None).to_pandas().head(2).astype(object)
    rows.loc[1, "i1"] = "many"

    def answered(name: str, content: bytes, **asked: str) -> tuple[int, dict[str, Any]]:
        answer = service.post("/predict", data=asked, files={"file": (name, content)})
        assert answer.json()["code"] == (0 if answer.status_code == 200 else answer.status_code)
        return answer.status_code, answer.json()

    code, body = answered("rows.csv", rows.to_csv(index=False).encode())
    assert (code, len(body["data"])) == (200, 1)
    assert [(each["column"], each["reason"]) for each in body["quarantine"]] == [("i1", "not a number")]
    code, body = answered("rows.csv", rows.tail(1).to_csv(index=False).encode(), user_id="7")
    assert (code, body["user_id"]) == (400, "7")
    assert body["message"].startswith("input file.csv: none of its 1 rows can be scored")
    assert [each["value"] for each in body["quarantine"]] == ["many"]
    for name, content, asked, says in (
        ("rows.exe", b"x", {}, "end its name in .parquet, .csv, .tsv"),
        ("rows.csv", b"", {}, "is empty"),
        ("rows.csv", rows.to_csv(index=False).encode(), {"columns": "nothing"}, "columns nothing: the input has day"),
        ("rows.csv", rows.to_csv(index=False).encode(), {"day": "2024-13-01"}, "2024-13-01"),
        ("rows.csv", rows.to_csv(index=False).encode(), {"day": str(LAST)}, "the release stands at the end of"),
        ("rows.tsv", rows.to_csv(index=False).encode(), {}, "its first line names none of the declared columns"),
        ("rows.csv", rows.to_csv(index=False).encode(), {"colums": "line"}, "no such field: colums; the fields"),
    ):
        code, body = answered(name, content, **asked)
        assert (code, body.get("quarantine", [])) == (400, [])
        assert says in body["message"]
        assert "/" not in body["message"]
    assert answered("rows.csv", b"a\n" * (1 << 20))[0] == 413
    unasked = service.post("/predict", data={"user_id": "7"})
    message = "file: Field required; send a form: curl -F file=@rows.csv"
    assert (unasked.status_code, unasked.json()) == (400, {"code": 400, "message": message})
    two = service.post("/predict", files=[("file", ("rows.csv", b"a\n1\n")), ("file", ("more.csv", b"a\n1\n"))])
    assert (two.status_code, two.json()["message"][:21]) == (400, "file: given more than")
    assert service.get("/predict").json()["code"] == 405


def test_a_new_release_is_taken_up_over_http_and_without_one_there_is_no_service(
    labelled: Place, labelled_context: JobContext, service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, pointer = generations(labelled_context), generations(labelled_context).current()
    assert pointer is not None
    assert service.get("/health").status_code == 200
    client = embedded.connect(labelled.root)
    text = client.get(store._keys.current)
    assert text is not None
    try:
        client.delete(store._keys.current)
        told = service.get("/health")
        assert (told.status_code, told.json()["code"]) == (503, 503)
        assert "has no published release" in told.json()["message"]
    finally:
        client.set(store._keys.current, text)
    assert service.get("/health").json()["release"] == pointer.release_id


def test_both_forms_of_a_request_to_tensorflow_serving_are_answered_as_the_command_answers(
    labelled: Place, labelled_context: JobContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

    rows = pq.read_table(day_file(labelled, LAST), partitioning=None).to_pandas().head(5).astype(object)
    rows.loc[1, "i1"] = "many"
    path, out = tmp_path / "rows.csv", tmp_path / "out.parquet"
    rows.to_csv(path, index=False)
    labelled.good("predict", "--job", "criteo", "--input", path, "--output", out)
    with contextlib.closing(labelled_context):
        pointer = generations(labelled_context).current()
        assert pointer is not None
        model = tf.saved_model.load(str(models(labelled_context).local(pointer)))
    monkeypatch.setenv("DAYSPRING_ROOT", str(labelled.root))
    words = ["--job", "criteo", "--input", str(path)]
    rest, grpc = tmp_path / "request.json", tmp_path / "request.pb"
    assert tensorflow_serving.main([*words, "--rest", str(rest), "--grpc", str(grpc)]) == 0
    told = capsys.readouterr()
    assert "left out: 1 rows, i1: not a number" in told.err
    assert f"/v1/models/criteo/versions/{pointer.version}:predict" in told.out
    serve = model.signatures["serving_default"]
    specs = serve.structured_input_signature[1]
    types = {name: spec.dtype.as_numpy_dtype for name, spec in specs.items()}
    request = PredictRequest.FromString(grpc.read_bytes())
    assert (request.model_spec.name, request.model_spec.version.value) == ("criteo", pointer.version)
    assert request.model_spec.signature_name == json.loads(rest.read_text())["signature_name"] == "serving_default"
    asked = [
        tensorflow_serving.from_rest_body(rest.read_text(), types),
        {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()},
    ]
    for inputs in asked:
        assert inputs.keys() == specs.keys()
        answer = serve(**{name: tf.constant(values, specs[name].dtype) for name, values in inputs.items()})
        np.testing.assert_allclose(answer["logit"][:, 0], pq.read_table(out)["logit"], rtol=1e-6)
    assert tensorflow_serving.main([*words, "--day", str(LAST), "--rest", str(rest)]) == UsageError.exit_code
