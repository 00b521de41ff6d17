"""What Airflow's own database knows of the days: their runs, and the tasks that failed or run now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from pipeline.days import Day
from pipeline.errors import UsageError

SHOWN = ("failed", "upstream_failed", "running", "restarting", "up_for_retry")


def runs_of(dag_id: str, zone: str) -> dict[str, Any]:
    """Runs and unfinished or failed tasks of a DAG by day; with ``problem`` where the database does not answer.

    A run of which no day can be told, which its first task has refused, is left out.

    The page says what was trained without it: only links and what is running now come from here.
    """
    try:
        with create_session() as session:
            runs = session.execute(
                select(DagRun.logical_date, DagRun.run_id, DagRun.state)
                .where(DagRun.dag_id == dag_id, DagRun.logical_date.is_not(None))
                .order_by(DagRun.id)
            ).all()
            tasks = session.execute(
                select(TaskInstance.run_id, TaskInstance.task_id, TaskInstance.state).where(
                    TaskInstance.dag_id == dag_id, TaskInstance.state.in_(SHOWN)
                )
            ).all()
    except SQLAlchemyError as error:
        return {"runs": {}, "tasks": {}, "problem": f"Airflow's database does not answer ({type(error).__name__})"}
    days = {run_id: day for date, run_id, _ in runs if (day := _day(date, zone)) is not None}
    by_day: dict[str, dict[str, str]] = {}
    for run_id, task_id, state in tasks:
        if run_id in days:
            by_day.setdefault(days[run_id], {})[task_id] = str(state)
    return {
        "runs": {days[run_id]: {"run_id": run_id, "state": str(state)} for _, run_id, state in runs if run_id in days},
        "tasks": by_day,
    }


def _day(logical_date: datetime, zone: str) -> str | None:
    try:
        return str(Day.of_logical_date(logical_date, zone))
    except UsageError:
        return None
