"""Between a job's days: what is served is given the vectors of the items that came or changed, once an hour."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable

from dayspring.daily_dag import RETRY, TRAIN
from dayspring.operators import SKIPPED, PipelineOperator
from dayspring.settings import recalls, schedule_end, settings_of, zone_in


def embed_dag(job: str, schedule: str = "20 * * * *") -> DAG:
    """The DAG ``JOB_embed_items`` of a job with two towers; nothing is trained.

    A run looks at the table of items as its source holds it then; it is skipped as long as nothing is served. Where the
    data has ended (``DAYSPRING_SCHEDULE_END``) it is run by hand only.

    Args:
        schedule: a cron expression, in the job's zone.

    Raises:
        ValueError: the job has no experiment with two towers.
    """
    settings = settings_of(job)
    if not recalls(settings):
        raise ValueError(f"job '{job}' has no experiment with two towers, so there are no vectors of items")
    with DAG(
        dag_id=f"{job}_embed_items",
        description=f"Vectors of the items of {job} that came or changed, beside what is served",
        schedule=None
        if schedule_end() is not None
        else CronDataIntervalTimetable(schedule, timezone=zone_in(settings)),
        start_date=pendulum.datetime(2009, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        # The next run looks at all of it again.
        default_args={**RETRY, "retries": 1, "execution_timeout": timedelta(minutes=50)},
        tags=["dayspring", job],
    ) as dag:
        PipelineOperator(
            task_id="embed_items", job=job, arguments=f"embed-items --job {job}", skip_on_exit_code=SKIPPED, queue=TRAIN
        )
    return dag
