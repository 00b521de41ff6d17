"""What the page draws of the newest report's comparison."""

from __future__ import annotations

from pathlib import Path

from benchmarks.school_year import JOB
from pipeline.monitoring.compared_file import NAME
from tests.unit.pipeline.monitoring.kept import compared
from tests.unit.pipeline.monitoring.overview.drawn import FIRST, ONE, TWO, drawn


def test_differences_stand_at_their_days(root: Path) -> None:
    assert drawn(root)["comparison"] is None
    compared(FIRST.plus(2), FIRST.plus(4), experiments=(TWO, ONE)).write(root / "reports" / JOB)
    picture = drawn(root)
    found = picture["comparison"]
    assert (found["measure"], found["first"], found["from"], found["to"]) == (
        "auc", TWO, str(FIRST.plus(2)), str(FIRST.plus(4)),
    )  # fmt: skip
    assert [(row["experiment"], row["verdict"]) for row in found["rows"]] == [(ONE, "better")]
    assert found["differences"][ONE][:6] == [None, None, 0.0, None, 0.01, None]
    assert len(found["differences"][ONE]) == picture["count"]


def test_a_damaged_file_is_named(root: Path) -> None:
    (root / "reports" / JOB).mkdir(parents=True)
    (root / "reports" / JOB / NAME).write_text("{", encoding="utf-8")
    picture = drawn(root)
    assert picture["comparison"] is None
    assert [each["path"] for each in picture["damaged"]] == [f"reports/{JOB}/{NAME}"]
