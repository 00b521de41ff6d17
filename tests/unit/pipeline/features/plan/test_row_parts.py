"""Parts of a history that are columns of the impression's own row."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.features import FeatureSettings
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import shows


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"buckets": None}, r"'row\.answered': is declared as float, which is no id without `buckets`"),
        ({"space": "place"}, r"'row\.answered': is an outcome, .* not 'place' of the feature 'place'"),
        ({"source": "history.row.place"}, r"no such part; one of items, kind, row\.answered"),
        ({"source": "history.kind", "space": "kind"}, r"`buckets` and `part` change nothing"),
    ],
)
def test_a_part_of_the_row_that_makes_no_history_is_refused(feature: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Plan(shows.with_answers(**feature))


def test_a_part_of_the_row_is_a_column_of_it_and_one_id() -> None:
    config = shows.with_answers()
    declared = config.model_dump(mode="json", by_alias=True)
    with pytest.raises(ConfigError, match=r"history_parts: 'row\.answered' .* source history\.row\.answered"):
        Plan(shows.config(impressions=declared["impressions"]))
    other = {**declared["features"]["answers"], "buckets": [2]}
    with pytest.raises(ConfigError, match=r"the features 'answers', 'more' differ in `buckets` or `part`"):
        Plan(config.model_copy(update={"features": {**config.features, "more": FeatureSettings.model_validate(other)}}))
