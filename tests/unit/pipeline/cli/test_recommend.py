"""What `recommend` asks the reader, by the kind of request."""

from __future__ import annotations

import argparse
from typing import Any, get_args

import pytest

from pipeline.cli.recommend import ASKED, columns_in
from pipeline.config.load import load_job
from pipeline.config.requests import Kind
from pipeline.errors import UsageError
from pipeline.features.plan.plan import Plan


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for asked in ASKED.values():
        asked.add_to(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("kind", "words", "request_"),
    [
        ("ranking", ("--teacher", "7", "--class", "8"), {"owner": ["7", "8"], "chapters": None}),
        ("ranking", ("--teacher", "7", "--class", "8", "--chapter", "1", "--chapter", "2"),
         {"owner": ["7", "8"], "chapters": ["1", "2"]}),
        ("ranking", ("--teacher", "7"), None),
        ("ranking", (), None),
        ("impressions", ("--user", "7"), {"owner": ["7"]}),
        ("impressions", (), None),
    ],
)  # fmt: skip
def test_a_request_is_told_by_the_options_of_its_kind(
    kind: Kind, words: tuple[str, ...], request_: dict[str, Any] | None
) -> None:
    assert ASKED[kind].request(parsed(*words)) == request_


def test_every_kind_of_request_can_be_asked_and_names_its_options() -> None:
    assert set(ASKED) == set(get_args(Kind))
    assert {name for asked in ASKED.values() for name in asked.names} == set(vars(parsed()))


def test_the_context_of_a_request_is_columns_or_json_of_what_features_are_made_of() -> None:
    ads, homework = (Plan(load_job(job)).request for job in ("ads", "homework"))
    assert columns_in(["log_hourtime=9", '{"location_ad": 3, "rclick_ad": [7, 8]}', "log_hourtime=10"], ads) == {
        "log_hourtime": "10", "location_ad": 3, "rclick_ad": [7, 8],
    }  # fmt: skip
    assert columns_in(["grade=3"], homework) == {"grade": "3"}
    assert homework.context_columns == ["edition_id", "grade", "term"]  # neither whose it is nor its chapters
    assert "is_click" not in ads.context_columns
    assert "user_id" not in ads.context_columns
    with pytest.raises(UsageError, match="no feature of a request is made of 'day'; it may give edition_id, grade, te"):
        columns_in(["day=3"], homework)
    with pytest.raises(UsageError, match="write COLUMN=VALUE"):
        columns_in(["grade"], homework)
    with pytest.raises(UsageError, match="not JSON"):
        columns_in(["{grade: 3}"], homework)
