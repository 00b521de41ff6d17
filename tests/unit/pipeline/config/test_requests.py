from __future__ import annotations

from typing import get_args

import pytest

from pipeline.cli.recommend import ASKED
from pipeline.config.measures import MEASURES, PRIMARY
from pipeline.config.requests import Kind, RequestSettings
from pipeline.evaluation.measures import MEASURED
from pipeline.features.arrays.kinds import ARRAYS, GROWTH
from pipeline.features.plan.plan import REQUESTS
from pipeline.features.rows.kinds import ROWS
from pipeline.features.state.state import STATES
from pipeline.release.check.probe import CANDIDATES
from pipeline.release.contents.contents import PARTS
from pipeline.serving.ready_release import KNOWN
from tests.unit.pipeline.features import cells, lessons, shows

HOMEWORK, IMPRESSIONS, LABELLED = lessons.config(), shows.config(), cells.config()


def test_every_kind_of_request_is_in_the_table_of_every_room() -> None:
    for table in (
        MEASURES, PRIMARY, REQUESTS, ROWS, GROWTH, ARRAYS, STATES, MEASURED, CANDIDATES, PARTS, KNOWN, ASKED,
    ):  # fmt: skip
        assert set(table) == set(get_args(Kind))
    for config in (HOMEWORK, IMPRESSIONS, LABELLED):
        assert isinstance(config.request, RequestSettings)
        assert config.request is getattr(config, config.kind)


def test_the_section_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="`impressions` has no meaning with `kind: ranking`"):
        lessons.config(impressions=IMPRESSIONS.model_dump()["impressions"])
    with pytest.raises(ValueError, match="`kind: ranking` needs the section `ranking`"):
        lessons.config(ranking=None)


def test_tables_that_requests_are_made_of() -> None:
    assert HOMEWORK.request.frames == {"row": "homework", "user": "teachers"}
    assert HOMEWORK.request.event_tables == {"homework", "clicks"}
    assert IMPRESSIONS.request.frames == {"row": "log", "user": "users", "item": "ads"}
    assert IMPRESSIONS.request.event_tables == {"log"}
    assert LABELLED.request.frames == {"row": "cells"}
    assert LABELLED.request.event_tables == {"cells"}


def test_columns_that_tell_the_label() -> None:
    assert HOMEWORK.request.label_columns == {"clicks": "tag", "offered": "cnt"}
    taken = {"section_id", "style", "reflect_id"}
    assert HOMEWORK.request.outcomes == {"homework": taken, "clicks": {"tag"}, "offered": {"cnt"}}
    assert IMPRESSIONS.request.label_columns == {"log": "click"}
    assert IMPRESSIONS.request.outcomes == {"log": {"click"}}
    assert LABELLED.request.label_columns == {"cells": "label"}
    assert LABELLED.request.outcomes == {"cells": {"label"}}


def test_an_impression_and_a_row_have_nothing_to_draw_negatives_from() -> None:
    assert HOMEWORK.request.negatives(HOMEWORK.experiments["pooled"]) == 31
    assert IMPRESSIONS.request.negatives(next(iter(IMPRESSIONS.experiments.values()))) is None
    assert LABELLED.request.negatives(next(iter(LABELLED.experiments.values()))) is None
