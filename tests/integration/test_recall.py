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
    """Ads have what is played of them by kind, and a vector of their own that may come later."""
    found = tiny.settings("ads")
    found["tables"]["ads"]["columns"] |= {
        "plays": {"type": "int_list", "map": ":"}, "picture": {"type": "float_list", "items": 3},
    }  # fmt: skip
    found["spaces"]["kind"] = "int"
    found["features"] |= {
        "kinds": {"kind": "bag", "side": "item", "space": "kind", "source": "item.plays", "values": 2},
        "picture": {"kind": "vector", "side": "item", "source": "item.picture", "size": 3},
    }
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
    table = place.table("midas_online_ad")
    plays = [f"{1 + row % 3}:4,{7 + row % 2}:{row}" for row in range(table.num_rows)]
    pictures = [None if row < 2 else [row / 30, 0.5, -row / 30] for row in range(table.num_rows)]
    table = table.append_column("plays", pa.array(plays)).append_column("picture", pa.array(pictures))
    write_items(place, table)
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


def embedded(place: Place, *more: object) -> tuple[list[int], list[int], list[int]]:
    told = json.loads(place.good("embed-items", "--job", "ads", "--json", *more).out)
    return told["new"], told["changed"], told["gone"]


def items(place: Place) -> pa.Table:
    return place.table("midas_online_ad").sort_by("ad_id")


def write_items(place: Place, rows: pa.Table) -> None:
    pq.write_table(rows, place.ads / "midas_online_ad" / "part-0000.parquet")


def test_an_item_that_comes_changes_or_goes_is_so_in_what_is_served_without_training(place: Place) -> None:
    """The table of items is read as it is now: no day is read, validated or trained."""
    before, table = recalled(place, 1000), items(place)
    best, worst = next(iter(before)), list(before)[-1]
    row = table.filter(pc.equal(table["ad_id"], str(best))).to_pylist()[0]
    like = pa.Table.from_pylist([{**row, "ad_id": str(NEW), "row_key": str(NEW)}], schema=table.schema)
    write_items(place, pa.concat_tables([table, like]))
    assert embedded(place) == ([NEW], [], [])
    every = recalled(place, 1000)
    assert set(every) == {*before, NEW}
    assert {key: every[key] for key in before} == pytest.approx(before)
    assert embedded(place) == ([], [], []), "it is known now"

    # The worst becomes like the best in all that is known of it, but for which it is; the best goes.
    changed = [{**row, "ad_id": str(worst), "row_key": str(worst)}]
    kept = table.filter(pc.invert(pc.is_in(table["ad_id"], pa.array([str(best), str(worst)]))))
    write_items(place, pa.concat_tables([kept, pa.Table.from_pylist(changed, schema=table.schema)]))
    assert embedded(place) == ([], [worst], sorted([best, NEW]))
    after = recalled(place, 1000)
    assert set(after) == set(before) - {best}
    assert after[worst] > before[worst]
    write_items(place, table)
    assert embedded(place) == ([best], [worst], [])
    assert recalled(place, 1000) == pytest.approx(before)
    assert place.store.days("checkpoint", "ads", "towers")[-1] == SECOND


def test_an_item_is_another_once_its_own_vector_has_come_or_others_of_its_kinds_are_played_most(place: Place) -> None:
    table = items(place)
    rows = table.to_pylist()
    late = next(row for row in rows if row["picture"] is None)
    played = next(row for row in rows if row["picture"] is not None and row["plays"].endswith(":9"))
    late["picture"], played["plays"] = [0.1, -0.2, 0.3], "2:1,8:1,1:1"
    write_items(place, pa.Table.from_pylist(rows, schema=table.schema))
    assert embedded(place) == ([], sorted(int(row["ad_id"]) for row in (late, played)), [])
    played["plays"] = "2:5,8:3"  # its two most played are the same, in another order
    write_items(place, pa.Table.from_pylist(rows, schema=table.schema))
    assert embedded(place) == ([], [], [])
    write_items(place, table)
    assert len(embedded(place)[1]) == 2


def test_the_stage_looks_at_a_days_tables_unless_what_is_served_was_looked_at_since(place: Place) -> None:
    table = items(place)
    row = table.to_pylist()[0]
    like = pa.Table.from_pylist([{**row, "ad_id": str(NEW), "row_key": str(NEW)}], schema=table.schema)
    write_items(place, pa.concat_tables([table, like]))
    for stage in ("extract", "validate", "embed_items"):
        place.good("stage", stage, "--job", "ads", "--day", LAST)
    assert NEW in recalled(place, 1000)
    write_items(place, table)
    assert embedded(place) == ([], [], [NEW])
    place.good("stage", "embed_items", "--job", "ads", "--day", LAST)
    assert NEW not in recalled(place, 1000), "the day's tables are older than that"
    assert embedded(place, "--day", LAST) == ([NEW], [], []), "asked for by name"
    place.good("stage", "embed_items", "--job", "ads", "--day", FIRST)
    assert NEW in recalled(place, 1000), "a day before the release's says nothing of it"
    refused = place.run("embed-items", "--job", "ads", "--day", "2024-03-09")
    assert "2024-03-09: nothing is validated" in refused.message
    assert embedded(place) == ([], [], [NEW])


def test_a_table_that_cannot_be_read_changes_nothing(place: Place) -> None:
    table, before = items(place), recalled(place, 1000)
    write_items(place, table.slice(0, 0))
    refused = place.run("embed-items", "--job", "ads")
    assert "table 'ads' of parquet:" in refused.message
    assert "has no rows now" in refused.message
    broken = table.set_column(table.column_names.index("ad_id"), "ad_id", pa.array(["x"] * table.num_rows))
    write_items(place, broken)
    refused = place.run("embed-items", "--job", "ads")
    assert "rows cannot be read, more than validation.max_quarantined" in refused.message
    write_items(place, table)
    assert recalled(place, 1000) == before


def test_a_day_that_is_read_again_is_released_with_the_items_that_there_are_now(place: Place) -> None:
    """Nobody was shown the new one, so that the model comes to the same bits; its items are others."""
    table = items(place)
    row = table.to_pylist()[0]
    like = pa.Table.from_pylist([{**row, "ad_id": str(NEW), "row_key": str(NEW)}], schema=table.schema)
    write_items(place, pa.concat_tables([table, like]))
    before = place.artifact("checkpoint", SECOND, "towers").manifest.digest
    place.good("backfill", "--job", "ads", "--from", SECOND, "--to", SECOND, "--reprocess")
    assert place.artifact("checkpoint", SECOND, "towers").manifest.digest == before
    assert NEW in recalled(place, 1000)
    assert embedded(place) == ([], [], [])


def test_a_ranker_takes_what_the_towers_recall_as_its_candidates(place: Place) -> None:
    ranker = tiny.settings("ads") | {"job": "ranker"}
    write_items(place, items(place).drop_columns(["plays", "picture"]))
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
