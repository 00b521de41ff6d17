"""A job of labelled rows through the whole line: no user, no item, a release that is asked by its signature alone."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.schema import FIRST as FIRST_INDEX
from models.schema import MISSING_STR, UNKNOWN
from pipeline.errors import UsageError
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.release.build import generations, models
from pipeline.serving.online_reader import OnlineReader
from pipeline.serving.request import Request
from pipeline.storage.redis import embedded
from pipeline.training.records import CheckpointRecord
from tests.integration.labelled_world import (
    DAYS,
    FIRST,
    KEPT,
    LAST,
    ROWS,
    SECOND,
    day_file,
    found,
    place_of,
    written,
)
from tests.tiny import Place


def test_every_day_is_tested_by_the_measures_of_rows(labelled: Place) -> None:
    lines = labelled.good("measures", "--job", "criteo").out.splitlines()
    assert lines[0] == "day,experiment,checkpoint,rows,auc,gauc,log_loss,calibration"
    assert [line.split(",")[:4] for line in lines[1:]] == [
        [str(day), name, str(day.previous()), str(ROWS)]
        for day in (SECOND, LAST)
        for name in ("dnn", "linear", "popularity", "trees")
    ]
    assert all(all(line.split(",")) for line in lines), "every measure has a value, as the rows have groups"
    gate = found(labelled, "gate", LAST, "dnn").manifest.extra
    assert [each["measure"] for each in gate["intervals"]] == ["gauc"]
    report = next((labelled.root / "reports" / "criteo").rglob(f"{LAST}*"))
    assert "calibration" in report.read_text(encoding="utf-8")
    status = json.loads(labelled.good("status", "--job", "criteo", "--json").out)
    assert status["served"]["experiment"] == "dnn"


def test_what_is_pushed_is_the_counters_and_which_ids_the_model_knows(
    labelled: Place, labelled_context: JobContext
) -> None:
    with contextlib.closing(labelled_context):
        store = generations(labelled_context)
        pointer = store.current()
        assert pointer is not None
        assert set(pointer.parts) == {"counters.c6", "counters.c6+c9", "meta"}
        client, keys = embedded.connect(labelled.root), store._keys
        told = json.loads(client.hget(keys.shard(pointer.release_id, "meta", 0), "id_maps"))
        checkpoint = CheckpointRecord.of(found(labelled, "checkpoint", SECOND, "dnn"))
        assert {space: each["size"] for space, each in told.items()} == checkpoint.sizes
        assert (models(labelled_context).local(pointer) / "saved_model.pb").is_file()


def test_the_signature_asked_by_raw_columns_answers_what_the_test_scored(
    labelled: Place, labelled_context: JobContext
) -> None:
    """Cells as the source has them, empty ones as the missing value; an id that was new on the day is unknown."""
    import tensorflow as tf

    with contextlib.closing(labelled_context):
        pointer = generations(labelled_context).current()
        assert pointer is not None
        model = tf.saved_model.load(str(models(labelled_context).local(pointer)))
    day = labelled.folder / "criteo" / "criteo" / f"day={LAST}" / "part-0000.parquet"
    rows = pq.read_table(day, partitioning=None).to_pydict()
    arrays = day_arrays.read(found(labelled, "features", LAST))
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
    inputs |= {f"{name}_bin": tf.constant([np.nan if v is None else v for v in rows[name]], tf.float32)
               for name in ("i1", "i5")}  # fmt: skip
    # A cell of a bag without a value is padding.
    inputs["both"] = tf.constant([[one or "", two or ""] for one, two in zip(rows["c9"], rows["c23"], strict=True)])
    inputs |= {name: tf.constant(np.asarray(each), tf.float32) for name, each in counters.items()}
    answer = model.signatures["serving_default"](**inputs)
    assert answer["logit"].shape == (ROWS, 1)
    tested = np.load(found(labelled, "test", LAST, "dnn").file("logits.npy"))
    np.testing.assert_allclose(answer["logit"].numpy()[:, 0], tested, rtol=1e-5, atol=1e-5)
    check = found(labelled, "check", LAST, "dnn").manifest.extra
    assert (check["verdict"], check["figures"]["rows"]) == ("ok", ROWS + 3), "the day's rows and three awkward ones"


def test_there_is_no_recommendation_and_it_says_what_to_call(labelled: Place) -> None:
    for words in ([], ["--user", "7"]):
        ran = labelled.run("recommend", "--job", "criteo", *words)
        assert ran.code == UsageError.exit_code
        assert "neither a user to ask for nor items to rank" in ran.message
        assert "`serving_default`" in ran.message
    with OnlineReader.at(labelled.root, "criteo") as reader, pytest.raises(UsageError, match="is of labelled rows"):
        reader.score(Request(("7",)))


def test_commands_that_look_at_a_job(labelled: Place) -> None:
    compared = labelled.good("compare", "--job", "criteo", "--measure", "gauc", "--from", SECOND, "--to", LAST).out
    assert "linear" in compared
    checked = labelled.good("config", "check", "--job", "criteo").out
    assert "features, experiments dnn, linear, popularity, trees: good" in checked
    assert "BAD" not in labelled.good("doctor", "--job", "criteo").out
    assert "nothing damaged" in labelled.good("audit", "--job", "criteo").out
    dry = labelled.good("backfill", "--job", "criteo", "--from", FIRST, "--to", LAST.next(), "--dry-run").out
    assert f"{LAST}  experiment dnn            nothing: done" in dry
    assert f"{LAST.next()}  experiment linear         run: not done yet" in dry


@pytest.mark.slow
def test_stage_by_stage_from_a_database_ends_bit_equal(labelled: Place, tmp_path: Path) -> None:
    written(f"sqlite:///{tmp_path / 'rows.db'}")
    other = place_of(tmp_path, f"sqlite:///{tmp_path / 'rows.db'}")
    for day in DAYS:
        for stage in ("extract", "validate", "update_id_maps", "build_features"):
            other.good("stage", stage, "--job", "criteo", "--day", day)
        for name in ("dnn", "linear", "popularity", "trees"):
            other.good("stage", "experiment", "--job", "criteo", "--day", day, "--experiment", name)
        # Of the earlier days nothing is released, as by a backfill.
        for stage in ("check", "release", "publish", "prune", "report") if day == LAST else ("check",):
            other.good("stage", stage, "--job", "criteo", "--day", day)
    compared = other.run("compare-chains", other.root, labelled.root, "--job", "criteo")
    assert compared.out.startswith("equal: 12 trained days of 4 experiments"), compared.out
    ids = (place.artifact("release", LAST, None, "criteo").manifest.extra["release_id"] for place in (other, labelled))
    assert len({each.rpartition("-")[0] for each in ids}) == 1


@pytest.mark.slow
def test_nothing_of_the_row_s_own_label_nor_of_later_days_is_an_input(labelled: Place, tmp_path: Path) -> None:
    """The second day's labels turned round, and the last day made up anew: what was tested on the second stays."""
    shutil.copytree(labelled.folder / "criteo", tmp_path / "criteo")
    for day in (SECOND, LAST):
        path = tmp_path / "criteo" / "criteo" / f"day={day}" / "part-0000.parquet"
        rows = pq.read_table(path, partitioning=None).to_pandas()
        rows["label"] = 1 - rows["label"]
        if day == LAST:
            rows["c6"], rows["c9"], rows["i1"], rows["i5"] = "ffffffff", "eeeeeeee", 10_000, 10_000
        rows.to_parquet(path, index=False)
    other = place_of(tmp_path, f"parquet:{tmp_path / 'criteo'}")
    other.good("backfill", "--job", "criteo", "--from", FIRST, "--to", SECOND, "--publish", "none")
    for stage in ("extract", "validate", "update_id_maps"):
        other.good("stage", stage, "--job", "criteo", "--day", LAST)
    for name in ("dnn", "linear"):
        one, two = (np.load(found(each, "test", SECOND, name).file("logits.npy")) for each in (labelled, other))
        assert np.array_equal(one, two)
    one, two = (day_arrays.read(found(each, "features", SECOND)) for each in (labelled, other))
    assert np.array_equal(one.request_ids, two.request_ids)
    assert np.array_equal(one.request_dense, two.request_dense, equal_nan=True)
    assert np.array_equal(one.label, 1 - two.label)
    tensors = [found(each, "checkpoint", FIRST, "dnn").manifest.tensors for each in (labelled, other)]
    assert tensors[0] == tensors[1]


def test_bins_are_those_of_earlier_days_and_each_holds_as_many(labelled: Place) -> None:
    """On the first day nothing is known of them; the limits of a day are learnt from the days before it."""
    read = [day_arrays.read(found(labelled, "features", day)) for day in (FIRST, SECOND)]
    first, second = (np.asarray(each.request_ids)[:, each.layout.request_ids["i5_bin"].start] for each in read)
    assert set(first.tolist()) == {UNKNOWN}
    numbers = {day: pq.read_table(day_file(labelled, day), partitioning=None).to_pandas()["i5"] for day in DAYS}
    past = np.sort(numbers[FIRST].dropna())
    limits = past[len(past) * np.arange(1, 16) // 16]
    own = np.searchsorted(limits, numbers[SECOND], side="right")
    own = np.where(numbers[SECOND].isna(), UNKNOWN, own + FIRST_INDEX)
    assert limits.max() <= 512, "whole numbers that have a cell each"
    assert second.tolist() == own.tolist()
