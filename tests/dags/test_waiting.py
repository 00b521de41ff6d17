"""The wait for a day's data: what the sensor and its trigger do with each state."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

CONTEXT: dict[str, Any] = {"ds": "2024-03-04", "params": {"dry_run": False}}


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The answers that the sources will give, in turn; the last one for ever."""
    from dayspring import sensors, triggers

    answers: list[dict[str, str]] = []

    def state_of(job: str, day: str, settings: dict[str, str]) -> dict[str, str]:
        assert (job, day) == ("ads", "2024-03-04")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    monkeypatch.setattr(triggers, "state_of", state_of)
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
    assert fired() == ready
    assert states == [ready]


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
        sensor().execute({"ds": "2999-01-01", "params": {"dry_run": False}})


def test_a_dry_run_waits_for_nothing(states: list[dict[str, str]]) -> None:
    states.append({"state": "waiting", "reason": "no marker yet"})
    assert sensor().execute({"ds": "2024-03-04", "params": {"dry_run": True}}) is None


def fired() -> dict[str, str]:
    """The payload of the trigger's first event."""
    from dayspring.triggers import DayReadyTrigger

    async def first() -> dict[str, str]:
        payload: dict[str, str] = (await anext(DayReadyTrigger("ads", "2024-03-04", 0).run())).payload
        return payload

    return asyncio.run(first())
