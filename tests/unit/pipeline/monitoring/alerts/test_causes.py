"""An alert: one cause, one line, whatever was quoted in it."""

from __future__ import annotations

import pytest

from pipeline.monitoring.alerts.causes import Alert
from tests.unit.pipeline.monitoring.alerts.sinks import BLOCK, DAY, FAILURE


def test_a_cause_is_the_same_whatever_its_text_and_however_often_it_was_tried() -> None:
    assert FAILURE.key == "ads/2024-02-29/din/failure/train_din"
    assert Alert("retries_exhausted", "ads", DAY, "another text", "din", "train_din").key == FAILURE.key
    others = [
        BLOCK, Alert("failure", "ads", DAY, "", "din", "test_din"), Alert("failure", "ads", DAY, "", None, "train_din"),
        Alert("failure", "ads", DAY.next(), "", "din", "train_din"),
        Alert("failure", "homework", DAY, "", "din", "train_din"),
    ]  # fmt: skip
    assert len({FAILURE.key, *(each.key for each in others)}) == 6


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("two\r\n\tlines", "two lines"), ("a bell\x07 rang", "a bell  rang"), ("half \ud83d of one", "half ? of one"),
        ("a\u2028b\x85c", "a b c"), (" \n", ""),
    ],
)  # fmt: skip
def test_a_text_is_one_line_that_any_mail_can_hold(text: str, clean: str) -> None:
    alert = Alert("failure", "ads", DAY, text)
    assert alert.text == clean
    assert alert.line.encode().decode() == f"ads 2024-02-29 failure: {clean}"


def test_the_line_names_who_and_when() -> None:
    assert BLOCK.line == "ads/din 2024-02-29 gate block: auc 0.41 is below the floor 0.45"
    assert BLOCK.as_dict() == {
        "kind": "gate_block", "job": "ads", "day": "2024-02-29", "text": "auc 0.41 is below the floor 0.45",
        "experiment": "din", "what": "",
    }  # fmt: skip
