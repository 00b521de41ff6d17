from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.homework import Candidates, CoreWeights, Homework, HomeworkLabels, Package

CLICKS = {"table": "clicks", "offered": "offered"}
RANKING: dict[str, Any] = {
    "rows": "homework", "user": "teacher", "owner": ["teacher", "class"], "labels": {"from": "rows"},
    "candidates": {"from": "seen"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("section", "settings", "message"),
    [
        (Package, {"style": None}, "`key` holds style"),
        (HomeworkLabels, {"from": "clicks"}, "`clicks` goes with `from: clicks`, and only with it"),
        (HomeworkLabels, {"from": "rows", "clicks": CLICKS}, "`clicks` goes with `from: clicks`, and only with it"),
        (Candidates, {"from": "table"}, "`table` goes with `from: table`, and only with it"),
        (Candidates, {"from": "seen", "table": "candidates"}, "`table` goes with `from: table`, and only with it"),
        (CoreWeights, {"column": "is_core", "weights": {}}, "at least 1 item"),
        (CoreWeights, {"column": "is_core", "weights": {1: float("inf")}}, "finite"),
        (Homework, {**RANKING, "requests": "log"}, "`requests: log` needs the log of"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(section: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        section.model_validate(settings)


def test_requests_are_made_of_the_log_where_the_settings_say_so() -> None:
    clicked = {**RANKING, "labels": {"from": "clicks", "clicks": CLICKS}}
    assert Homework.model_validate({**clicked, "requests": "log"}).log == "clicks"
    assert Homework.model_validate(clicked).log is None


def test_packages_may_be_of_sections_alone() -> None:
    assert Package(style=None, key=("sections",)).key == ("sections",)
