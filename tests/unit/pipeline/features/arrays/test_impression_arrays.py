"""Impressions as arrays: histories and counters of earlier days, lists in step."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from models.schema import PAD_INT, PAD_STR
from pipeline.errors import ConfigError
from pipeline.features.frames.frame import Lists
from pipeline.features.state.delta import Delta
from pipeline.features.state.state import FeatureState
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.shown_days import DAY, Shows, values


def test_click_history_and_counters_are_of_earlier_days() -> None:
    job = Shows()
    first = job.day(DAY).arrays
    clicked = values(first.request_ids, first.layout.request_ids, "clicked")
    assert not clicked.any()
    second = job.day(DAY.next()).arrays
    clicked = values(second.request_ids, second.layout.request_ids, "clicked")
    assert [job.raw("ad", [i for i in row if i]) for row in clicked] == [[10], [10], [99], [12], [99]]
    kinds = values(second.request_ids, second.layout.request_ids, "clicked_kinds")
    assert job.raw("kind", kinds[0, :1]) == ["game"]
    third = job.day(DAY.plus(2)).arrays
    clicked = values(third.request_ids, third.layout.request_ids, "clicked")
    assert job.raw("ad", clicked[0, :2]) == [10, 10]

    def pair(name: str) -> list[float]:
        found: list[float] = values(second.pair_dense, second.layout.pair_dense, name)[:, 0].tolist()
        return found

    # On the first day 3 of 5 were clicked: (1 + .6) / (2 + 1) of user 1, (1 + .6) / (1 + 1) of user 3.
    np.testing.assert_allclose(pair("user_rate"), [1.6 / 3, 1.6 / 3, 1.6 / 3, 1.6 / 2, 1.6 / 3], rtol=1e-6)
    assert pair("ad_count") == [2, 1, 2, 1, 1]
    assert pair("user_tag") == [1, 0, 0, 1, 0]  # by the first tag of a bag; no tag is no key


def test_steps_know_how_many_days_ago_they_were() -> None:
    """By their own entries; what was clicked on the day itself is no step, and the state keeps no more for it."""
    job, without = Shows(shows.with_ages()), Shows()
    found = {}
    for day in (DAY, DAY.next(), DAY.plus(4)):
        arrays = job.day(day).arrays
        without.day(day)
        read = [values(arrays.request_dense, arrays.layout.request_dense, "click_ages"),
                values(arrays.request_ids, arrays.layout.request_ids, "clicked")]  # fmt: skip
        found[day] = read[0].tolist()
        assert (np.isnan(read[0]) == (read[1] == 0)).all(), "an age stands where a step does"
    nan = [np.nan] * 3
    np.testing.assert_array_equal(found[DAY], [nan] * 5)
    np.testing.assert_array_equal(found[DAY.next()], [[1, np.nan, np.nan]] * 5)
    # Of every user the click of the first day, then that of the second.
    np.testing.assert_array_equal(found[DAY.plus(4)], [[4, 3, np.nan]] * 5)
    kept, others = (each.state.histories.kept(DAY.plus(4)) for each in (job, without))
    assert kept.keys.tolist() == others.keys.tolist()
    assert list(kept.columns) == list(others.columns)
    for name, column in kept.columns.items():
        one, two = ((each.offsets, each.values) if isinstance(each, Lists) else (each,)
                    for each in (column, others.columns[name]))  # fmt: skip
        np.testing.assert_equal(one, two, err_msg=name)


def test_what_could_have_been_clicked_stands_beside_each_step_of_earlier_days() -> None:
    job = Shows(shows.with_negatives({"count": 6, "from": "shown"}))
    logs = {DAY: shows.log((1, 10, 1, 7, 1.0, []), (1, 11, 0, 7, 1.0, []), (1, 12, 0, 7, 1.0, [])),
            DAY.next(): shows.log((1, 11, 1, 7, 1.0, []), (1, 10, 0, 7, 1.0, []))}  # fmt: skip
    found = []
    for day in DAY.through(DAY.plus(2)):
        arrays = job.day(day, logs.get(day, shows.LOG)).arrays
        ads, kinds = (
            values(arrays.request_ids, arrays.layout.request_ids, f"{name}.negatives")
            for name in ("clicked", "clicked_kinds")
        )
        assert ads.shape[1:] == kinds.shape[1:] == (3, 6)
        found.append([set(job.raw("ad", step)) for step in ads[0]])
        of_kind = {raw: kind for step, beside in zip(ads[0], kinds[0], strict=True)
                   for raw, kind in zip(job.raw("ad", step), job.raw("kind", beside), strict=True)}  # fmt: skip
        assert of_kind.items() <= {10: "game", 11: "book", 12: PAD_STR, PAD_INT: PAD_STR}.items()
    # Instead of 10 on the first day 11 and 12, instead of 11 on the second 10; nothing of the day itself.
    assert found == [[{PAD_INT}] * 3, [{11, 12}, {PAD_INT}, {PAD_INT}], [{11, 12}, {10}, {PAD_INT}]]


def test_steps_of_days_before_anything_was_drawn_have_no_negatives() -> None:
    before, after = Shows(), Shows(shows.with_negatives())
    before.day(DAY)
    after.maps, delta = before.maps, Delta(before.events[DAY])
    after.state = after.state.after(Delta.from_arrays(DAY, delta.arrays()))
    after.day(DAY.next())
    arrays = after.day(DAY.plus(2)).arrays
    steps = values(arrays.request_ids, arrays.layout.request_ids, "clicked")
    beside = values(arrays.request_ids, arrays.layout.request_ids, "clicked.negatives")
    assert (steps[0] != 0).tolist() == [True, True, False]
    assert (beside[0] != 0).tolist() == [[False] * 4, [True] * 4, [False] * 4]


def test_what_could_have_been_clicked_of_a_session_stands_beside_its_steps() -> None:
    settings = shows.with_sessions().model_dump(mode="json")
    settings["features"]["clicked"]["negatives"] = 5
    told = {"features": settings["features"], "impressions": settings["impressions"]}
    job = Shows(shows.config(**told))
    for day in (DAY, DAY.next()):
        job.day(day)
    arrays = job.day(DAY.plus(2)).arrays
    steps = values(arrays.request_ids, arrays.layout.request_ids, "clicked")
    beside = values(arrays.request_ids, arrays.layout.request_ids, "clicked.negatives")
    assert (steps.shape[1:], beside.shape[1:]) == ((2, 2), (4, 5))
    np.testing.assert_array_equal((beside != 0).all(axis=-1), steps.reshape(len(steps), 4) != 0)
    assert not (beside == steps.reshape(len(steps), 4, 1))[beside != 0].any()


def test_the_states_of_two_ways_hold_the_same_negatives() -> None:
    job = Shows(shows.with_negatives())
    for day in (DAY, DAY.next()):
        job.day(day)
    again = FeatureState.from_arrays(job.config, DAY.next(), job.state.arrays())
    one, two = ([(name, each.tolist()) for name, each in state.arrays().items()] for state in (job.state, again))
    assert one == two
    assert any(name.startswith("negatives/items") for name, _ in one)


def test_clicks_are_split_into_the_days_they_were_of() -> None:
    """User 1 clicks 10, 11 and 12 on the first day, 10 on the second, nothing on the third: the last two of each."""
    job = Shows(shows.with_sessions())
    first = shows.log((1, 10, 1, 7, 1.0, []), (1, 11, 1, 7, 1.0, []), (1, 12, 1, 7, 1.0, []), (2, 12, 0, 7, 1.0, []))
    logs = {DAY: first, DAY.next(): shows.log((1, 10, 1, 7, 1.0, []), (2, 12, 0, 7, 1.0, []))}
    nothing = shows.log((1, 10, 0, 7, 1.0, []), (2, 12, 0, 7, 1.0, []))
    found = []
    for day in DAY.through(DAY.plus(3)):
        arrays = job.day(day, logs.get(day, nothing)).arrays
        ids = values(arrays.request_ids, arrays.layout.request_ids, "clicked")
        assert ids.shape[1:] == (2, 2)
        assert not ids[-1].any(), "the other user clicked nothing"
        found.append([job.raw("ad", session) for session in ids[0]])
    pad = PAD_INT
    assert found == [
        [[pad, pad], [pad, pad]],
        [[11, 12], [pad, pad]],  # nothing of the day itself
        [[11, 12], [10, pad]],
        [[11, 12], [10, pad]],
    ]


def test_clicks_are_split_where_nothing_was_clicked_for_long_and_know_how_long_ago_they_were() -> None:
    """Of user 1 two clicks, one by itself (which is no session), and two about midnight; the day's own is no step."""
    clicks = [(1, ad, 1, 7, 1.0, []) for ad in (10, 11, 12, 10)]
    logs = {
        DAY: shows.at(shows.log(*clicks), DAY, "10:00", "10:20", "11:00", "23:50"),
        DAY.next(): shows.at(shows.log((1, 12, 1, 7, 1.0, [])), DAY.next(), "00:10"),
        DAY.plus(2): shows.at(shows.log((1, 10, 1, 7, 1.0, []), (2, 10, 0, 7, 1.0, [])), DAY.plus(2), "00:10", "00:40"),
    }
    hours, pad, nan = Shows(shows.with_moments(least=2)), PAD_INT, np.nan
    found = [hours.day(day, log).arrays for day, log in logs.items()]
    ids = [values(arrays.request_ids, arrays.layout.request_ids, "clicked") for arrays in found]
    ages = [values(arrays.request_dense, arrays.layout.request_dense, "click_ages") for arrays in found]
    assert not ids[0].any()
    assert np.isnan(ages[0]).all()
    assert [hours.raw("ad", session) for session in ids[1][0]] == [[10, 11], [pad, pad]]
    np.testing.assert_allclose(ages[1], [[14 + 1 / 6, 13 + 5 / 6, nan, nan]], rtol=1e-6)
    assert [hours.raw("ad", session) for session in ids[2][0]] == [[10, 11], [10, 12]]
    np.testing.assert_allclose(ages[2], [[38 + 1 / 6, 37 + 5 / 6, 24 + 1 / 3, 24], [nan] * 4], rtol=1e-6)
    for unit, expected in (("second", [[24 * 3600 + 1200, 24 * 3600]]), ("day", [[2, 1]])):
        other = Shows(shows.with_moments(unit=unit, least=2))
        arrays = [other.day(day, log).arrays for day, log in logs.items()][2]
        told = values(arrays.request_dense, arrays.layout.request_dense, "click_ages")
        np.testing.assert_array_equal(told[:1, 2:], expected)


