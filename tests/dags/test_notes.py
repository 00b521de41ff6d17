"""The note of a run: its business day, what came of it, what failed; nobody's own words are written over."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.days import Day

MEASURES = [
    {"day": "2024-02-29", "experiment": "din", "rows": 200, "auc": 0.53456, "verdict": "promote", "groups": {}},
    {"day": "2024-02-29", "experiment": "pooled", "rows": 200, "auc": 0.5, "verdict": None, "groups": {}},
]


def run(note: str | None = None, dag: str = "ads_daily", failed: tuple[str, ...] = ()) -> Any:
    tasks = [SimpleNamespace(task_id=name, state="failed") for name in failed]
    tasks.append(SimpleNamespace(task_id="extract", state="success"))
    return SimpleNamespace(
        dag_id=dag, run_id="r", note=note, logical_date=datetime(2024, 2, 29, tzinfo=UTC), task_instances=tasks
    )


def test_what_came_of_a_day_in_one_line() -> None:
    from dayspring.notes import day_result, in_words

    result = day_result("2024-02-29", MEASURES)
    assert result["experiments"]["din"] == {"verdict": "promote", "measures": {"auc": 0.53456}}
    told = in_words(Day.parse("2024-02-29"), "Asia/Shanghai", result, [])
    assert told == "Day 2024-02-29 (Asia/Shanghai); din promote, auc 0.5346; pooled not judged, auc 0.5000"


def test_a_failed_run_names_its_tasks_before_all(monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring import notes

    monkeypatch.setattr(notes, "_result", lambda _: notes.day_result("2024-02-29", MEASURES[:1]))
    failed = run("Day 2024-02-29 (Asia/Shanghai)", failed=("train_pooled", "fail_run"))
    notes.on_dag_run_failed(failed, "")
    assert failed.note == "Day 2024-02-29 (Asia/Shanghai); failed: train_pooled; din promote, auc 0.5346"


@pytest.mark.parametrize("each", [run("ask Li first"), run(dag="ads_report"), run(dag="unknown_daily")])
def test_other_notes_and_runs_are_left_as_they_are(each: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring import notes

    monkeypatch.setattr(notes, "_result", lambda _: None)
    before = each.note
    notes.on_dag_run_running(each, "")
    assert each.note == before
