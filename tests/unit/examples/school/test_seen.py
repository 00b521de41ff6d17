"""Effects of what users were shown on earlier days: the rows alone show each, and only where it is planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from examples.school.audience import HISTORY, make_audience
from examples.school.impressions import Feed
from examples.school.options import Options
from examples.school.seen import LONGER, appended
from tests.unit.examples.school.small_feed import FIRST, numbers, rows_of

Exposures = list[tuple[int, int]]  # place, click; oldest first


@dataclass
class Row:
    """An exposure of the last day."""

    before: Exposures
    place: int
    click: int


def last_day(*effects: str) -> list[Row]:
    """The rows of a feed's sixth day with the last exposures of their users' earlier days, read from the rows alone."""
    made = Options(FIRST, days=6, users=400, ads=60, impressions=6000, click_rate=0.4, effects=frozenset(effects))
    audience = make_audience(made)
    feed = Feed(made, audience)
    seen: dict[int, Exposures] = {}
    for day in made.this_year:
        rows = rows_of(feed, day)
        columns = [numbers(rows, name).tolist() for name in ("user_id", "location_ad", "is_click")]
        found = [(user, (place, click)) for user, place, click in zip(*columns, strict=True)]
        asked = [Row(seen.get(user, [])[-HISTORY:], each[0], each[1]) for user, each in found]
        for user, each in found:
            seen.setdefault(user, []).append(each)
    return asked


def alike(row: Row) -> int:
    """1 where more of the earlier exposures at the ad's place were clicked than not, -1 where fewer."""
    came = [2 * click - 1 for place, click in row.before if place == row.place]
    return int(np.sign(sum(came)))


def turned(row: Row) -> int:
    """1 where the last exposure was clicked and the one before not, -1 where it was the other way round."""
    return row.before[-1][1] - row.before[-2][1] if len(row.before) > 1 else 0


def stood_still(row: Row) -> int:
    """1 where the last two were both clicked, -1 where none was: what a view without order can tell of them."""
    return row.before[-1][1] + row.before[-2][1] - 1 if len(row.before) > 1 else 0


def click_rates(rows: list[Row], of: Callable[[Row], int]) -> list[float]:
    """Of the rows where it is -1, 0 and 1."""
    told = np.array([of(row) for row in rows])
    clicks = np.array([row.click for row in rows])
    return [float(clicks[told == value].mean()) for value in (-1, 0, 1)]


@pytest.mark.parametrize(("effect", "of"), [("exposures", alike), ("turns", turned)])
def test_earlier_exposures_move_the_click_only_with_the_effect(effect: str, of: Callable[[Row], int]) -> None:
    low, middle, high = click_rates(last_day(effect), of)
    assert low < middle - 0.1 < middle + 0.1 < high
    low, _, high = click_rates(last_day(), of)
    assert high - low < 0.12  # by users who click more, and ads that are clicked more, alone


def test_turns_are_nothing_that_the_last_two_tell_without_their_order() -> None:
    low, _, high = click_rates(last_day("turns"), stood_still)
    assert high - low < 0.1


def test_what_is_watched_lasts_longer_and_is_clicked_more_only_with_the_effect() -> None:
    for effects in (("watching",), ()):
        made = Options(FIRST, days=1, users=300, ads=80, impressions=9000, click_rate=0.3, effects=frozenset(effects))
        audience = make_audience(made)
        rows = rows_of(Feed(made, audience), FIRST)
        seconds = dict(zip(audience.ads.ad_id.tolist(), audience.ads.seconds.tolist(), strict=True))
        plain = np.array([seconds[ad] for ad in numbers(rows, "ad_id").tolist()])
        clicks = numbers(rows, "is_click")
        times = numbers(rows, "exposure_duration") / (plain * (1 + clicks))
        assert set(times.tolist()) == ({1.0, float(LONGER)} if effects else {1.0})
        if effects:
            assert clicks[times > 1].mean() - clicks[times == 1].mean() > 0.2


def test_appended_keeps_the_newest() -> None:
    recent = np.array([[-1, 7], [5, 6], [-1, -1]])
    assert appended(recent, np.array([1, 2, 1, 1]), np.array([1, 9, 2, 3])).tolist() == [[-1, 7], [2, 3], [-1, 9]]
    assert appended(recent, np.array([], np.int64), np.array([], np.int64)).tolist() == recent.tolist()
