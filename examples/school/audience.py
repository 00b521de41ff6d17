"""The ads job's ground truth: users, ads, API paths, and who clicks on what. Pure: drawn once from the seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from examples.school.options import Options

CATEGORIES = 20
LABELS = 60
"""Ids of labels; the first ``CATEGORIES`` are the categories, which stand in `label_1`."""

SLOTS = 7
HISTORY = 10
LOCATIONS = 6
PATHS = 500
_PARTS = (35, 75, 358)
_SHOP = 25
"""The first so many paths are the shop's."""

_CATEGORY, _LABEL, _BEHAVIOUR = 2.2, 1.0, 1.2  # log-odds
_SERVICES = ("mall", "homework", "user", "teacher", "student", "exam", "class", "message", "game", "lesson")
_OBJECTS = ("exam", "list", "paper", "report", "rank", "gift", "plan", "word", "video", "note")
_CALLS = ("get-detail-popwindow", "get-list", "submit", "get-status", "open", "check", "update", "get-count")


@dataclass(frozen=True)
class Users:
    """One value a user: id, how active, the two favourite categories ``[users, 2]``, favourite label, log-odds."""

    user_id: NDArray[np.int64]
    activity: NDArray[np.float64]
    categories: NDArray[np.int64]
    label: NDArray[np.int64]
    bias: NDArray[np.float64]


@dataclass(frozen=True)
class Ads:
    """One value an ad; ``labels`` is ``[ads, SLOTS]`` with -1 for none, the first being the category."""

    ad_id: NDArray[np.int64]
    labels: NDArray[np.int64]
    location: NDArray[np.int64]
    seconds: NDArray[np.int64]
    popularity: NDArray[np.float64]
    quality: NDArray[np.float64]