def test_a_step_that_says_a_later_moment_than_the_request_is_as_old_as_it() -> None:
    # Rows of a day may be of up to a day later by their moment.
    job = Shows(shows.with_moments(unit="second"))
    job.day(DAY, shows.at(shows.log((1, 10, 1, 7, 1.0, [])), DAY.next(), "10:00"))
    arrays = job.day(DAY.next(), shows.at(shows.log((1, 10, 0, 7, 1.0, [])), DAY.next(), "09:00")).arrays
    ages = values(arrays.request_dense, arrays.layout.request_dense, "click_ages")
    np.testing.assert_array_equal(ages, [[0, np.nan, np.nan, np.nan]])


def test_moments_are_kept_where_a_feature_is_made_of_them() -> None:
    for config, kept in ((shows.with_sessions(), False), (shows.with_moments(), True)):
        job = Shows(config)
        job.day(DAY, shows.at(shows.LOG, DAY, *["10:00"] * shows.LOG.num_rows))
        assert ("step.time.values" in job.state.histories.table.merged.columns) == kept


def test_what_came_of_earlier_clicks_is_a_part_of_their_steps() -> None:
    job = Shows(shows.with_answers())
    # Clicks of LOG: user 1 on ad 10, user 3 on 12, user 2 on 99, of which nothing came.
    log = shows.LOG.append_column("answered", pa.array([4.0, 50.0, 50.0, 10.0, None]))
    first, second = job.day(DAY, log), job.day(DAY.next(), log)
    assert not values(first.arrays.request_ids, first.arrays.layout.request_ids, "answers").any()
    found = {name: values(second.arrays.request_ids, second.arrays.layout.request_ids, name) for name in
             ("clicked", "answers")}  # fmt: skip
    assert [job.raw("ad", row)[0] for row in found["clicked"]] == [10, 10, 99, 12, 99]
    # Below 1, below 10, 10 and more are the buckets 0, 1, 2; only a click's answer is kept.
    assert [job.raw("answer", row) for row in found["answers"]] == [
        [each, PAD_INT, PAD_INT] for each in (1, 1, PAD_INT, 2, PAD_INT)
    ]


