from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.config.job import JobConfig
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from tests.tiny import settings

WRONG: dict[str, tuple[str, Callable[[dict[str, Any]], object], str]] = {
    "tag": ("homework", lambda job: job["ranking"]["labels"]["clicks"].update(tag="no"), "ranking.labels.clicks.tag"),
    "count": (
        "homework", lambda job: job["ranking"]["labels"]["clicks"].update(count="no"), "ranking.labels.clicks.count",
    ),
    "clicked": (  # the column may be view or click
        "homework", lambda job: job["ranking"]["labels"]["clicks"].update(clicked=["Click"]),
        "ranking.labels.clicks.clicked: 'Click'",
    ),
    "rank": ("homework", lambda job: job["ranking"]["candidates"].update(rank="no"), "ranking.candidates.rank"),
    "base": (
        "homework", lambda job: job["ranking"]["base_chapters"].update(base_section="no"),
        "ranking.base_chapters.base_section",
    ),
    "key": ("homework", lambda job: job["ranking"]["profile"].update(key="no"), "ranking.profile.key"),
    "registered": (
        "homework", lambda job: job["ranking"]["profile"].update(register_day="is_core"),
        "ranking.profile.register_day: 'is_core' is declared as int",
    ),
    "weights": ("homework", lambda job: job["ranking"]["weights"].update(column="no"), "ranking.weights.column"),
    "weights of text": (
        "homework", lambda job: job["tables"]["teachers"]["columns"].update(is_core={"type": "str"}),
        "ranking.weights.column: 'is_core' is declared as str",
    ),
    "match": ("homework", lambda job: job["replay"].update(match=["row.no"]), "replay.match"),
    "match of no row": ("homework", lambda job: job["replay"].update(match=["grade"]), "replay.match: 'grade'"),
    "users": ("ads", lambda job: job["impressions"]["profile"].update(key="no"), "impressions.profile.key"),
    "items": ("ads", lambda job: job["impressions"]["items"].update(key="no"), "impressions.items.key"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_column_that_is_named_and_cannot_be_read_is_refused(name: str) -> None:
    job, change, told = WRONG[name]
    content = settings(job)
    Plan(JobConfig.model_validate(content))
    change(content)
    with pytest.raises(ConfigError) as error:
        Plan(JobConfig.model_validate(content))
    assert str(error.value).startswith(told)
