"""The tables of users and ads of the generated school."""

from __future__ import annotations

import pyarrow as pa

from examples.school.ad_profiles import ad_table, user_table
from examples.school.audience import CATEGORIES
from examples.school.impressions import Feed
from tests.unit.examples.school.small_feed import FIRST, audience_of, numbers, options, rows_of


def test_profiles_are_text_with_the_counts_of_the_feed() -> None:
    made, audience = options(), audience_of()
    feed = Feed(made, audience)
    rows = rows_of(feed, FIRST)
    ads = ad_table(made, audience, feed)
    clicks = {row["ad_id"]: int(row["count_click"]) for row in ads.to_pylist()}
    assert sum(clicks.values()) == numbers(rows, "is_click").sum()
    assert {int(value) for value in ads["label_1"].to_pylist()} <= set(range(1, CATEGORIES + 1))
    assert "-1" in ads["label_7"].to_pylist()
    users = user_table(made, audience)
    assert set(users.schema.types) == set(ads.schema.types) == {pa.string()}
    assert users["user_id"].to_pylist() == users["row_key"].to_pylist()
    assert set(users["app_freshness"].to_pylist()) == set("ABCDEFG")
    assert set(users["activity_degree"].to_pylist()) == set("ABCDE")
