from __future__ import annotations

import argparse

from pipeline.cli.recommend_labelled import LabelledAsked


def test_there_is_nothing_to_ask_for_and_it_says_what_to_call() -> None:
    parser, asked = argparse.ArgumentParser(), LabelledAsked()
    asked.add_to(parser)
    assert asked.request(parser.parse_args([])) is None
    assert (asked.names, "`serving_default`" in asked.needs) == ((), True)
