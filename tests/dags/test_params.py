"""The form of a manual run: what it lets through, and what each task makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

ORDINARY: dict[str, Any] = {
    "experiments": ["pooled", "din"], "epochs": None, "learning_rate": None, "read_again": False,
    "train_again": False, "accept": None, "dry_run": False,
}  # fmt: skip
DAY = "2024-03-04"


@pytest.fixture(scope="module")
def dag() -> Any:
    from dayspring.daily_dag import daily_dag

    return daily_dag("ads", "")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that tasks would have run."""
    from airflow.providers.standard.hooks.subprocess import SubprocessHook, SubprocessResult

    commands: list[str] = []

    def run_command(hook: Any, command: list[str], env: dict[str, str], **_: Any) -> SubprocessResult:
        commands.append(command[-1])
        environments.append(env)
        return SubprocessResult(0, "[]")

    environments: list[dict[str, str]] = []
    monkeypatch.setattr(SubprocessHook, "run_command", run_command)
    return commands


def execute(dag: Any, task: str, **asked: Any) -> Any:
    """The task run as Airflow would, its command as far as it was rendered."""
    import copy

    found = copy.copy(dag.task_dict[task])
    found.bash_command = found.bash_command.replace("{{ task.day(logical_date | default(none)) }}", DAY)
    events = {dag.task_dict["report"].asset: SimpleNamespace(extra={})}
    date = datetime(2024, 3, 4, tzinfo=UTC)
    pushed: dict[str, Any] = {}
    context = {
        "logical_date": date, "params": {**ORDINARY, **asked}, "outlet_events": events,
        "ti": SimpleNamespace(xcom_push=pushed.__setitem__),
    }  # fmt: skip
    found.execute(context)
    return pushed


def test_the_defaults_are_those_of_an_ordinary_run(dag: Any) -> None:
    assert dag.params.validate() == ORDINARY
    assert {name: param.schema["type"] for name, param in dag.params.items()}["epochs"] == ["null", "integer"]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("experiments", ["dinn"], "'dinn' is not one of"),
        ("experiments", [], "non-empty|too short"),
        ("epochs", 0, "less than the minimum of 1"),
        ("epochs", 1.5, "not of type"),
        ("learning_rate", 0, "less than or equal to the minimum of 0"),
        ("learning_rate", "fast", "not of type"),
        ("read_again", "yes", "not of type"),
        ("accept", "", "non-empty|too short"),
    ],
)
def test_a_value_that_cannot_be_is_refused(dag: Any, name: str, value: Any, told: str) -> None:
    from airflow.sdk.exceptions import AirflowException

    form = dict(dag.params.items())
    with pytest.raises((AirflowException, ValueError), match=told):
        form[name].resolve(value)


def test_the_report_leaves_what_came_of_the_day(dag: Any, ran: list[str]) -> None:
    assert execute(dag, "report") == {"day": {"day": DAY, "experiments": {}}}


def test_an_ordinary_run_adds_nothing(dag: Any, ran: list[str]) -> None:
    for task in ("extract", "train_din", "release", "report"):
        execute(dag, task)
    assert ran == [
        f'exec "$DAYSPRING_PYTHON" -u -m pipeline stage extract --job ads --day {DAY}',
        f'exec "$DAYSPRING_PYTHON" -u -m pipeline stage experiment --job ads --day {DAY} --experiment din',
        f'exec "$DAYSPRING_PYTHON" -u -m pipeline stage release --job ads --day {DAY}',
        f'exec "$DAYSPRING_PYTHON" -u -m pipeline stage report --job ads --day {DAY} --json',
    ]


def test_what_is_asked_for_becomes_options_of_the_stages_that_it_concerns(dag: Any, ran: list[str]) -> None:
    for task in ("extract", "train_din", "check", "release", "publish"):
        execute(dag, task, experiments=["din"], epochs=3, learning_rate=0.02, read_again=True)
    assert [command.split(f"--day {DAY}")[1] for command in ran] == [
        " --reprocess", " --experiment din --reprocess --epochs 3 --learning-rate 0.02", "", " --experiment din", "",
    ]  # fmt: skip


