"""What is looked after once a day, whatever the runs of the jobs do."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable, TaskGroup, TriggerRule

from dayspring.daily_dag import EXTRACT, RETRY, TRAIN, TRAIN_POOL
from dayspring.operators import SKIPPED, PipelineOperator
from dayspring.settings import job_names, known_zone_of, schedule_end


def maintenance_dag(*named: str) -> DAG:
    """The DAG ``maintenance``: audit, prune, freshness, late labels and late days of every job, or of the named ones.

    At noon in the zone of the first job, away from the night's runs. A job that has no day yet is skipped. A red task
    is the finding: its log says what is wrong and what to do. Where the data has ended (``DAYSPRING_SCHEDULE_END``) it
    is run by hand only.
    """
    jobs, ended = named or job_names(), schedule_end() is not None
    # One job's broken settings must not keep the others from being looked after.
    zone = next(filter(None, map(known_zone_of, jobs)), "UTC")
    with DAG(
        dag_id="maintenance",
        description="Audit, prune, freshness, late labels and late days of every job",
        schedule=None if ended else CronDataIntervalTimetable("0 12 * * *", timezone=zone),
        start_date=pendulum.datetime(2009, 1, 1, 12, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        default_args=RETRY,
        tags=["dayspring", *jobs],
    ) as dag:
        for job in jobs:
            with TaskGroup(job):
                # What is damaged is damaged the second time too.
                _task(job, "audit", retries=0, execution_timeout=timedelta(hours=3))
                _task(job, "prune")
                _task(job, "late_days", "late-days", retries=1, queue=EXTRACT)
                mature = _task(job, "mature", execution_timeout=timedelta(hours=3), queue=EXTRACT)
                # One day that the source has lost must not keep the others from being trained again.
                rechain = _task(
                    job, "rechain", "rechain", " --if-automatic", queue=TRAIN,
                    pool=TRAIN_POOL, trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(hours=6),
                )  # fmt: skip
                mature >> rechain
                if not ended:
                    _task(job, "freshness", retries=0)
    return dag


def _task(job: str, task: str, command: str = "", options: str = "", **kwargs: object) -> PipelineOperator:
    """The command of this name for the job; exit 99, nothing to do, is a skip."""
    arguments = f"{command or task} --job {job}{options}"
    return PipelineOperator(task_id=task, job=job, arguments=arguments, skip_on_exit_code=SKIPPED, **kwargs)
