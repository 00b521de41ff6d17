"""A job of two towers through the line: its window, its vectors, items that come later, and what ranks them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.export import nearest
from pipeline.training.records import CheckpointRecord
from tests import tiny
from tests.tiny import FIRST, LAST, SECOND, Place

pytestmark = pytest.mark.slow
NEW = 987_654


def settings() -> dict[str, Any]:
    found = tiny.settings("ads")
    found["experiments"] = {
        "towers": {
            "model": "dropoutnet", "loss": "in_batch", "window": 2, "dim": 4, "batch": 64, "compile": "graph",
            "options": {"preference": ["user", "ad"], "units": [8], "width": 8},
        }
    }  # fmt: skip
    found["release"] |= {"champion": "towers", "mode": "immediate"}
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two days by one process, published; its tests are in order, as later ones add to the tables."""
    folder = tmp_path_factory.mktemp("recall")
    tiny.generate(folder)
    place = Place(folder)
    place.configure("ads", settings())
    place.good("backfill", "--job", "ads", "--from", FIRST, "--to", SECOND)
    return place


def recalled(place: Place, many: int, *more: object) -> dict[int, float]:
    user = place.shows(SECOND)["user_id"].to_pylist()[0]
    answer = json.loads(place.good("recommend", "--job", "ads", "--user", user, "--recall", many, "--json", *more).out)
    return {each["key"]: each["score"] for each in answer["top"]}


def test_the_window_is_trained_anew_and_resumed_by_another_process_bit_for_bit(place: Place, tmp_path: Path) -> None:
    second = place.artifact("checkpoint", SECOND, "towers")
    read = {each.id for each in second.manifest.inputs}
    assert {place.artifact("features", day).id for day in (FIRST, SECOND)} <= read
    first, batches = (CheckpointRecord.of(place.artifact("checkpoint", day, "towers")) for day in (FIRST, SECOND))
    assert batches.batches == 2 * first.batches
    other = place.at(tmp_path / "root")
    for day in (FIRST, SECOND):
        other.good("backfill", "--job", "ads", "--from", day, "--to", day, "--publish", "none")
    place.good("compare-chains", place.root, other.root, "--job", "ads")


def test_what_is_recalled_are_the_largest_products_of_both_towers(place: Place) -> None:
    model = place.artifact("export", SECOND, "towers").file("model") / nearest.BESIDE
    keys, vectors = nearest.read_items(model / nearest.FOLDER)
    assert sorted(map(int, place.table("midas_online_ad")["ad_id"].to_pylist())) == keys.tolist()
    assert vectors.shape == (len(keys), 9)
    np.testing.assert_allclose(np.linalg.norm(vectors[:, :-1], axis=1), 1, atol=1e-5)
    every, five = recalled(place, 1000), recalled(place, 5)
    assert sorted(every) == keys.tolist()
    assert list(five.items()) == list(every.items())[:5]
    assert list(every.values()) == sorted(every.values(), reverse=True)


def test_what_would_have_been_recalled_is_measured(place: Place) -> None:
    told = json.loads(place.good(
        "measure-recall", "--job", "ads", "--experiment", "towers", "--from", SECOND, "--to", SECOND, "--top", 10,
        "--json",
    ).out)  # fmt: skip
    clicks = place.artifact("features", SECOND).manifest.rows["positives"]
    listed = place.table("midas_online_ad").num_rows
    assert told["all"]["rows"] == clicks
    assert told["all"]["random"] == pytest.approx(10 / listed)
    assert 0 <= told["all"]["content"]["recall"]["low"] <= told["all"]["content"]["recall"]["value"] <= 1
    assert told["cold items"]["rows"] <= clicks


def test_users_vectors_are_predicted(place: Place, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.parquet", tmp_path / "vectors.parquet"
    pq.write_table(place.shows(SECOND).slice(0, 9), rows)
    place.good("predict", "--job", "ads", "--input", rows, "--output", out, "--vectors", "--day", LAST)
    found = pq.read_table(out)
    keys, vectors = nearest.read_items(
        place.artifact("export", SECOND, "towers").file("model") / nearest.BESIDE / nearest.FOLDER
    )
    ads = [int(each) for each in place.shows(SECOND)["ad_id"].to_pylist()[:9]]
    products = np.array(found["vector/user"].to_pylist()) * vectors[np.searchsorted(keys, ads)]
    np.testing.assert_allclose(products.sum(axis=1), found["logit"].to_pylist(), atol=1e-4)
    refused = place.run(
        "predict", "--job", "ads", "--input", rows, "--output", tmp_path / "v.csv", "--vectors", "--day", LAST
    )
    assert "vector/user hold lists; write .parquet" in refused.message


def test_an_item_that_comes_later_gets_a_vector_and_is_recalled_without_training(place: Place) -> None:
    best = next(iter(recalled(place, 1)))
    table = place.table("midas_online_ad")
    like = table.filter(pc.equal(table["ad_id"], str(best)))
    row = {name: values.to_pylist()[0] for name, values in zip(like.column_names, like.columns, strict=True)}
    new = pa.Table.from_pylist([{**row, "ad_id": str(NEW), "row_key": str(NEW)}], schema=table.schema)
    pq.write_table(pa.concat_tables([table, new]), place.ads / "midas_online_ad" / "part-0000.parquet")
    for stage in ("extract", "validate"):
        place.good("stage", stage, "--job", "ads", "--day", LAST)
    told = json.loads(place.good("embed-items", "--job", "ads", "--json").out)
    assert (told["new"], told["changed"]) == ([NEW], [])
    every = recalled(place, 1000)
    assert len(every) == table.num_rows + 1
    assert NEW in every
    assert not json.loads(place.good("embed-items", "--job", "ads", "--json").out)["new"]
    assert place.store.current(place.artifact("checkpoint", SECOND, "towers").ref) is not None
    assert place.artifact("checkpoint", SECOND, "towers").ref.day == SECOND


def test_a_ranker_takes_what_the_towers_recall_as_its_candidates(place: Place) -> None:
    ranker = tiny.settings("ads") | {"job": "ranker"}
    ranker["experiments"] = {"pooled": ranker["experiments"]["pooled"]}
    ranker["release"] |= {"champion": "pooled", "mode": "immediate"}
    ranker["impressions"]["candidates"] = {"from": "recall", "job": "ads", "top": 7}
    place.configure("ranker", ranker)
    place.environment["DAYSPRING_RANKER_URL"] = f"parquet:{place.ads}"
    place.good("backfill", "--job", "ranker", "--from", FIRST, "--to", FIRST)
    user = place.shows(SECOND)["user_id"].to_pylist()[0]
    answer = json.loads(place.good("recommend", "--job", "ranker", "--user", user, "--top", 50, "--json").out)
    assert {each["key"] for each in answer["top"]} == set(recalled(place, 7))
    refused = place.run("recommend", "--job", "ranker", "--user", user, "--recall", 3)
    assert "has no vectors of items to recall by" in refused.message
