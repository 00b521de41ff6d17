"""A day's impressions, as rows of `midas_online_context`: all values text, as HBase gives them.

Counts are of what happened before the impression. "dexposure" counts the user's exposures so far that day and
"hexposure" those of the hour, "alocation" at any location and "clocation" at this one; what the company means by the
names is not stated. The lists of recent clicks are of earlier days, oldest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from examples.school.audience import Audience, draw_calls, is_shopping
from examples.school.options import Options
from examples.school.seen import Seen, appended
from pipeline.days import Day

COLUMNS = (
    "row_key", "user_id", "ad_id", "is_click", "log_time", "exe_time", "log_day", "log_week", "log_month",
    "log_hourtime", "log_weektime", "location_ad", "exposure_duration", "count_click", "duplicate_tag",
    "window_otherad", "dclick_otherad", "hclick_similarad", "hexposure_similarad", "dexposure_alocation",
    "dexposure_clocation", "hexposure_alocation", "hexposure_clocation", "yeaterday_accuracy", "week_accuracy",
    "month_accuracy", "rclick_ad", "rclick_category", "rencent_behavior",
)  # fmt: skip
CONTEXT = pa.schema([(name, pa.string()) for name in COLUMNS])
CHUNK = 50_000
_HOUR = 3_600_000
_HOURS = np.array([1, 1, 1, 1, 1, 1, 3, 6, 6, 4, 4, 5, 7, 5, 4, 4, 6, 9, 12, 14, 13, 9, 4, 2]) / 123


@dataclass(frozen=True)
class _Draw:
    """A day's impressions in order of time: indices of user and ad, epoch milliseconds, calls, clicks."""

    user: NDArray[np.int64]
    ad: NDArray[np.int64]
    time: NDArray[np.int64]
    hour: NDArray[np.int64]
    calls: NDArray[np.int64]
    click: NDArray[np.bool_]


