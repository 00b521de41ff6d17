"""The maintenance DAG: what it calls, and that nothing of it stands in the way of the daily runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import parser

PROJECT = Path(__file__).resolve().parents[2]
JOBS = ("homework", "ads")
TASKS = ("audit", "prune", "late_days", "mature", "rechain", "freshness")


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(PROJECT / "dags" / "maintenance.py"))
    assert bag.import_errors == {}
    return bag.dags["maintenance"]


def test_once_a_day_one_run_at_a_time(dag: Any) -> None:
    assert (dag.timetable.expression, dag.catchup, dag.max_active_runs) == ("0 12 * * *", False, 1)
    assert {"dayspring", *JOBS} <= set(dag.tags)


def test_every_job_is_looked_after(dag: Any) -> None:
    assert set(dag.task_dict) == {f"{job}.{task}" for job in JOBS for task in TASKS}
    for name, task in dag.task_dict.items():
        assert f"--job {name.partition('.')[0]}" in task.bash_command
        assert task.job == name.partition(".")[0]
        assert task.execution_timeout > timedelta()
        assert task.skip_on_exit_code == [99]
        assert not task.depends_on_past


def test_the_commands_are_those_of_the_command_line(dag: Any) -> None:
    for task in dag.task_dict.values():
        words = task.bash_command.partition(" -m pipeline ")[2].split()
        assert parser().parse_args(words).command == words[0]


def test_what_is_read_again_is_trained_in_the_trainers_pool_even_if_a_day_was_lost(dag: Any) -> None:
    for job in JOBS:
        rechain = dag.task_dict[f"{job}.rechain"]
        assert rechain.upstream_task_ids == {f"{job}.mature"}
        assert (rechain.pool, rechain.trigger_rule.value) == ("train", "all_done")
        assert rechain.bash_command.endswith("--if-automatic")
        for task in set(TASKS) - {"rechain"}:
            assert dag.task_dict[f"{job}.{task}"].upstream_task_ids == set()
            assert dag.task_dict[f"{job}.{task}"].pool != "train"


def test_data_that_has_ended_is_looked_after_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring.maintenance_dag import maintenance_dag

    monkeypatch.setenv("DAYSPRING_SCHEDULE_END", "2024-03-10")
    dag = maintenance_dag("ads")
    assert {name.partition(".")[2] for name in dag.task_dict} == set(TASKS) - {"freshness"}
    # By hand, at any date: past its end date a DAG's run has no tasks.
    assert (dag.timetable.can_be_scheduled, dag.end_date) == (False, None)


def test_a_job_is_found_by_its_yaml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from dayspring.maintenance_dag import maintenance_dag

    for job in ("clicks", "broken"):
        (tmp_path / f"{job}.yaml").write_text(
            "timezone: Asia/Tokyo\nexperiments: {a: {}}\n" if job == "clicks" else "{"
        )
    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    dag = maintenance_dag()
    assert set(dag.task_dict) == {f"{job}.{task}" for job in ("broken", "clicks") for task in TASKS}
    # Of the first of them that can be read: one job's broken settings must not keep the others from being looked after.
    assert dag.timetable.timezone == "Asia/Tokyo"


def test_a_file_without_the_word_airflow_is_a_dags_too(tmp_path: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    file = tmp_path / "own_daily.py"
    file.write_text((PROJECT / "dags" / "ads_daily.py").read_text().replace("Airflow ", ""))
    assert "airflow" not in file.read_text().lower()
    assert not DagBag(dag_folder=str(file), safe_mode=True).dags, "what Airflow does by itself"
    assert set(DagBag(dag_folder=str(file), safe_mode=False).dags) >= {"ads_daily"}


def test_a_job_that_holds_its_days_waits_for_their_labels() -> None:
    from dayspring.daily_dag import held_for

    assert held_for({"labels": {"delay_days": 5, "until_then": "hold"}}) == timedelta(days=5)
    assert held_for({"labels": {"delay_days": 5}}) == timedelta()
    assert held_for({}) == timedelta()
