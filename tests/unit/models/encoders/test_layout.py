"""Layouts by history: what an experiment may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from models.encoders.history import history_groups
from models.encoders.layout import check_stacked, layout_of, spaces_of_days
from models.schema import Feature, FeatureSchema, Kind, Side

DAYS: dict[str, Any] = {"kind": Kind.BAG_SEQUENCE, "side": Side.REQUEST, "steps": 3, "values": 2}
SCHEMA = FeatureSchema(
    (
        Feature("chapters", space="chapter", group="day", **DAYS),
        Feature("sections", space="section", group="day", **DAYS),
        Feature("styles", space="style", **DAYS), Feature("clicks", Kind.SEQUENCE, Side.REQUEST, "style", steps=3),
    ),
    {"chapter": "int", "section": "int", "style": "int"},
)  # fmt: skip
DAY, STYLES, CLICKS = history_groups(SCHEMA)


def test_a_history_has_its_own_layout_or_the_models() -> None:
    assert layout_of(DAY, {}, "packed") == "packed"
    assert layout_of(DAY, {"type": "pooled", "layout": "stacked"}, "packed") == "stacked"
    assert layout_of(DAY, {"layout": "paired"}, "flat") == "paired"
    assert layout_of(STYLES, {}, "stacked") == "stacked", "of one part that is its day"
    assert layout_of(CLICKS, {}, "flat") == "paired", "steps are what they are"


@pytest.mark.parametrize(
    ("group", "asked", "usual", "message"),
    [
        (DAY, {"layout": "wide"}, "paired", "encoders.day.layout: 'wide' is not one of paired, stacked, packed, flat"),
        (DAY, {"layout": ["flat"]}, "paired", r"\['flat'\] is not one of"),
        (DAY, {"layout": "flat"}, "paired", "encoders.day.layout: 'flat' .* is made of chapters, sections"),
        (DAY, {}, "flat", "option 'layout': 'flat' makes a step of every id, .* 'day' is made of chapters, sections"),
        (STYLES, {"layout": "stacked"}, "paired", "steps of the parts of a day, and 'styles' has one"),
        (CLICKS, {"layout": "packed"}, "paired", r"a layout is of days .*, and clicks is a sequence"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(group: Any, asked: dict[str, Any], usual: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layout_of(group, asked, usual)


def test_stacked_parts_are_of_one_width() -> None:
    check_stacked(DAY, {"chapter": 8, "section": 8})
    with pytest.raises(ValueError, match=r"'day' is laid out 'stacked', .* chapters 8, sections 4; give their"):
        check_stacked(DAY, {"chapter": 8, "section": 4})


def test_the_spaces_whose_days_are_steps() -> None:
    layouts = {"chapters": "stacked", "styles": "flat", "clicks": "paired"}
    assert spaces_of_days((DAY, STYLES, CLICKS), layouts) == ["chapter", "section"]
