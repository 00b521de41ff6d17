"""The line of a day as an Airflow DAG: the same for every job, one training task for each of its experiments.

Beside it the DAG that follows each day, started by its asset: what is told of a day must not hold the next one up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, TaskGroup, TriggerRule, chain

from dayspring.deadlines import release_deadline
from dayspring.failures import alert_failure
from dayspring.operators import AlertsOperator, FailRun, ReportOperator, StageOperator
from dayspring.params import run_params
from dayspring.sensors import PATIENCE, DayReadySensor
from dayspring.settings import members_of, recalls, schedule_end, settings_of, zone_in
from dayspring.timetable import BusinessDays

DOC = Path(__file__).with_suffix(".md")
"""What the DAG's page says of a run."""
TRAIN_POOL = "train"
EXTRACT, TRAIN, PUBLISH = QUEUES = ("extract", "train", "publish")
"""What workers of a CeleryExecutor may be for: those who reach the sources, those with memory and processors, those who
reach Redis and S3. Other executors know no queues."""
RETRY = {
    "owner": "dayspring",
    "retries": 2,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=1),
    "queue": PUBLISH,
    # Finish a day before starting the next one: what is further down the line goes first.
    "weight_rule": "upstream",
    "on_failure_callback": alert_failure,
}


def held_for(settings: Mapping[str, Any]) -> timedelta:
    """For how long the job's days are held until their labels have matured."""
    labels = settings.get("labels") or {}
    # `2e0` is a number to the line, and text to the YAML reader that is used here.
    return timedelta(days=int(float(labels["delay_days"])) if labels.get("until_then") == "hold" else 0)


def measures_of(job: str) -> Asset:
    """The asset that every run of the job updates, its event with the day's measures."""
    return Asset(f"{job}_measures")


def daily_dag(job: str, description: str) -> DAG:
    """The DAG ``JOB_daily``. Its runs take their day from the logical date only."""
    settings = settings_of(job)
    zone, held = zone_in(settings), held_for(settings)
    release_by = (settings.get("release") or {}).get("by")
    with DAG(
        dag_id=f"{job}_daily",
        description=description,
        doc_md=DOC.read_text(encoding="utf-8").format(job=job, zone=zone),
        schedule=BusinessDays(zone),
        start_date=pendulum.datetime(2009, 1, 1, tz="UTC"),
        end_date=pendulum.instance(last.label) if (last := schedule_end()) is not None else None,
        catchup=False,
        # More than the longest gap: a day that waits for a failed one must not hold the slot that its repair needs.
        max_active_runs=16,
        default_args=RETRY,
        params=run_params(list(settings["experiments"])),
        deadline=release_deadline(job, str(release_by), zone, held.days) if release_by else None,
        tags=["dayspring", job],
    ) as dag:
        _tasks(job, settings, held)
    return dag


def _tasks(job: str, settings: Mapping[str, Any], held: timedelta) -> None:
    """The tasks of a day and their order, in the DAG around the call."""
    experiments = list(settings["experiments"])

    def stage(name: str, **kwargs: Any) -> StageOperator:
        return StageOperator(task_id=name, job=job, stage=name, experiments=experiments, **kwargs)

    patience = PATIENCE + held + timedelta(hours=float(settings.get("deadline_hours", 0)))
    wait = DayReadySensor(task_id="wait_for_day", job=job, patience=patience, execution_timeout=None, queue=EXTRACT)
    extract = stage("extract", execution_timeout=timedelta(hours=3), queue=EXTRACT)
    validate = stage("validate", queue=EXTRACT)
    # The visible order of days; the rule itself is the chain's, in `pipeline`.
    id_maps = stage("update_id_maps", depends_on_past=True, queue=TRAIN)
    features = stage("build_features", depends_on_past=True, queue=TRAIN)
    trained = _training(job, settings)
    # Two joins that cost no process: together they pass once all experiments have ended and at least one of them
    # trained, and are skipped where all were. (`all_done_min_one_success` skips as soon as any one was.)
    any_trained = EmptyOperator(task_id="any_trained", trigger_rule=TriggerRule.ONE_SUCCESS)
    all_ended = EmptyOperator(task_id="all_ended", trigger_rule=TriggerRule.ALL_DONE)
    check = stage("check", queue=TRAIN)
    # One experiment's failed check must not keep the champion's release back: the stage looks at its own only.
    release = stage("release", trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    publish = stage("publish")
    embedded = [stage("embed_items")] if recalls(settings) else []
    prune = stage("prune")
    report = ReportOperator(
        task_id="report",
        job=job,
        experiments=experiments,
        asset=measures_of(job),
        trigger_rule=TriggerRule.ALL_DONE,
    )
    # It tells of the tasks that failed, and has nothing to tell of itself.
    red = FailRun(task_id="fail_run", job=job, trigger_rule=TriggerRule.ONE_FAILED, retries=0, on_failure_callback=None)

    wait >> extract >> validate >> id_maps >> features >> trained
    trained >> any_trained
    trained >> all_ended
    [any_trained, all_ended] >> check
    [any_trained, check] >> release >> publish
    chain(publish, *embedded, prune, report)
    [wait, extract, validate, id_maps, features, *trained, check, release, publish, *embedded, prune, report] >> red


def _training(job: str, settings: Mapping[str, Any]) -> list[StageOperator]:
    """A task for each experiment; those of a grid in a group, a blend behind its members."""
    experiments = list(settings["experiments"])

    def train(name: str) -> StageOperator:
        return StageOperator(
            task_id=f"train_{name}",
            job=job,
            stage="experiment",
            experiments=experiments,
            experiment=name,
            depends_on_past=True,
            pool=TRAIN_POOL,
            queue=TRAIN,
            execution_timeout=timedelta(hours=3),
            # Of a blend: a member that failed fails it, one that was left out of the run may be trained already.
            trigger_rule=TriggerRule.NONE_FAILED if members_of(settings, name) else TriggerRule.ALL_SUCCESS,
        )

    with TaskGroup("experiments", prefix_group_id=False):
        grids: Mapping[str, list[str]] = settings.get("grids") or {}
        of_grids = {name for names in grids.values() for name in names}
        trained = [train(name) for name in experiments if name not in of_grids]
        for grid, names in grids.items():
            with TaskGroup(f"grid_{grid}", prefix_group_id=False):
                trained += [train(name) for name in names]
    tasks = {task.experiment: task for task in trained}
    for name in experiments:
        for member in members_of(settings, name):
            tasks[member] >> tasks[name]
    return trained


def report_dag(job: str) -> DAG:
    """The DAG ``JOB_report``: what follows from a day that has ended, off the way of the next one."""
    with DAG(
        dag_id=f"{job}_report",
        description=f"After each day of {job}: its alerts",
        schedule=[measures_of(job)],
        start_date=pendulum.datetime(2009, 1, 1, tz="UTC"),
        catchup=False,
        # Days that end while one run is under way wait for the next, which takes them together.
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args={**RETRY, "execution_timeout": timedelta(minutes=10)},
        tags=["dayspring", job],
    ) as dag:
        AlertsOperator(task_id="alerts", job=job, asset=measures_of(job))
    return dag
