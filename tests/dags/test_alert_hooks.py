"""What Airflow calls when something fails or is late: one alert a cause, and never a second failure."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.days import Day
from pipeline.monitoring.alerts.sent import SentAlerts
from pipeline.monitoring.failures import noted
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore

DAY = "2024-03-04"
LABEL = datetime(2024, 3, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAYSPRING_ROOT", str(tmp_path))
    for name in ("DAYSPRING_ALERT_SMTP_URL", "DAYSPRING_ALERT_WEBHOOK_URL", "DAYSPRING_CONF"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def told(root: Path) -> list[tuple[str, str | None, str]]:
    """Kind, experiment and text of the alerts sent."""
    return [(each["kind"], each["experiment"], each["text"]) for each in SentAlerts(root, "ads").read()]


def failed(task: str, tries: int = 1, error: str = "exit code 1", **more: Any) -> dict[str, Any]:
    """The context of a task of ads_daily that has failed for good."""
    return {
        "ds": DAY, "logical_date": LABEL, "exception": RuntimeError(error), "ti": SimpleNamespace(try_number=tries),
        "task": SimpleNamespace(task_id=task, job="ads", retries=2), **more,
    }  # fmt: skip


def test_a_task_without_a_try_left(root: Path) -> None:
    from dayspring.failures import alert_failure

    alert_failure(failed("extract"))
    alert_failure(failed("train_din", tries=3))
    alert_failure(failed("train_din", tries=3, error="another try, after it was cleared"))
    assert told(root) == [
        ("failure", None, "task extract failed: exit code 1"),
        ("retries_exhausted", "din", "task train_din failed after its last retry: exit code 1"),
    ]


def test_the_stages_own_words_are_told(root: Path) -> None:
    from dayspring.failures import alert_failure

    with pytest.raises(OSError, match="the disk"), noted(root, "ads", Day.parse(DAY), "experiment", "din"):
        raise OSError("the disk of din is gone")
    alert_failure(failed("train_din"))
    assert told(root) == [("failure", "din", "task train_din failed: OSError: the disk of din is gone")]


def test_the_words_of_another_stage_are_not_taken_for_a_tasks_own(root: Path) -> None:
    from dayspring.failures import alert_failure

    with pytest.raises(OSError, match="the disk"), noted(root, "ads", Day.parse(DAY), "validate"):
        raise OSError("the disk is gone")
    alert_failure(failed("audit", error="exit code 1: 3 payloads are damaged"))
    assert told(root) == [("failure", None, "task audit failed: exit code 1: 3 payloads are damaged")]


def test_what_was_killed_is_told_when_the_run_fails(root: Path) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from dayspring.failures import alert_failure
    from dayspring.operators import FailRun

    states = {"train_din": "failed", "train_pooled": "success", "report": "success", "extract": "failed"}

    class Instance:
        @staticmethod
        def get_task_states(dag_id: str, run_ids: list[str]) -> dict[str, Any]:
            assert (dag_id, run_ids) == ("ads_daily", ["run"])
            return {"run": states}

    alert_failure(failed("extract"))
    dag = SimpleNamespace(dag_id="ads_daily")
    context = {"ds": DAY, "logical_date": LABEL, "run_id": "run", "dag": dag, "ti": Instance()}
    with pytest.raises(AirflowFailException, match="At least one task"):
        FailRun(task_id="fail_run", job="ads").execute(context)
    assert told(root) == [
        ("failure", None, "task extract failed: exit code 1"),
        ("failure", "din", "task train_din failed: it was killed; see its log"),
    ]


def test_a_notifier_that_cannot_be_reached_fails_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from dayspring.failures import alert_failure

    monkeypatch.setenv("DAYSPRING_ALERT_SMTP_URL", "smtp://user:s3cr3t@127.0.0.1:1?from=a@b.c&to=d@e.f")
    alert_failure(failed("extract"))
    assert "smtp: 127.0.0.1:1: Connection refused" in caplog.text
    assert "s3cr3t" not in caplog.text
    assert len(told(root)) == 1


def test_a_task_of_no_job_or_day_is_left_to_airflow(root: Path) -> None:
    from dayspring.failures import alert_failure

    alert_failure(failed("extract") | {"ds": None, "logical_date": None})
    alert_failure(failed("extract") | {"task": SimpleNamespace(task_id="any_trained", retries=0)})
    assert told(root) == []


def test_it_is_told_of_the_day_that_the_logical_date_names(root: Path) -> None:
    from dayspring.failures import alert_failure

    # 00:00 of the 4th in Shanghai, where the job's days are; its date in UTC is the day before.
    named = {"ds": "2024-03-03", "logical_date": datetime(2024, 3, 3, 16, tzinfo=UTC)}
    alert_failure(failed("extract") | named)
    # The maintenance runs for no day of the job's: it is told as of its own date.
    alert_failure(failed("audit") | {"ds": "2024-03-03", "logical_date": datetime(2024, 3, 3, 4, tzinfo=UTC)})
    found = {each["what"]: each["day"] for each in SentAlerts(root, "ads").read()}
    assert found == {"extract": DAY, "audit": "2024-03-03"}


def late(run_type: str = "scheduled", **more: Any) -> str:
    from dayspring.deadlines import release_is_late

    run = {"run_type": run_type, "logical_date": f"{DAY}T00:00:00Z", "dag_run_id": "run"}
    return asyncio.run(release_is_late("ads", "04:00", "Asia/Shanghai", context={"dag_run": run}, **more))


def test_a_day_that_is_not_released_in_time(root: Path) -> None:
    assert late() == late() == f"{DAY} is late"
    ((kind, _, text),) = told(root)
    assert kind == "late_release"
    assert text.startswith("not released by 04:00 of 2024-03-05, Asia/Shanghai (release.by)")


def test_a_day_that_was_held_for_its_labels_is_late_after_their_maturity(root: Path) -> None:
    assert late(held_days=3) == f"{DAY} is late"
    assert told(root)[0][2].startswith("not released by 04:00 of 2024-03-08, Asia/Shanghai")


def test_a_run_of_a_backfill_is_not_late(root: Path) -> None:
    assert "not one of the schedule's" in late("backfill")
    assert "not one of the schedule's" in late("manual")
    assert told(root) == []


@pytest.mark.parametrize(
    ("kind", "state", "answer"),
    [
        ("day", "skipped", f"{DAY} was skipped"),
        ("release", "skipped", "has nothing that may be released: the gate blocks it"),
        ("publish", "done", f"{DAY} is released"),
    ],
)
def test_a_day_that_is_done_with_is_not_late(root: Path, kind: str, state: Any, answer: str) -> None:
    with ArtifactStore(root).draft(Ref(kind, "ads", Day.parse(DAY))) as draft:
        draft.commit(key="", digest="", inputs=[], state=state, reason="the gate blocks it")
    assert answer in late()
    assert told(root) == []


class Registered:
    """The asset's events, oldest first, as a task may ask for them."""

    def __init__(self, events: list[SimpleNamespace]) -> None:
        self.events = events

    def after(self, moment: str) -> list[SimpleNamespace]:
        return [event for event in self.events if event.timestamp >= datetime.fromisoformat(moment)]


def test_a_day_whose_event_came_too_late_for_the_run_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.standard.hooks.subprocess import SubprocessHook, SubprocessResult

    from dayspring.daily_dag import report_dag

    def run_command(hook: Any, command: list[str], **_: Any) -> SubprocessResult:
        commands.append(command[-1])
        return SubprocessResult(0, "")

    commands: list[str] = []
    monkeypatch.setattr(SubprocessHook, "run_command", run_command)
    task = report_dag("ads").task_dict["alerts"]
    events = [
        SimpleNamespace(timestamp=datetime(2024, 3, 9, hour, tzinfo=UTC), extra={"day": f"2024-03-0{hour}"})
        for hour in (1, 2, 3)
    ]
    # The run was made for the second event; the third came before the run was there, and started none of its own.
    task.execute(
        {"triggering_asset_events": {"asset": [events[1]]}, "inlet_events": {task.asset: Registered(events)}}
    )
    assert commands[0].endswith("-m pipeline alerts --job ads --day 2024-03-02 --day 2024-03-03")