def test_only_training_is_done_again_on_a_day_as_it_was_read(dag: Any, ran: list[str]) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    for task in ("extract", "validate", "train_din"):
        execute(dag, task, train_again=True)
    assert [command.split(f"--day {DAY}")[1] for command in ran] == ["", "", " --experiment din --reprocess"]
    with pytest.raises(AirflowSkipException):
        execute(dag, "extract", train_again=True, dry_run=True)
    assert ran[-1].endswith(f"--day {DAY} --dry-run --experiment pooled --experiment din --retrain")


def test_the_reason_for_a_bad_day_reaches_its_validation_whole(dag: Any, ran: list[str]) -> None:
    for task in ("extract", "validate", "train_din"):
        execute(dag, task, accept="half of the shops' tills were closed; $(reboot)")
    assert [command.split(f"--day {DAY}")[1] for command in ran] == [
        "", f""" --accept-day {DAY} --reason 'half of the shops'"'"' tills were closed; $(reboot)'""",
        " --experiment din",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "line", "error", "told"),
    [
        (1, "error: mysql is away", "AirflowException", "mysql is away"),
        (2, "error: no such option", "AirflowFailException",
         "no such option (not tried again: it would fail the same way)"),
        (3, "error: 2024-03-03 was never trained", "AirflowFailException",
         "2024-03-03 was never trained (not tried again: it would fail the same way)"),
        (99, "skipped: it holds no rows", "AirflowSkipException", "it holds no rows"),
        (7, "Segmentation", "AirflowException", "it ended with exit code 7; its last line: Segmentation"),
        (-9, "epoch 1", "AirflowException", "it was ended by signal 9"),
    ],
)  # fmt: skip
def test_what_a_stage_says_of_its_failure_is_the_tasks_error(
    dag: Any, monkeypatch: pytest.MonkeyPatch, code: int, line: str, error: str, told: str
) -> None:
    from airflow.providers.standard.hooks.subprocess import SubprocessHook, SubprocessResult
    from airflow.sdk import exceptions

    monkeypatch.setattr(SubprocessHook, "run_command", lambda *_, **__: SubprocessResult(code, line))
    with pytest.raises(Exception) as raised:  # noqa: PT011 the class is compared, not its parents
        execute(dag, "train_din")
    assert (type(raised.value), str(raised.value)) == (getattr(exceptions, error), told)


def test_the_form_is_what_requests_are_held_against(dag: Any) -> None:
    from dayspring.params import FIELDS

    assert tuple(dag.params) == FIELDS


def test_an_experiment_that_is_not_asked_for_is_skipped_inside_its_own_task(dag: Any, ran: list[str]) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException, match="'pooled' is not among the experiments"):
        execute(dag, "train_pooled", experiments=["din"])
    assert ran == []


def test_a_dry_run_prints_the_plan_once_and_runs_nothing(dag: Any, ran: list[str]) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    for task in ("extract", "train_din", "report"):
        with pytest.raises(AirflowSkipException, match="the plan is in the log of `extract`"):
            execute(dag, task, dry_run=True, epochs=3, read_again=True)
    assert ran == [
        f'exec "$DAYSPRING_PYTHON" -u -m pipeline run --job ads --day {DAY} --dry-run '
        "--experiment pooled --experiment din --epochs 3 --reprocess"
    ]


def test_a_run_without_a_date_is_refused_by_every_task_that_would_start(dag: Any, ran: list[str]) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match="no logical date"):
        dag.task_dict["report"].execute({"params": ORDINARY})
    assert ran == []


def test_a_stage_is_told_whom_to_die_with(dag: Any) -> None:
    import os

    env = dag.task_dict["extract"].get_env({"params": ORDINARY, "run_id": "scheduled__2024-03-01"})
    assert env["DAYSPRING_BY"] == "scheduled__2024-03-01"
    assert env["DAYSPRING_DIE_WITH_PARENT"].split(",")[0] == str(os.getpid())
