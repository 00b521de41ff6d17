"""The wait for a day's data: what the sensor and its trigger do with each state."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.monitoring.alerts.sent import SentAlerts

LABEL = datetime(2024, 3, 4, tzinfo=UTC)
CONTEXT: dict[str, Any] = {"logical_date": LABEL, "params": {"dry_run": False}}


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The answers that the sources will give, in turn; the last one for ever."""
    from dayspring import sensors, triggers

    answers: list[dict[str, str]] = []

    def reason(number: int) -> str:
        return answers[number]["reason"]

    def state_of(job: str, day: str, settings: dict[str, str]) -> dict[str, str]:
        assert (job, day) == ("ads", "2024-03-04")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    monkeypatch.setattr(triggers, "state_of", state_of)
    monkeypatch.setattr(triggers, "lacks_of", lambda *_: "impressions: not marked" if "deadline" in reason(0) else "")
    monkeypatch.setattr(sensors, "state_of", state_of)
    return answers


def sensor() -> Any:
    from dayspring.sensors import DayReadySensor

    return DayReadySensor(task_id="wait", job="ads", poll_seconds=0)


@pytest.mark.parametrize("state", ["ready", "empty", "late"])
def test_a_day_that_will_not_change_goes_on_at_once(states: list[dict[str, str]], state: str) -> None:
    states.append({"state": state, "reason": "because"})
    assert sensor().execute(CONTEXT) is None


def test_a_day_that_may_still_come_is_deferred(states: list[dict[str, str]]) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    states.append({"state": "waiting", "reason": "no marker yet"})
    with pytest.raises(TaskDeferred) as deferred:
        sensor().execute(CONTEXT)
    assert deferred.value.method_name == "go_on"
    assert deferred.value.trigger.serialize() == (
        "dayspring.triggers.DayReadyTrigger",
        {"job": "ads", "day": "2024-03-04", "poll_seconds": 0},
    )


def test_the_trigger_fires_when_the_day_is_there(states: list[dict[str, str]]) -> None:
    waiting, ready = {"state": "waiting", "reason": "no marker"}, {"state": "ready", "reason": "marker there"}
    states += [waiting, waiting, ready]
    assert fired() == {**ready, "without": ""}
    assert len(states) == 1


def test_the_last_look_is_when_the_wait_ends(states: list[dict[str, str]], monkeypatch: Any) -> None:
    from dayspring import triggers

    slept: list[float] = []
    until = datetime.now(UTC) + timedelta(seconds=30)
    states += [
        {"state": "waiting", "reason": "no marker", "until": (until + timedelta(hours=1)).isoformat()},
        {"state": "waiting", "reason": "no marker", "until": until.isoformat()},
        {"state": "waiting", "reason": "no marker", "until": (until - timedelta(hours=1)).isoformat()},
        {"state": "ready", "reason": "the deadline has passed"},
    ]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(triggers.asyncio, "sleep", sleep)
    assert fired(poll_seconds=60)["state"] == "ready"
    assert slept[0] == 60
    assert 0 < slept[1] <= 30
    assert 0 < slept[2] < 1  # it is over, and is looked at again at once


def test_what_is_taken_at_the_deadline_is_told_with_what_it_comes_without(
    states: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DAYSPRING_ROOT", str(tmp_path))
    states += [{"state": "waiting", "reason": "no marker"}, {"state": "ready", "reason": "the deadline has passed"}]
    event = fired()
    assert event["without"] == "impressions: not marked"
    with caplog.at_level("INFO"):
        sensor().go_on(CONTEXT, event)
    (alert,) = SentAlerts(tmp_path, "ads").read()
    assert (alert["kind"], alert["day"], alert["what"]) == ("late_day", "2024-03-04", "taken")
    assert alert["text"].startswith("taken at its deadline without impressions: not marked; ")
    assert "--from 2024-03-04 --to 2024-03-04 --reprocess" in alert["text"]


def test_an_unreachable_source_fails_the_task_with_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowException

    from dayspring import triggers
    from pipeline.errors import SourceError

    def unreachable(job: str, day: str, settings: dict[str, str]) -> dict[str, str]:
        raise SourceError("mysql at db:3306 does not answer")

    monkeypatch.setattr(triggers, "state_of", unreachable)
    event = fired()
    assert event["state"] == "error"
    with pytest.raises(AirflowException, match="does not answer"):
        sensor().go_on(CONTEXT, event)


def test_a_run_without_a_date_is_refused() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match="no logical date"):
        sensor().execute({})


def test_a_day_in_the_future_is_refused_and_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match="2999-01-01 is in the future"):
        sensor().execute({"logical_date": LABEL.replace(year=2999, month=1, day=1), "params": {"dry_run": False}})


def test_a_dry_run_waits_for_nothing(states: list[dict[str, str]]) -> None:
    states.append({"state": "waiting", "reason": "no marker yet"})
    assert sensor().execute({"logical_date": LABEL, "params": {"dry_run": True}}) is None


def test_a_days_beginning_in_the_jobs_zone_is_that_day(states: list[dict[str, str]]) -> None:
    states.append({"state": "ready", "reason": "there"})
    # 00:00 in Shanghai; the fixture looks at the day that is asked for.
    assert sensor().execute({**CONTEXT, "logical_date": datetime(2024, 3, 3, 16, tzinfo=UTC)}) is None


def test_a_logical_date_that_names_no_day_is_refused_with_the_date_to_give() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match=r"for the 2024-03-04 give 2024-03-04T00:00:00\+00:00"):
        sensor().execute({**CONTEXT, "logical_date": datetime(2024, 3, 4, 10, 30, tzinfo=UTC)})


def fired(poll_seconds: float = 0) -> dict[str, str]:
    """The payload of the trigger's first event."""
    from dayspring.triggers import DayReadyTrigger

    async def first() -> dict[str, str]:
        payload: dict[str, str] = (await anext(DayReadyTrigger("ads", "2024-03-04", poll_seconds).run())).payload
        return payload

    return asyncio.run(first())
