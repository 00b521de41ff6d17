"""`midas_online_user` and `midas_online_ad`: one row a user and an ad, all values text, as HBase gives them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from examples.school.audience import SLOTS, Audience
from examples.school.impressions import Feed
from examples.school.options import Options
from pipeline.days import Day

_GRADES = "ABCDE"
_PHONES = ("OPPO_A77;7.1.1", "OPPO_R9s;6.0.1", "vivo_X9;7.1.2", "HUAWEI_P10;8.0.0", "iPhone9,1;11.4", "MI_6;8.0.0")
_POWERS = ("A1", "A2", "A3", "A4", "B", "C")


def user_table(options: Options, audience: Audience) -> pa.Table:
    """`midas_online_user`."""
    random = options.random("user profiles")
    count = options.users
    county = random.integers(0, 60, count)
    user_id = audience.users.user_id.astype(str)
    abilities = {
        f"{subject}_ability": np.array([*_GRADES, "0"])[random.choice(6, count, p=[0.2, 0.2, 0.2, 0.15, 0.1, 0.15])]
        for subject in ("math", "english", "chinese")
    }
    return _all_text(
        {
            "row_key": user_id,
            "user_id": user_id,
            "province_id": 11 + county // 12,
            "city_id": 1101 + county // 4,
            "county_id": 110_101 + county * 7,
            "school_id": 30_000 + county * 5 + random.integers(0, 5, count),
            "grade_id": random.integers(1, 7, count),
            "app_type": random.integers(1, 5, count),
            "app_freshness": np.array([*"ABCDEFG"])[random.integers(0, 7, count)],
            "activity_degree": np.array([*_GRADES])[np.digitize(audience.users.activity * count, [0.2, 0.6, 1.2, 2.4])],
            "purchase_power": np.array(_POWERS)[random.integers(0, len(_POWERS), count)],
            **abilities,
            "mobile_os": random.choice(["android", "ios"], count, p=[0.85, 0.15]),
            "mobile_type": np.array(_PHONES)[random.integers(0, len(_PHONES), count)],
            "test_timestamp": _changed(options.last, random, count),
        }
    )


def ad_table(options: Options, audience: Audience, feed: Feed) -> pa.Table:
    """`midas_online_ad`, with the counts as they stand after the days that ``feed`` has gone through."""
    random = options.random("ad profiles")
    ads = audience.ads
    ad_id = ads.ad_id.astype(str)
    daily = feed.ad_exposures // max(options.days, 1)
    return _all_text(
        {
            "row_key": ad_id,
            "ad_id": ad_id,
            **{f"label_{place + 1}": ads.labels[:, place] for place in range(SLOTS)},
            "location_ad": ads.location,
            "exposure_duration": ads.seconds,
            "count_click": feed.ad_clicks,
            "window_otherad": random.integers(0, 12, options.ads),
            "alldexposure_alocation": daily,
            "alldexposure_clocation": daily * 2 // 3,
            "allhexposure_alocation": daily // 24,
            "allhexposure_clocation": daily // 36,
            "test_timestamp": _changed(options.last, random, options.ads),
        }
    )


def _changed(last: Day, random: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Epoch milliseconds in the week up to the last day."""
    end = (last.ordinal - Day.of(1970, 1, 1).ordinal) * 86_400_000
    return end - random.integers(0, 7 * 86_400_000, count)


def _all_text(columns: dict[str, NDArray[np.generic]]) -> pa.Table:
    return pa.table({name: pa.array(values).cast(pa.string()) for name, values in columns.items()})
