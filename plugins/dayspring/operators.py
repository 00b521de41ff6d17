"""Operators that run one command of `python -m pipeline` in a process of its own."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from dayspring.failures import alert_failed_tasks
from dayspring.hooks import environment
from dayspring.notes import DAY_RESULT, day_result
from dayspring.params import Asked
from dayspring.run_days import day_of, day_to_tell
from dayspring.settings import PROJECT

LASTING = (2, 3)
"""Wrong use, and what fails the same way until somebody changes something."""
SKIPPED = 99
_CAUSE = re.compile(r"(?:error|skipped): (.*)")


class PipelineOperator(BashOperator):
    """Runs ``python -m pipeline ARGUMENTS`` as a child that dies with its task, and with the scheduler.

    Args:
        job: whose connections the command gets.
        arguments: of the command; a template.

    Connections named ``dayspring_…`` say where the stores are, if the environment does not (see ``hooks``).
    ``DAYSPRING_PYTHON`` names the interpreter (default: Airflow's own). What the command says of its failure is the
    task's error; what would fail the same way again is not retried.
    """

    def __init__(self, *, job: str, arguments: str, skip_on_exit_code: int | None = None, **kwargs: Any) -> None:
        self.job = job
        super().__init__(
            bash_command=command_of(arguments),
            cwd=str(PROJECT),
            skip_on_exit_code=skip_on_exit_code,
            do_xcom_push=False,
            **kwargs,
        )

    def get_env(self, context: Any) -> dict[str, str]:
        # Imported here: the DAG's file is parsed without anything of the pipeline.
        from pipeline.process.parents import VARIABLE, workers

        env: dict[str, str] = super().get_env(context) | environment(self.job)
        env.setdefault("DAYSPRING_PYTHON", sys.executable)
        env[VARIABLE] = workers()
        if run := context.get("run_id"):
            env["DAYSPRING_BY"] = str(run)  # in the ledger of releases
        return env

    def execute(self, context: Any) -> Any:
        bash = shutil.which("bash") or "bash"
        ran = self.subprocess_hook.run_command(
            [bash, "-c", self.bash_command], env=self.get_env(context), cwd=str(PROJECT)
        )
        if ran.exit_code == 0:
            return ran.output
        said = _CAUSE.fullmatch(ran.output)
        why = said[1] if said else f"it ended with exit code {ran.exit_code}; its last line: {ran.output}"
        if ran.exit_code < 0:
            why = f"it was ended by signal {-ran.exit_code}"
        if ran.exit_code in self.skip_on_exit_code:
            raise AirflowSkipException(why)
        if ran.exit_code in LASTING:
            raise AirflowFailException(f"{why} (not tried again: it would fail the same way)")
        raise AirflowException(why)


def command_of(arguments: str) -> str:
    """The shell's command; `exec` leaves one process to signal."""
    return f'exec "$DAYSPRING_PYTHON" -u -m pipeline {arguments}'


DAY = "{{ task.day(logical_date | default(none)) }}"


class StageOperator(PipelineOperator):
    """Runs ``python -m pipeline stage STAGE`` for the run's day, the one that its logical date names.

    Args:
        experiments: all of the job's; a run may have been asked for some of them only.
        experiment: the one whose stage it is; such a task is skipped where the stage finds no data (exit 99).
    """

    def __init__(
        self,
        *,
        job: str,
        stage: str,
        experiments: Sequence[str],
        experiment: str | None = None,
        options: str = "",
        **kwargs: Any,
    ) -> None:
        chosen = f" --experiment {experiment}" if experiment else ""
        arguments = f"stage {stage} --job {job} --day {DAY}{chosen}{options}"
        # Behind the experiments' own tasks a skip breaks no order of days.
        may_skip = SKIPPED if stage in ("experiment", "release") else None
        super().__init__(job=job, arguments=arguments, skip_on_exit_code=may_skip, **kwargs)
        self.stage = stage
        self.experiments = list(experiments)
        self.experiment = experiment

    def day(self, logical_date: datetime | None) -> str:
        """For the template, which without a day is still one: `execute` then says what is wrong."""
        return day_to_tell(self.job, {"logical_date": logical_date}) or ""

    def execute(self, context: Any) -> Any:
        day = day_of(self.job, context)
        asked = Asked.of(context, self.experiments)
        if asked.dry_run:
            self._plan(context, asked, day)
        if self.experiment is not None and self.experiment not in asked.experiments:
            raise AirflowSkipException(f"'{self.experiment}' is not among the experiments that this run was asked for")
        self.bash_command += asked.flags(self.stage, day)
        return super().execute(context)

    def _plan(self, context: Any, asked: Asked, day: str) -> None:
        """The first stage prints the plan of them all; no stage runs."""
        if self.stage == "extract":
            self.bash_command = command_of(f"run --job {self.job} --day {day} --dry-run{asked.plan_flags()}")
            super().execute(context)
        raise AirflowSkipException(
            "A dry run: the plan is in the log of `extract`. To run it, delete this run and trigger the day again"
        )


class ReportOperator(StageOperator):
    """The report of the day; its asset event carries the day's measures, as ``measures --json`` prints them.

    What came of the day is its XCom: the day, and of each tested experiment the verdict and the measures.
    """

    def __init__(self, *, asset: Asset, **kwargs: Any) -> None:
        super().__init__(stage="report", options=" --json", outlets=[asset], **kwargs)
        self.asset = asset

    def execute(self, context: Any) -> None:
        # The last line of the output is the operator's result.
        line = super().execute(context)
        day, measures = day_of(self.job, context), json.loads(line)
        context["outlet_events"][self.asset].extra = {"day": day, "measures": measures}
        context["ti"].xcom_push(DAY_RESULT, day_result(day, measures))


class AlertsOperator(PipelineOperator):
    """Sends the alerts of the days whose asset events started the run; of its own day where it was started by hand."""

    def __init__(self, *, job: str, asset: Asset, **kwargs: Any) -> None:
        super().__init__(job=job, arguments=f"alerts --job {job}", inlets=[asset], **kwargs)
        self.asset = asset

    def execute(self, context: Any) -> Any:
        events = [event for each in context["triggering_asset_events"].values() for event in each]
        if events:
            # A run is given the events up to the first that asked for it. One that came between that and the run's
            # creation is given to nobody until yet another comes, so each run also takes what has come since.
            first = min(event.timestamp for event in events)
            events += context["inlet_events"][self.asset].after(first.isoformat())
        days = sorted({str(event.extra["day"]) for event in events if "day" in (event.extra or {})})
        self.bash_command += "".join(f" --day {day}" for day in days or [day_of(self.job, context)])
        return super().execute(context)


class FailRun(BaseOperator):
    """Fails, so that a run in which anything failed is red though its last stages went well.

    What failed is told here too: a task that was killed with its process had no time to.
    """

    def __init__(self, *, job: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job

    def execute(self, context: Any) -> None:
        alert_failed_tasks(context, self.job)
        raise AirflowFailException("At least one task of this run failed: see the red ones")