def test_what_came_of_all_earlier_impressions_is_a_part_of_their_steps() -> None:
    job = Shows(shows.with_levels())
    log = shows.LOG.append_column("answered", pa.array([4.0, 50.0, 50.0, 10.0, None]))
    first, second = job.day(DAY, log), job.day(DAY.next(), log)
    assert not values(first.arrays.request_ids, first.arrays.layout.request_ids, "outcomes").any()
    found = {name: values(second.arrays.request_ids, second.arrays.layout.request_ids, name) for name in
             ("clicked", "outcomes")}  # fmt: skip
    # User 1 was shown 10 and 11, user 2 10 and 99, user 3 12; their rows are LOG's: 1, 1, 2, 3, 2.
    pad, none = PAD_INT, PAD_STR
    assert [job.raw("ad", row) for row in found["clicked"]] == [
        [10, 11, pad], [10, 11, pad], [10, 99, pad], [12, pad, pad], [10, 99, pad]
    ]  # fmt: skip
    assert [job.raw("outcome", row) for row in found["outcomes"]] == [
        ["click", "skip", none], ["click", "skip", none], ["again", "click", none], ["long", none, none],
        ["again", "click", none],
    ]  # fmt: skip


def test_a_history_may_be_of_some_levels_alone() -> None:
    features = shows.with_levels().model_dump(mode="json")
    of_clicks = {"levels": ["click", "long"], "group": "taken", "steps": 1}
    features["features"]["taken"] = {**features["features"]["clicked"], **of_clicks}
    features["features"]["taken_outcomes"] = {**features["features"]["outcomes"], **of_clicks}
    sections = {name: features[name] for name in ("features", "history", "spaces")}
    job = Shows(shows.config(**sections))
    log = shows.LOG.append_column("answered", pa.array([4.0, 50.0, 50.0, 10.0, None]))
    job.day(DAY, log)
    built = job.day(DAY.next(), log)
    found = {name: values(built.arrays.request_ids, built.arrays.layout.request_ids, name) for name in
             ("taken", "taken_outcomes")}  # fmt: skip
    # Of user 1 (10 clicked, 11 skipped), 2 (10 left, 99 clicked) and 3 (12 clicked, for long), the last click.
    assert [job.raw("ad", row) for row in found["taken"]] == [[10], [10], [99], [12], [99]]
    assert [job.raw("outcome", row) for row in found["taken_outcomes"]] == [
        ["click"], ["click"], ["click"], ["long"], ["click"]
    ]  # fmt: skip
    sections["features"]["taken_outcomes"]["levels"] = ["click"]
    with pytest.raises(ConfigError, match=r"'taken' and 'taken_outcomes' .* their `levels` differ"):
        Shows(shows.config(**sections))


