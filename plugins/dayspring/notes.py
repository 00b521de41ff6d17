"""What a run came to, where runs are listed: its note says the business day, the verdicts and what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.listeners import hookimpl

from dayspring.settings import known_zone_of
from pipeline.days import Day
from pipeline.errors import UsageError

DAY_RESULT = "day"
"""Key of the XCom in which the task `report` leaves what came of the day."""
_LONGEST = 1000
_MARK = "Day "
"""How our notes begin; any other was written by somebody and stays."""


def day_result(day: str, measures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The day, and of each tested experiment its verdict and its figures, from the rows of ``measures --json``."""
    return {
        "day": day,
        "experiments": {
            row["experiment"]: {
                "verdict": row["verdict"],
                "measures": {name: value for name, value in row.items() if isinstance(value, float)},
            }
            for row in measures
        },
    }


def in_words(day: Day, zone: str, result: Mapping[str, Any] | None, failed: Sequence[str]) -> str:
    """The note of a run.

    Args:
        result: as of :func:`day_result`; ``None`` where the run has not come so far.
        failed: ids of its failed tasks.
    """
    from pipeline.config.measures import headline

    said = [f"failed: {', '.join(failed)}"] if failed else []
    for name, each in (result or {}).get("experiments", {}).items():
        said.append(", ".join([f"{name} {each['verdict'] or 'not judged'}", *headline(each["measures"])]))
    return "; ".join([f"{_MARK}{day} ({zone})", *said])[:_LONGEST]


@hookimpl
def on_dag_run_running(dag_run: Any, msg: str) -> None:
    """Called in the scheduler, inside the transaction that changes the run."""
    _note(dag_run)


@hookimpl
def on_dag_run_success(dag_run: Any, msg: str) -> None:
    _note(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    _note(dag_run)


def _note(dag_run: Any) -> None:
    job = dag_run.dag_id.removesuffix("_daily")
    zone = known_zone_of(job) if dag_run.dag_id.endswith("_daily") else None
    if zone is None or dag_run.logical_date is None or not str(dag_run.note or _MARK).startswith(_MARK):
        return
    try:
        day = Day.of_logical_date(dag_run.logical_date, zone)
    except UsageError:  # its first task says so
        return
    failed = sorted(task.task_id for task in dag_run.task_instances if task.state == "failed")
    dag_run.note = in_words(day, zone, _result(dag_run), [each for each in failed if each != "fail_run"])


def _result(dag_run: Any) -> dict[str, Any] | None:
    """What the run's report has left, in the session that the run is of."""
    # Only the scheduler comes here; the plugin is imported everywhere.
    from airflow.models.xcom import XComModel
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None:
        return None
    asked = XComModel.get_many(
        run_id=dag_run.run_id, dag_ids=dag_run.dag_id, task_ids="report", key=DAY_RESULT, limit=1
    )
    left = session.scalar(asked)
    return XComModel.deserialize_value(left) if left is not None else None
