"""Alerts of what fails under Airflow: once a task of a day, after its last try."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dayspring.run_days import day_to_tell
from dayspring.settings import PROJECT

TRAIN = "train_"
_SHOWN = 600


def alert_failure(context: Any) -> None:
    """The tasks' ``on_failure_callback``, which Airflow calls when no try is left."""
    task, instance = context["task"], context["ti"]
    job = getattr(task, "job", None)
    # A run of the maintenance has no day of the job's: what it found is told as of the date that it ran for.
    day = (day_to_tell(job, context) or context.get("ds")) if job is not None else None
    if job is None or not day:
        return
    exhausted = instance.try_number > (task.retries or 0) > 0
    _send(job, day, task.task_id, context.get("exception"), exhausted=exhausted)


def alert_failed_tasks(context: Any, job: str) -> None:
    """Those of the run that have failed, where nothing has told of them yet."""
    day = day_to_tell(job, context) or context.get("ds")
    if not day:
        return
    run = context["run_id"]
    states = context["ti"].get_task_states(dag_id=context["dag"].dag_id, run_ids=[run]).get(run, {})
    for task, state in states.items():
        if state == "failed":
            _send(job, day, task, None, exhausted=False)


def artefact_root() -> Path:
    """The folder of the artefacts as the stages see it, whose working folder is the project."""
    from pipeline.job import default_root

    return PROJECT / default_root()


def _send(job: str, day: str, task: str, error: object, *, exhausted: bool) -> None:
    from pipeline.days import Day
    from pipeline.monitoring.alerts.causes import Alert, Kind
    from pipeline.monitoring.alerts.deliver import try_to_deliver
    from pipeline.monitoring.failures import failures

    experiment = task.removeprefix(TRAIN) if task.startswith(TRAIN) else None
    note = failures(artefact_root(), job).get((Day.parse(day), experiment or ""))
    # The day's note may be of another stage, or this task of another DAG.
    own = note is not None and note.stage == ("experiment" if experiment else task)
    why = note.message if note is not None and own else str(error or "it was killed; see its log")
    text = f"task {task} failed{' after its last retry' if exhausted else ''}: {why[:_SHOWN]}"
    kind: Kind = "retries_exhausted" if exhausted else "failure"
    try_to_deliver(artefact_root(), job, [Alert(kind, job, Day.parse(day), text, experiment, task)])
