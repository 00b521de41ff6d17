from __future__ import annotations

import numpy as np

from tests.unit.pipeline.features.shown_days import DAY, Shows, values


def test_an_impression_is_a_request_with_one_item() -> None:
    job = Shows()
    built = job.day(DAY)
    arrays = built.arrays
    assert arrays.offsets.tolist() == [0, 1, 2, 3, 4, 5]
    assert arrays.label[:, 0].tolist() == [1, 0, 0, 1, 1]
    assert built.keys["item.key"].tolist() == [10, 11, 12, 99]
    assert arrays.pair_item.tolist() == [0, 1, 0, 2, 3]
    assert job.raw("user", arrays.user) == [1, 1, 2, 3, 2]
    assert built.key_rank.tolist() == [0, 1, 2, 3]


def test_columns_of_rows_users_and_items() -> None:
    job = Shows()
    arrays = job.day(DAY).arrays
    requests, places = arrays.request_ids, arrays.layout.request_ids
    assert values(requests, places, "place")[:, ...].tolist()[3] == 1  # missing reads as unknown
    assert job.raw("county", values(requests, places, "county"))[:3] == [70, 70, 70]
    assert values(requests, places, "county")[3] == 1
    recent = values(requests, places, "recent")
    assert job.raw("path", recent[0]) == ["/d/e/f", "/a/b/x"]
    assert recent[1].tolist() == [0, 0]
    dense = values(arrays.request_dense, arrays.layout.request_dense, "seconds")[:, 0]
    assert (dense[0], np.isnan(dense[1])) == (2.5, True)
    items, item_places = arrays.item_ids, arrays.layout.item_ids
    tags = values(items, item_places, "tags")
    assert job.raw("tag", tags[0]) == [5, 6]
    assert tags[1].tolist() == [0, 0]
    assert values(items, item_places, "kind")[3] == 1  # ad 99 has no profile
    assert np.isnan(values(arrays.item_dense, arrays.layout.item_dense, "ad_clicks")[3, 0])
