"""A job of labelled rows through the whole line: no user, no item, a release that is asked by its signature alone."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from examples.criteo_like import main as write_rows
from models.schema import MISSING_STR
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.release.build import generations, models
from pipeline.serving.batch import predict, rows_in
from pipeline.serving.online_reader import OnlineReader
from pipeline.serving.request import Request
from pipeline.storage.redis import embedded
from pipeline.training.records import CheckpointRecord
from tests.tiny import PROJECT, Place

DAYS = tuple(Day.of(2024, 1, 1).through(Day.of(2024, 1, 3)))
FIRST, SECOND, LAST = DAYS
ROWS = 300
KEPT = ("i1", "i2", "i12", "c1", "c3", "c6", "c9", "c14", "c17", "c22")


def settings() -> dict[str, Any]:
    """The example's job with a few of its columns, a bag, a space of two columns, counters and groups."""
    found: dict[str, Any] = yaml.safe_load((PROJECT / "examples/conf/criteo.yaml").read_text(encoding="utf-8"))
    found["features"] = {name: found["features"][name] for name in KEPT} | {
        "c14": {"kind": "categorical", "space": "c17", "source": "row.c14"},
        "both": {"kind": "bag", "space": "c9", "source": ["row.c9", "row.c23"], "values": 2},
        "c6_rate": {"kind": "dense", "counter": {"key": ["c6"], "measure": "rate", "transform": "logit"}},
        "c6_c9_count": {"kind": "dense", "counter": {"key": ["c6", "c9"], "measure": "count", "transform": "log"}},
    }
    used = {each.get("space") for each in found["features"].values()}
    found["spaces"] = {name: kind for name, kind in found["spaces"].items() if name in used}
    found["rows"]["group"] = "c1"
    found["tables"]["rows"]["columns"]["c1"]["required"] = True
    small = {"dim": 4, "batch": 64, "compile": "graph"}
    found["experiments"]["dnn"] |= {**small, "options": {"units": [8]}}
    found["experiments"]["linear"] |= small
    found["release"]["gate"] = {"margins": {"gauc": 0.5}, "calibration": [0.0, 1e6]}
    return found


def place_of(folder: Path, url: str) -> Place:
    place = Place(folder, {"DAYSPRING_CRITEO_URL": url})
    place.configure("criteo", settings())
    return place


