"""Operators that run one stage of `python -m pipeline` in a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from dayspring.hooks import environment

PROJECT = Path(__file__).resolve().parents[2]
WRONG_USE = 2
SKIPPED = 99


class StageOperator(BashOperator):
    """Runs ``python -m pipeline stage STAGE`` for the run's day, which is its logical date.

    Args:
        experiment: the experiment whose stage it is; such a task is skipped where the stage finds no data (exit 99).

    Connections named ``dayspring_…`` say where the stores are, if the environment does not (see ``hooks``).
    ``DAYSPRING_PYTHON`` names the interpreter (default: Airflow's own). Exit 2, a wrong setting, is not retried.
    """

    def __init__(self, *, job: str, stage: str, experiment: str | None = None, then: str = "", **kwargs: Any) -> None:
        chosen = f" --experiment {experiment}" if experiment else ""
        # `exec` leaves one process to signal; with a second command the shell has to stay.
        prefix = "set -eo pipefail; " if then else "exec "
        command = f'{prefix}"$DAYSPRING_PYTHON" -u -m pipeline stage {stage} --job {job} --day {{{{ ds }}}}{chosen}'
        self.job = job
        super().__init__(
            bash_command=command + then,
            cwd=str(PROJECT),
            skip_on_exit_code=SKIPPED if experiment else None,
            do_xcom_push=False,
            **kwargs,
        )

    def get_env(self, context: Any) -> dict[str, str]:
        env: dict[str, str] = super().get_env(context) | environment(self.job)
        env.setdefault("DAYSPRING_PYTHON", sys.executable)
        return env

    def execute(self, context: Any) -> Any:
        try:
            return super().execute(context)
        except AirflowException as error:
            process = self.subprocess_hook.sub_process
            if process is not None and process.returncode == WRONG_USE:
                raise AirflowFailException("A setting is wrong (see the message above): not retried") from error
            raise


class ReportOperator(StageOperator):
    """The report of the day; its asset event carries the day's measures, as ``measures --json`` prints them."""

    def __init__(self, *, job: str, asset: Asset, **kwargs: Any) -> None:
        # The last line of the output is the operator's result: the JSON alone, on one line.
        then = (
            f'; measures=$("$DAYSPRING_PYTHON" -m pipeline measures --job {job} --day {{{{ ds }}}} --json)'
            """; printf %s "$measures" | tr -d '\\n'"""
        )
        super().__init__(job=job, stage="report", then=then, outlets=[asset], **kwargs)
        self.asset = asset

    def execute(self, context: Any) -> None:
        line = super().execute(context)
        context["outlet_events"][self.asset].extra = {"day": context["ds"], "measures": json.loads(line)}


class FailRun(BaseOperator):
    """Fails, so that a run in which anything failed is red though its last stages went well."""

    def execute(self, context: Any) -> None:
        raise AirflowFailException("At least one task of this run failed: see the red ones")
