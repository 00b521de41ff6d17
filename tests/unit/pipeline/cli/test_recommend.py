"""What `recommend` asks the reader, by the kind of request."""

from __future__ import annotations

import argparse
from typing import Any, get_args

import pytest

from pipeline.cli.recommend import ASKED
from pipeline.config.requests import Kind


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