def written(target: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        words = ["--target", target, "--from", str(FIRST), "--days", str(len(DAYS)), "--rows-per-day", str(ROWS)]
        assert write_rows(words) == 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """All days by one process, the last one released; not to be changed."""
    folder = tmp_path_factory.mktemp("labelled")
    written(f"parquet:{folder / 'criteo'}")
    place = place_of(folder, f"parquet:{folder / 'criteo'}")
    place.good("backfill", "--job", "criteo", "--from", FIRST, "--to", LAST)
    return place


@pytest.fixture
def context(trained: Place, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    monkeypatch.setenv("DAYSPRING_CONF", str(trained.folder / "conf"))
    return JobContext.open("criteo", root=trained.root)


def found(place: Place, kind: str, day: Day, experiment: str | None = None) -> Any:
    return place.artifact(kind, day, experiment, "criteo")


def test_every_day_is_tested_by_the_measures_of_rows(trained: Place) -> None:
    lines = trained.good("measures", "--job", "criteo").out.splitlines()
    assert lines[0] == "day,experiment,checkpoint,rows,auc,gauc,log_loss,calibration"
    assert [line.split(",")[:4] for line in lines[1:]] == [
        [str(day), name, str(day.previous()), str(ROWS)] for day in (SECOND, LAST)
        for name in ("dnn", "linear", "popularity")
    ]
    assert all(all(line.split(",")) for line in lines), "every measure has a value, as the rows have groups"
    gate = found(trained, "gate", LAST, "dnn").manifest.extra
    assert [each["measure"] for each in gate["intervals"]] == ["gauc"]
    report = next((trained.root / "reports" / "criteo").rglob(f"{LAST}*"))
    assert "calibration" in report.read_text(encoding="utf-8")
    status = json.loads(trained.good("status", "--job", "criteo", "--json").out)
    assert status["served"]["experiment"] == "dnn"


def test_what_is_pushed_is_the_counters_and_which_ids_the_model_knows(trained: Place, context: JobContext) -> None:
    with contextlib.closing(context):
        store = generations(context)
        pointer = store.current()
        assert pointer is not None
        assert set(pointer.parts) == {"counters.c6", "counters.c6+c9", "meta"}
        client, keys = embedded.connect(trained.root), store._keys
        told = json.loads(client.hget(keys.shard(pointer.release_id, "meta", 0), "id_maps"))
        checkpoint = CheckpointRecord.of(found(trained, "checkpoint", SECOND, "dnn"))
        assert {space: each["size"] for space, each in told.items()} == checkpoint.sizes
        assert (models(context).local(pointer) / "saved_model.pb").is_file()


def test_the_signature_asked_by_raw_columns_answers_what_the_test_scored(trained: Place, context: JobContext) -> None:
    """Cells as the source has them, empty ones as the missing value; an id that was new on the day is unknown."""
    import tensorflow as tf

    with contextlib.closing(context):
        pointer = generations(context).current()
        assert pointer is not None
        model = tf.saved_model.load(str(models(context).local(pointer)))
    day = trained.folder / "criteo" / "criteo" / f"day={LAST}" / "part-0000.parquet"
    rows = pq.read_table(day, partitioning=None).to_pydict()
    arrays = day_arrays.read(found(trained, "features", LAST))
    counters = {
        name: arrays.request_dense[:, arrays.layout.request_dense[name].start][:, None]
        for name in ("c6_rate", "c6_c9_count")
    }
    inputs: dict[str, Any] = {
        name: tf.constant([[np.nan if value is None else value] for value in rows[name]], tf.float32)
        if name.startswith("i")
        else tf.constant([value or MISSING_STR for value in rows[name]])
        for name in KEPT
    }
    # A cell of a bag without a value is padding.
    inputs["both"] = tf.constant([[one or "", two or ""] for one, two in zip(rows["c9"], rows["c23"], strict=True)])
    inputs |= {name: tf.constant(np.asarray(each), tf.float32) for name, each in counters.items()}
    answer = model.signatures["serving_default"](**inputs)
    assert answer["logit"].shape == (ROWS, 1)
    tested = np.load(found(trained, "test", LAST, "dnn").file("logits.npy"))
    np.testing.assert_allclose(answer["logit"].numpy()[:, 0], tested, rtol=1e-5, atol=1e-5)
    check = found(trained, "check", LAST, "dnn").manifest.extra
    assert (check["verdict"], check["figures"]["rows"]) == ("ok", ROWS + 3), "the day's rows and three awkward ones"


def test_what_a_server_warms_up_with_is_answered_as_the_golden_rows_are(trained: Place) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    export = found(trained, "export", LAST, "dnn")
    serve = tf.saved_model.load(str(export.file("model"))).signatures["serving_default"]
    with np.load(export.file("golden_outputs.npz")) as golden:
        expected = golden["logit"]
    records = tf.data.TFRecordDataset(str(export.file("model/assets.extra/tf_serving_warmup_requests")))
    asked = [PredictionLog.FromString(record.numpy()).predict_log.request for record in records]
    assert [each.model_spec.name for each in asked] == ["criteo", "criteo"]
    for request, rows in zip(asked, (1, 16), strict=True):
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        answer = serve(**{name: tf.constant(values) for name, values in inputs.items()})
        np.testing.assert_allclose(answer["logit"], expected[:rows], rtol=1e-5, atol=1e-5)


def test_there_is_no_recommendation_and_it_says_what_to_call(trained: Place) -> None:
    for words in ([], ["--user", "7"]):
        ran = trained.run("recommend", "--job", "criteo", *words)
        assert ran.code == UsageError.exit_code
        assert "neither a user to ask for nor items to rank" in ran.message
        assert "`serving_default`" in ran.message
    with OnlineReader.at(trained.root, "criteo") as reader, pytest.raises(UsageError, match="is of labelled rows"):
        reader.score(Request(("7",)))


def test_commands_that_look_at_a_job(trained: Place) -> None:
    compared = trained.good("compare", "--job", "criteo", "--measure", "gauc", "--from", SECOND, "--to", LAST).out
    assert "linear" in compared
    checked = trained.good("config", "check", "--job", "criteo").out
    assert "features, experiments dnn, linear, popularity: good" in checked
    assert "BAD" not in trained.good("doctor", "--job", "criteo").out
    assert "nothing damaged" in trained.good("audit", "--job", "criteo").out
    dry = trained.good("backfill", "--job", "criteo", "--from", FIRST, "--to", LAST.next(), "--dry-run").out
    assert f"{LAST}  experiment dnn            nothing: done" in dry
    assert f"{LAST.next()}  experiment linear         run: not done yet" in dry


@pytest.mark.slow
def test_stage_by_stage_from_a_database_ends_bit_equal(trained: Place, tmp_path: Path) -> None:
    written(f"sqlite:///{tmp_path / 'rows.db'}")
    other = place_of(tmp_path, f"sqlite:///{tmp_path / 'rows.db'}")
    for day in DAYS:
        for stage in ("extract", "validate", "update_id_maps", "build_features"):
            other.good("stage", stage, "--job", "criteo", "--day", day)
        for name in ("dnn", "linear", "popularity"):
            other.good("stage", "experiment", "--job", "criteo", "--day", day, "--experiment", name)
        # Of the earlier days nothing is released, as by a backfill.
        for stage in ("check", "release", "publish", "prune", "report") if day == LAST else ("check",):
            other.good("stage", stage, "--job", "criteo", "--day", day)
    compared = other.run("compare-chains", other.root, trained.root, "--job", "criteo")
    assert compared.out.startswith("equal: 9 trained days of 3 experiments"), compared.out
    ids = (place.artifact("release", LAST, None, "criteo").manifest.extra["release_id"] for place in (other, trained))
    assert len({each.rpartition("-")[0] for each in ids}) == 1


@pytest.mark.slow
def test_nothing_of_the_row_s_own_label_nor_of_later_days_is_an_input(trained: Place, tmp_path: Path) -> None:
    """The second day's labels turned round, and the last day made up anew: what was tested on the second stays."""
    shutil.copytree(trained.folder / "criteo", tmp_path / "criteo")
    for day in (SECOND, LAST):
        path = tmp_path / "criteo" / "criteo" / f"day={day}" / "part-0000.parquet"
        rows = pq.read_table(path, partitioning=None).to_pandas()
        rows["label"] = 1 - rows["label"]
        if day == LAST:
            rows["c6"], rows["c9"] = "ffffffff", "eeeeeeee"
        rows.to_parquet(path, index=False)
    other = place_of(tmp_path, f"parquet:{tmp_path / 'criteo'}")
    other.good("backfill", "--job", "criteo", "--from", FIRST, "--to", SECOND, "--publish", "none")
    for stage in ("extract", "validate", "update_id_maps"):
        other.good("stage", stage, "--job", "criteo", "--day", LAST)
    for name in ("dnn", "linear"):
        one, two = (np.load(found(each, "test", SECOND, name).file("logits.npy")) for each in (trained, other))
        assert np.array_equal(one, two)
    one, two = (day_arrays.read(found(each, "features", SECOND)) for each in (trained, other))
    assert np.array_equal(one.request_ids, two.request_ids)
    assert np.array_equal(one.request_dense, two.request_dense, equal_nan=True)
    assert np.array_equal(one.label, 1 - two.label)
    tensors = [found(each, "checkpoint", FIRST, "dnn").manifest.tensors for each in (trained, other)]
    assert tensors[0] == tensors[1]


def day_file(place: Place, day: Day) -> Path:
    return place.folder / "criteo" / "criteo" / f"day={day}" / "part-0000.parquet"


def expected_logits(place: Place, context: JobContext, rows: Any) -> Any:
    """What the released model answers of rows, its counters worked out of all rows of the days by hand."""
    import pandas as pd
    import tensorflow as tf

    pointer = generations(context).current()
    assert pointer is not None
    model = tf.saved_model.load(str(models(context).local(pointer)))
    past = pd.concat([pq.read_table(day_file(place, day), partitioning=None).to_pandas() for day in DAYS])
    of_c6 = past.groupby("c6")["label"].agg(["size", "sum"]).reindex(rows["c6"]).fillna(0)
    rate = (of_c6["sum"] + 20 * past["label"].mean()) / (of_c6["size"] + 20)
    both = past.groupby(["c6", "c9"])["label"].size()
    count = [both.get((one, two), 0) for one, two in zip(rows["c6"], rows["c9"], strict=True)]
    inputs = {
        name: tf.constant(rows[[name]].to_numpy(np.float32)) if name.startswith("i")
        else tf.constant(rows[name].fillna(MISSING_STR).tolist()) for name in KEPT
    }  # fmt: skip
    inputs["both"] = tf.constant(rows[["c9", "c23"]].fillna("").to_numpy().tolist())
    inputs["c6_rate"] = tf.constant(np.log(rate / (1 - rate)).to_numpy(np.float32)[:, None])
    inputs["c6_c9_count"] = tf.constant(np.log1p(count).astype(np.float32)[:, None])
    return model.signatures["serving_default"](**inputs)["logit"].numpy()[:, 0]


def test_a_file_is_scored_as_the_model_scores_its_rows(trained: Place, context: JobContext, tmp_path: Path) -> None:
    """Whatever kind of file it is; ids that are new among them, and with labels the measures."""
    table = pq.read_table(day_file(trained, LAST), partitioning=None)
    rows = table.to_pandas()
    rows.loc[:4, "c6"] = "never there"
    with contextlib.closing(context):
        expected = expected_logits(trained, context, rows)
    rows.to_csv(tmp_path / "rows.csv.gz", index=False)
    rows.drop(columns=["label", "line", "day"]).assign(key=range(ROWS)).to_parquet(tmp_path / "rows.parquet")
    folder = tmp_path / "source" / "criteo" / f"day={LAST.next()}"
    folder.mkdir(parents=True)
    rows.assign(day=str(LAST.next())).to_parquet(folder / "part-0000.parquet", index=False)
    words = ("predict", "--job", "criteo")
    out = tmp_path / "out.csv"
    ran = trained.good(*words, "--input", tmp_path / "rows.csv.gz", "--output", out, "--columns", "line,label")
    scored = pd_read(out)
    assert list(scored) == ["line", "label", "logit", "probability"]
    assert scored["line"].tolist() == rows["line"].tolist(), "in the order of the input"
    np.testing.assert_allclose(scored["logit"], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(scored["probability"], 1 / (1 + np.exp(-expected)), rtol=1e-5, atol=1e-6)
    assert f"labelled {ROWS}" in ran.out
    loss = np.logaddexp(0, np.where(rows["label"] == 1, -1, 1) * expected).mean()
    assert f"log_loss {loss:.5f}" in ran.out.replace(f"{loss:.6f}", f"{loss:.5f}")
    out = tmp_path / "out.parquet"
    ran = trained.good(*words, "--input", tmp_path / "rows.parquet", "--output", out, "--columns", "key")
    assert pq.read_table(out).column("key").to_pylist() == [*range(ROWS)]
    np.testing.assert_allclose(pq.read_table(out)["logit"], expected, rtol=1e-5, atol=1e-5)
    assert "not read, as the job does not declare them: key" in ran.out
    assert "log_loss" not in ran.out
    source = ("--input", f"parquet:{tmp_path / 'source'}", "--day", LAST.next())
    told = json.loads(trained.good(*words, *source, "--output", out, "--json").out)
    assert (told["scored"], told["quarantined"], told["quarantine"]) == (ROWS, 0, None)
    assert told["measures"]["log_loss"] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(pq.read_table(out)["logit"], expected, rtol=1e-5, atol=1e-5)


def pd_read(path: Path) -> Any:
    import pandas as pd

    return pd.read_csv(path)


def test_rows_that_cannot_be_scored_lie_beside_the_output(trained: Place, tmp_path: Path) -> None:
    rows = pq.read_table(day_file(trained, LAST), partitioning=None).to_pandas().head(6).astype(object)
    rows.loc[1, "label"], rows.loc[2, "i1"], rows.loc[3, "c1"] = 7, "many", None
    path, out, bad = tmp_path / "rows.csv", tmp_path / "out.csv", tmp_path / "out.quarantine.csv"
    rows.to_csv(path, index=False)
    with path.open("a") as file:
        file.write("a line,of three,cells\n")
    given = ("predict", "--job", "criteo", "--input", path, "--output", out, "--columns", "line")
    ran = trained.good(*given)
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
    trained.good(*given)
    assert not bad.exists()
    before = out.read_bytes()
    rows.head(1).drop(columns="c1").to_csv(path, index=False)
    ran = trained.run(*given)
    assert ran.code == 1
    assert "no column 'c1', which tables.rows.columns declares as required" in ran.message
    assert out.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"rows.csv", "out.csv"}
    rows.iloc[1:4].to_csv(path, index=False)
    ran = trained.run(*given)
    assert (ran.code, out.read_bytes()) == (1, before)
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
    trained: Place, tmp_path: Path, words: list[object], told: str
) -> None:
    out = tmp_path / "out.csv"
    ran = trained.run("predict", "--job", "criteo", "--input", day_file(trained, LAST), "--output", out, *words)
    assert ran.code == UsageError.exit_code
    assert told in ran.message
    assert not [*tmp_path.iterdir()]


def test_a_release_that_is_named_is_derived_again(
    trained: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It scores as it is served, in whatever pieces, and what earlier rows asked for can be forgotten at any time."""
    served = json.loads(trained.good("status", "--job", "criteo", "--json").out)["served"]["release_id"]
    words = ("predict", "--job", "criteo", "--input", day_file(trained, LAST), "--output")
    trained.good(*words, tmp_path / "served.parquet")
    monkeypatch.setattr(predict, "connect", None)
    monkeypatch.setattr(predict, "_RENEWED", 2)
    monkeypatch.setattr(rows_in, "PIECE", 64)
    told = trained.good(*words, tmp_path / "named.parquet", "--release", served).out
    assert f"release {served}: {ROWS} rows" in told
    one, two = (pq.read_table(tmp_path / f"{name}.parquet")["logit"] for name in ("served", "named"))
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)