@dataclass(frozen=True)
class Audience:
    """Everything that decides on a click; ``base`` are the log-odds that give the asked-for click rate."""

    users: Users
    ads: Ads
    paths: pa.Array
    path_chance: NDArray[np.float64]
    first_clicks: NDArray[np.int64]
    effects: frozenset[str]
    base: float

    def click_chance(
        self,
        user: NDArray[np.int64],
        ad: NDArray[np.int64],
        shopping: NDArray[np.bool_],
        more: NDArray[np.float64] | float = 0.0,
    ) -> NDArray[np.float64]:
        """Probability of a click for each (user, ad) index.

        Args:
            shopping: whether the last calls were the shop's.
            more: log-odds by what came before.
        """
        return 1 / (1 + np.exp(-self.base - self._log_odds(user, ad, shopping) - more))

    def _log_odds(
        self, user: NDArray[np.int64], ad: NDArray[np.int64], shopping: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        odds = self.ads.quality[ad] + self.users.bias[user]
        if "taste" in self.effects:
            category = self.ads.labels[ad, 0]
            odds = odds + _CATEGORY * (self.users.categories[user] == category[:, None]).any(axis=1)
            odds = odds + _LABEL * (self.ads.labels[ad] == self.users.label[user][:, None]).any(axis=1)
        if "behaviour" in self.effects:
            odds = odds + _BEHAVIOUR * shopping
        return odds


def make_audience(options: Options) -> Audience:
    """Draws users, ads, paths and the clicks of the time before the first day."""
    users, ads = _users(options), _ads(options)
    chance = options.random("path popularity").permutation(1.0 / np.arange(1, PATHS + 1) ** 0.6)
    audience = Audience(
        users, ads, _paths(options), chance / chance.sum(), _first_clicks(options, users, ads), options.effects, 0.0
    )
    random = options.random("click rate")
    user = random.choice(options.users, 50_000, p=users.activity)
    ad = random.choice(options.ads, 50_000, p=ads.popularity)
    odds = audience._log_odds(user, ad, is_shopping(draw_calls(audience, 50_000, random)))
    low, high = -20.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        below = (1 / (1 + np.exp(-middle - odds))).mean() < options.click_rate
        low, high = (middle, high) if below else (low, middle)
    return Audience(users, ads, audience.paths, audience.path_chance, audience.first_clicks, options.effects, low)


def draw_calls(audience: Audience, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """The last paths called before each impression, oldest first, ``[count, HISTORY]``; -1 = none, on the right."""
    calls = np.searchsorted(np.cumsum(audience.path_chance), random.random((count, HISTORY))).clip(max=PATHS - 1)
    shopping = random.random(count) < 0.12
    calls[shopping, :] = np.where(
        random.random((shopping.sum(), HISTORY)) < 0.5, random.integers(0, _SHOP, (shopping.sum(), HISTORY)),
        calls[shopping, :],
    )  # fmt: skip
    length = np.where(random.random(count) < 0.7, HISTORY, random.integers(0, HISTORY, count))
    calls[np.arange(HISTORY) >= length[:, None]] = -1
    return calls


def is_shopping(calls: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether at least three of the calls were the shop's."""
    return ((calls >= 0) & (calls < _SHOP)).sum(axis=1) >= 3


def _users(options: Options) -> Users:
    random = options.random("users")
    count = options.users
    activity = random.gamma(0.7, size=count) + 0.02
    return Users(
        user_id=random.choice(np.arange(20_000_000, 20_000_000 + 30 * count), count, replace=False),
        activity=activity / activity.sum(),
        categories=np.stack([random.integers(0, CATEGORIES, count), random.integers(0, CATEGORIES, count)], axis=1) + 1,
        label=random.integers(CATEGORIES + 1, LABELS + 1, count),
        bias=random.normal(0, 0.4, count),
    )


def _ads(options: Options) -> Ads:
    random = options.random("ads")
    count = options.ads
    labels = np.argsort(random.random((count, LABELS - CATEGORIES)), axis=1)[:, : SLOTS - 1] + CATEGORIES + 1
    kept = random.integers(0, SLOTS, count)
    labels[np.arange(SLOTS - 1) >= kept[:, None]] = -1
    popularity = random.permutation(1.0 / np.arange(3, count + 3) ** 0.8)
    return Ads(
        ad_id=100_000 + random.choice(np.arange(1, 8 * count), count, replace=False),
        labels=np.concatenate([random.integers(1, CATEGORIES + 1, (count, 1)), labels], axis=1),
        location=random.integers(1, LOCATIONS + 1, count),
        seconds=random.integers(3, 31, count),
        popularity=popularity / popularity.sum(),
        quality=random.normal(0, 0.5, count),
    )


def _paths(options: Options) -> pa.Array:
    """Whole paths /A/B/C, in which every one of the 35, 75 and 358 parts appears."""
    random = options.random("paths")
    names = [
        [f"{words[i % len(words)]}{i // len(words) or ''}" for i in range(count)]
        for words, count in zip((_SERVICES, _OBJECTS, _CALLS), _PARTS, strict=True)
    ]
    number = np.arange(PATHS)
    parts = [np.where(number < count, number, random.integers(0, count, PATHS)) for count in _PARTS]
    parts[0][:_SHOP] = 0
    parts[0][_SHOP : _SHOP + _PARTS[0]] = np.arange(_PARTS[0])
    texts = [f"/{names[0][a]}/{names[1][b]}/{names[2][c]}" for a, b, c in zip(*parts, strict=True)]
    return pa.array(texts)


def _first_clicks(options: Options, users: Users, ads: Ads) -> NDArray[np.int64]:
    """Clicks before the first day (ads, oldest first, -1 on the left), for six of ten users, ``[users, HISTORY]``."""
    random = options.random("first clicks")
    shape = (options.users, HISTORY)
    clicks = random.choice(options.ads, shape, p=ads.popularity)
    if "taste" in options.effects:
        by_category = np.argsort(ads.labels[:, 0], kind="stable")
        wanted = users.categories[:, :1]
        low = np.searchsorted(ads.labels[by_category, 0], wanted)
        high = np.searchsorted(ads.labels[by_category, 0], wanted, side="right")
        liked = by_category[np.minimum(low + (random.random(shape) * (high - low)).astype(np.int64), options.ads - 1)]
        clicks = np.where((random.random(shape) < 0.6) & (high > low), liked, clicks)
    length = np.where(random.random(options.users) < 0.6, random.integers(1, 7, options.users), 0)
    clicks[np.arange(HISTORY) < HISTORY - length[:, None]] = -1
    return clicks