class Feed:
    """Draws the days in order, and remembers what users clicked and how often ads were shown.

    Memory grows with the impressions of one day, not with the number of days.
    """

    def __init__(self, options: Options, audience: Audience) -> None:
        self._options = options
        self._audience = audience
        self._recent = audience.first_clicks.copy()
        self._seen = Seen(options, audience)
        self.ad_clicks = np.zeros(options.ads, dtype=np.int64)
        self.ad_exposures = np.zeros(options.ads, dtype=np.int64)
        self._accuracy = options.random("accuracy").beta(6, 3, options.users)

    def impressions(self, day: Day) -> Iterator[tuple[pa.Table, NDArray[np.bool_]]]:
        """The day's rows in chunks, in order of time, each with which rows are the last of their key on the day.

        The feed goes on to the next day after the last chunk.
        """
        random = self._options.random("impressions", day.ordinal)
        draw = self._draw(day, random)
        numbers = self._numbers(draw)
        by_user = self._texts_of_users(day)
        last_of_key = is_last(draw.user * self._options.ads + draw.ad)
        for start in range(0, len(draw.user), CHUNK):
            cut = slice(start, start + CHUNK)
            rows = self._rows(day, draw, {name: values[cut] for name, values in numbers.items()}, by_user, cut)
            yield rows, last_of_key[cut]
        self._remember(draw)

    def _draw(self, day: Day, random: np.random.Generator) -> _Draw:
        audience, count = self._audience, self._options.impressions
        user = random.choice(self._options.users, count, p=audience.users.activity)
        ad = random.choice(self._options.ads, count, p=audience.ads.popularity)
        hour = np.sort(random.choice(24, count, p=_HOURS))
        within = random.integers(0, _HOUR, count)
        midnight = (day.ordinal - Day.of(1970, 1, 1).ordinal) * 24 * _HOUR - 8 * _HOUR
        time = np.sort(midnight + hour * _HOUR + within)
        calls = draw_calls(audience, count, random)
        chance = audience.click_chance(user, ad, is_shopping(calls), self._seen.log_odds(user, ad))
        return _Draw(user, ad, time, (time - midnight) // _HOUR, calls, random.random(count) < chance)

    def _numbers(self, draw: _Draw) -> dict[str, NDArray[np.int64]]:
        ads, user = self._audience.ads, draw.user
        location, category = ads.location[draw.ad], ads.labels[draw.ad, 0]
        one = np.ones(len(user), dtype=np.int64)
        clicked = draw.click.astype(np.int64)
        pair = user * self._options.ads + draw.ad
        by_hour = user * 24 + draw.hour
        similar = by_hour * 64 + category
        so_far = before(user, one)
        of_pair = before(pair, one)
        return {
            "location_ad": location,
            # Outcomes: a clicked ad was looked at for longer. Whoever reads them of its own row knows the label.
            "exposure_duration": ads.seconds[draw.ad] * (1 + clicked) * self._seen.longer(user, draw.ad),
            "count_click": clicked,
            "duplicate_tag": (of_pair > 0).astype(np.int64),
            "window_otherad": so_far - of_pair,
            "dclick_otherad": before(user, clicked) - before(pair, clicked),
            "hclick_similarad": before(similar, clicked),
            "hexposure_similarad": before(similar, one),
            "dexposure_alocation": so_far,
            "dexposure_clocation": before(user * 8 + location, one),
            "hexposure_alocation": before(by_hour, one),
            "hexposure_clocation": before(by_hour * 8 + location, one),
        }

    def _texts_of_users(self, day: Day) -> dict[str, pa.Array]:
        """Columns that depend on the user and the day only, one value a user."""
        random = self._options.random("accuracy", day.ordinal)
        ads = self._audience.ads
        there = self._recent >= 0
        accuracy = {
            name: _decimals(np.clip(self._accuracy + random.normal(0, noise, len(self._accuracy)), 0, 1))
            for name, noise in (("yeaterday_accuracy", 0.15), ("week_accuracy", 0.06), ("month_accuracy", 0.02))
        }
        return accuracy | {
            "rclick_ad": bracketed(_text(ads.ad_id[self._recent[there]]), there),
            "rclick_category": bracketed(_text(ads.labels[self._recent[there], 0]), there),
        }

    def _rows(
        self,
        day: Day,
        draw: _Draw,
        numbers: dict[str, NDArray[np.int64]],
        by_user: dict[str, pa.Array],
        cut: slice,
    ) -> pa.Table:
        user, ad = draw.user[cut], draw.ad[cut]
        user_id, ad_id = _text(self._audience.users.user_id[user]), _text(self._audience.ads.ad_id[ad])
        called = draw.calls[cut] >= 0
        monday = day.plus(-day.weekday)
        month = Day.of(day.date.year, day.date.month, 1)
        columns = {
            "row_key": pc.binary_join_element_wise(user_id, ad_id, "_"),
            "user_id": user_id,
            "ad_id": ad_id,
            "is_click": _text(draw.click[cut].astype(np.int64)),
            "log_time": _text(draw.time[cut]),
            "exe_time": _text(draw.time[cut] + 20 + user % 80),
            "log_day": _same(slashed(day), len(user)),
            "log_week": _same(slashed(monday), len(user)),
            "log_month": _same(slashed(month), len(user)),
            "log_hourtime": _text(draw.hour[cut]),
            "log_weektime": _same(str(day.weekday + 1), len(user)),
            **{name: _text(values) for name, values in numbers.items()},
            **{name: texts.take(pa.array(user)) for name, texts in by_user.items()},
            "rencent_behavior": bracketed(self._audience.paths.take(pa.array(draw.calls[cut][called])), called),
        }
        return pa.table(columns).select(COLUMNS).cast(CONTEXT)

    def _remember(self, draw: _Draw) -> None:
        ads = self._options.ads
        self.ad_exposures += np.bincount(draw.ad, minlength=ads)
        self.ad_clicks += np.bincount(draw.ad[draw.click], minlength=ads)
        clicker, clicked = draw.user[draw.click], draw.ad[draw.click]
        self._recent = appended(self._recent, clicker, clicked)
        self._seen.remember(draw.user, draw.ad, draw.click)


def before(key: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row, the sum of ``values`` over the earlier rows of the same key."""
    order = np.argsort(key, kind="stable")
    sorted_key, total = key[order], np.cumsum(values[order]) - values[order]
    begins = np.flatnonzero(np.diff(sorted_key, prepend=-1))
    lengths = np.diff(np.append(begins, len(key)))
    result = np.empty(len(key), dtype=np.int64)
    result[order] = total - np.repeat(total[begins], lengths)
    return result


def is_last(key: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether no later row has the same key."""
    last = np.zeros(len(key), dtype=bool)
    last[len(key) - 1 - np.unique(key[::-1], return_index=True)[1]] = True
    return last


def bracketed(values: pa.Array, there: NDArray[np.bool_]) -> pa.Array:
    """Texts such as ``[a, b]``: the values row by row, of which a row has as many as ``there`` is true in it."""
    offsets = np.append(0, np.cumsum(there.sum(axis=1)))
    inner = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values), ", ")
    return pc.binary_join_element_wise("[", inner, "]", "")


def slashed(day: Day) -> str:
    """``YYYY/MM/DD``."""
    return str(day).replace("-", "/")


def _text(values: NDArray[np.int64]) -> pa.Array:
    return pa.array(values).cast(pa.string())


def _decimals(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(np.round(values, 4)).cast(pa.string())


def _same(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text), count)
