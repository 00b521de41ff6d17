from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.config.job import JobConfig
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from tests.tiny import settings

WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "tag": (lambda job: job["ranking"]["labels"]["clicks"].update(tag="no"), "ranking.labels.clicks.tag"),
    "count": (
        lambda job: job["ranking"]["labels"]["clicks"].update(count="no"), "ranking.labels.clicks.count",
    ),
    "clicked": (  # the column may be view or click
        lambda job: job["ranking"]["labels"]["clicks"].update(clicked=["Click"]),
        "ranking.labels.clicks.clicked: 'Click'",
    ),
    "rank": (lambda job: job["ranking"]["candidates"].update(rank="no"), "ranking.candidates.rank"),
    "base": (
        lambda job: job["ranking"]["base_chapters"].update(base_section="no"),
        "ranking.base_chapters.base_section",
    ),
    "key": (lambda job: job["ranking"]["profile"].update(key="no"), "ranking.profile.key"),
    "registered": (
        lambda job: job["ranking"]["profile"].update(register_day="is_core"),
        "ranking.profile.register_day: 'is_core' is declared as int",
    ),
    "weights": (lambda job: job["ranking"]["weights"].update(column="no"), "ranking.weights.column"),
    "weights of text": (
        lambda job: job["tables"]["teachers"]["columns"].update(is_core={"type": "str"}),
        "ranking.weights.column: 'is_core' is declared as str",
    ),
    "match": (lambda job: job["replay"].update(match=["row.no"]), "replay.match"),
    "match of no row": (lambda job: job["replay"].update(match=["grade"]), "replay.match: 'grade'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_column_that_is_named_and_cannot_be_read_is_refused(name: str) -> None:
    change, told = WRONG[name]
    content = settings("homework")
    Plan(JobConfig.model_validate(content))
    change(content)
    with pytest.raises(ConfigError) as error:
        Plan(JobConfig.model_validate(content))
    assert str(error.value).startswith(told)
