"""The ads' feed of the generated school: what a row says, and of which rows before it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from examples.school.audience import HISTORY
from examples.school.impressions import COLUMNS, Feed, before, bracketed, is_last
from tests.unit.examples.school.small_feed import FIRST, audience_of, numbers, options, rows_of


def test_before_sums_the_earlier_rows_of_a_key() -> None:
    key, values = np.array([5, 3, 5, 5, 3]), np.array([1, 10, 0, 1, 10])
    assert before(key, values).tolist() == [0, 0, 1, 1, 10]
    assert before(np.array([], np.int64), np.array([], np.int64)).tolist() == []


def test_is_last_marks_each_keys_last_row() -> None:
    assert is_last(np.array([1, 2, 1, 3, 2])).tolist() == [False, False, True, True, True]


def test_bracketed_lists() -> None:
    there = np.array([[True, True], [False, False], [True, False]])
    assert bracketed(pa.array(["a", "b", "c"]), there).to_pylist() == ["[a, b]", "[]", "[c]"]


def test_the_click_rate_is_the_one_asked_for() -> None:
    rows = rows_of(Feed(options("taste", "behaviour", impressions=40_000), audience_of("taste", "behaviour")), FIRST)
    assert numbers(rows, "is_click").mean() == pytest.approx(0.04, abs=0.008)


def test_rows_hold_every_column_as_text_in_order_of_time() -> None:
    rows = rows_of(Feed(options(), audience_of()), FIRST)
    assert rows.column_names == list(COLUMNS)
    assert set(rows.schema.types) == {pa.string()}
    assert (np.diff(numbers(rows, "log_time")) >= 0).all()
    first = rows.slice(0, 1).to_pylist()[0]
    assert first["row_key"] == f"{first['user_id']}_{first['ad_id']}"
    assert (first["log_day"], first["log_week"], first["log_month"]) == ("2024/02/28", "2024/02/26", "2024/02/01")
    assert first["log_weektime"] == "3"
    start = 1_709_049_600_000  # 2024-02-28 00:00 in Shanghai
    assert ((numbers(rows, "log_time") - start) // 3_600_000 == numbers(rows, "log_hourtime")).all()


def test_counters_look_back_only() -> None:
    rows = rows_of(Feed(options(), audience_of()), FIRST).to_pylist()
    shown: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        past = shown.setdefault(row["user_id"], [])
        others = [old for old in past if old["ad_id"] != row["ad_id"]]
        assert int(row["dexposure_alocation"]) == len(past)
        assert int(row["dexposure_clocation"]) == sum(old["location_ad"] == row["location_ad"] for old in past)
        assert int(row["hexposure_alocation"]) == sum(old["log_hourtime"] == row["log_hourtime"] for old in past)
        assert int(row["window_otherad"]) == len(others)
        assert int(row["dclick_otherad"]) == sum(old["is_click"] == "1" for old in others)
        assert int(row["duplicate_tag"]) == (len(others) < len(past))
        past.append(row)


def test_recent_clicks_are_those_of_earlier_days() -> None:
    feed = Feed(options(), audience_of())
    today, tomorrow = rows_of(feed, FIRST).to_pylist(), rows_of(feed, FIRST.next()).to_pylist()
    history = {row["user_id"]: row["rclick_ad"] for row in today}
    assert all(history[row["user_id"]] == row["rclick_ad"] for row in today), "the day itself changes nothing"
    clicked: dict[str, list[str]] = {}
    for row in today:
        if row["is_click"] == "1":
            clicked.setdefault(row["user_id"], []).append(row["ad_id"])
    checked = 0
    for row in tomorrow:
        if row["user_id"] in clicked:
            ads = row["rclick_ad"].strip("[]").split(", ")
            assert ads[-len(clicked[row["user_id"]]) :] == clicked[row["user_id"]][-HISTORY:]
            assert len(ads) == len(row["rclick_category"].split(", ")) <= HISTORY
            checked += 1
    assert checked > 50


def test_the_last_impression_of_a_pair_is_marked() -> None:
    chunks = list(Feed(options(), audience_of()).impressions(FIRST))
    rows, last = chunks[0]
    assert len(chunks) == 1
    assert (
        rows.filter(pa.array(last))["row_key"].to_pylist()
        == list(dict.fromkeys(reversed(rows["row_key"].to_pylist())))[::-1]
    )


def test_what_came_of_an_impression_tells_its_label() -> None:
    rows = rows_of(Feed(options(), audience_of()), FIRST)
    clicked = numbers(rows, "is_click")
    assert numbers(rows, "count_click").tolist() == clicked.tolist()
    by_ad: dict[str, set[tuple[int, int]]] = {}
    for ad, click, seconds in zip(
        rows["ad_id"].to_pylist(), clicked.tolist(), numbers(rows, "exposure_duration").tolist(), strict=True
    ):
        by_ad.setdefault(ad, set()).add((click, seconds))
    both = [dict(found) for found in by_ad.values() if len(found) == 2]
    assert both
    assert all(found[1] == 2 * found[0] for found in both)