def test_counters_are_of_what_came_of_earlier_impressions() -> None:
    job = Shows(shows.with_values())
    # LOG: users 1, 1, 2, 3, 2 see ads 10, 11, 10, 12, 99 for 2.5, no, 1, 4 and 1 seconds.
    log = shows.LOG.append_column("answered", pa.array([5.0, 7.0, 50.0, 0.0, None]))
    first, second = job.day(DAY, log), job.day(DAY.next(), log)
    at = {name: first.arrays.layout.pair_dense[name].start for name in ("user_watched", "ad_long", "user_kind_long")}
    assert not first.arrays.pair_dense[:, [*at.values()]].any()
    watched, long, of_kind = (second.arrays.pair_dense[:, place] for place in at.values())
    # Watched are 2 of user 1, 4 (50, clipped) of user 2, 0 of user 3: their mean is 2.
    assert watched.tolist() == [0, 0, 1, -1, 1]
    # Above 0 are ads 10, twice, and 11, not 12; 99 has none: of all three quarters.
    assert long.tolist() == pytest.approx([2.75 / 3, 1.75 / 2, 2.75 / 3, 0.75 / 2, 0.75])
    half = np.sqrt(0.5)
    assert of_kind.tolist() == pytest.approx([np.log(6) * half, np.log(8) * half, np.log(51) * half, 0, 0])


def test_lists_of_a_row_that_differ_in_length_are_brought_into_step_and_counted() -> None:
    clicked = {"kind": "sequence", "side": "request", "steps": 3, "group": "click"}
    columns = {**shows.TABLES["log"]["columns"], "ads": {"type": "int_list"}, "places": {"type": "int_list"}}
    features = shows.config().model_dump(mode="json")["features"]
    features |= {
        "ads": {**clicked, "space": "ad", "source": "row.ads", "of": "ad"},
        "places": {**clicked, "space": "place", "source": "row.places"},
    }
    tables = {**shows.TABLES, "log": {**shows.TABLES["log"], "columns": columns}}
    job = Shows(shows.config(tables=tables, features=features))
    lists = pa.list_(pa.int64())
    log = shows.LOG.append_column("ads", pa.array([[10, 11], [10], [], None, [12, 13, 14]], lists))
    log = log.append_column("places", pa.array([[7, 8], [7, 8], None, [7], [8]], lists))
    built = job.day(DAY, log)
    assert built.counts["unpaired.click"] == 3
    ads = values(built.arrays.request_ids, built.arrays.layout.request_ids, "ads")
    places = values(built.arrays.request_ids, built.arrays.layout.request_ids, "places")
    # 0 is padding, 1 missing: of the last row the places of the second and third ad.
    assert ((ads != 0) == (places != 0)).all()
    assert [job.raw("ad", ads[row]) for row in (0, 4)] == [[10, 11, PAD_INT], [12, 13, 14]]
    assert (ads == 1).tolist() == [[False] * 3, [False, True, False], [False] * 3, [True, False, False], [False] * 3]
    assert (places == 1).tolist() == [[False] * 3] * 4 + [[False, True, True]]
