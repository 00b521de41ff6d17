from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import load_job
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from pipeline.features.plan.read_tables import check_all_read
from tests.unit.pipeline.features import lessons, shows


def without(*names: str) -> Any:
    """The features of the job less some."""
    features = lessons.config().model_dump(mode="json")["features"]
    return {name: each for name, each in features.items() if name not in names}


def test_every_table_of_the_jobs_is_read() -> None:
    for job in ("homework", "ads"):
        check_all_read(Plan(load_job(job)))
    check_all_read(Plan(lessons.config()))
    check_all_read(Plan(shows.config()))


@pytest.mark.parametrize(
    ("features", "table"), [(("day_counts", "window_counts"), "style_counts"), (("study",), "study")]
)
def test_a_table_of_which_no_feature_is_made_is_told(features: tuple[str, ...], table: str) -> None:
    with pytest.raises(ConfigError, match=rf"^tables.{table}: nothing is made of it[^\n]*$"):
        check_all_read(Plan(lessons.config(features=without(*features))))


def test_a_table_that_no_section_names_is_told() -> None:
    tables = {**lessons.TABLES, "spare": lessons.TABLES["study"], "other": lessons.TABLES["teachers"]}
    with pytest.raises(ConfigError, match=r"tables.other: .*\ntables.spare: nothing is made of it"):
        check_all_read(Plan(lessons.config(tables=tables)))


def test_a_table_that_only_gives_the_keys_of_another_is_read() -> None:
    config = shows.config().model_dump(by_alias=True, mode="json")
    config["tables"]["visits"] = {**config["tables"]["log"], "source": "visits"}
    config["tables"]["users"]["keys"] = {"table": "visits", "column": "user"}
    check_all_read(Plan(shows.config(tables=config["tables"])))
