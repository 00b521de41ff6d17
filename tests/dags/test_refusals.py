"""Runs that are asked for: a day's beginning in the job's zone becomes its label, what names no day is refused.

Everything else passes through as it came.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.days import Day

NOW = datetime(2024, 3, 4, 12, tzinfo=UTC)
TRIGGER = "/api/v2/dags/ads_daily/dagRuns"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"logical_date": null}', "without a logical date"),
        (b'{"conf": {}}', "without a logical date"),
        (b'{"logical_date": "2024-03-05T00:00:00Z"}', "2024-03-05 is in the future"),
        (b'{"logical_date": "2024-03-05"}', "2024-03-05 is in the future"),
    ],
)
def test_a_day_that_cannot_be(body: bytes, told: str) -> None:
    from dayspring.refusals import refusal

    assert told in str(refusal(body, NOW, "Asia/Shanghai"))


@pytest.mark.parametrize(
    "body", [b'{"logical_date": "2024-03-04T00:00:00Z"}', b'{"logical_date": "no date"}', b"no JSON", b"[]", b""]
)
def test_what_airflow_is_to_judge(body: bytes) -> None:
    from dayspring.refusals import labelled, refusal

    assert refusal(body, NOW, "Asia/Shanghai") is None
    assert labelled(body, "Asia/Shanghai") == body


@pytest.mark.parametrize(
    ("zone", "sent", "day"),
    [
        ("Asia/Shanghai", "2024-02-27T00:00:00+08:00", "2024-02-27"),
        ("Asia/Shanghai", "2024-02-26T16:00:00.000Z", "2024-02-27"),  # as a browser writes it
        ("Asia/Shanghai", 1708963200, "2024-02-27"),  # the same as seconds, which Airflow reads too
        ("Asia/Kolkata", "2024-02-26T18:30:00Z", "2024-02-27"),
        ("America/New_York", "2023-03-13T00:00:00-04:00", "2023-03-13"),
        ("Africa/Cairo", "2023-04-28T01:00:00+03:00", "2023-04-28"),  # its first instant: the clocks were set at 00:00
        ("Pacific/Kiritimati", "2024-02-27T00:00:00+14:00", "2024-02-27"),
    ],
)
def test_a_days_beginning_is_written_as_its_label(zone: str, sent: object, day: str) -> None:
    from dayspring.refusals import RANGE, labelled, refusal

    body = json.dumps({"logical_date": sent, "conf": {"epochs": 2}, "note": "é"}).encode()
    assert refusal(body, NOW, zone) is None
    assert json.loads(labelled(body, zone)) == {"logical_date": f"{day}T00:00:00Z", "conf": {"epochs": 2}, "note": "é"}
    ends = json.dumps({"from_date": sent, "to_date": sent, "max_active_runs": 3}).encode()
    assert refusal(ends, NOW, zone, RANGE) is None
    written = {"from_date": f"{day}T00:00:00Z", "to_date": f"{day}T00:00:00Z", "max_active_runs": 3}
    assert json.loads(labelled(ends, zone, RANGE)) == written


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("2024-02-27T00:00:00+09:00", "2024-02-26"),
        ("2024-02-27T00:00:00-05:00", "2024-02-27"),
        ("2024-02-27T08:00:00Z", "2024-02-27"),
        ("2024-02-27T23:30:00Z", "2024-02-28"),
    ],
)
def test_what_names_no_day_is_refused_with_the_date_to_give(sent: str, day: str) -> None:
    from dayspring.refusals import RANGE, refusal

    why = str(refusal(json.dumps({"logical_date": sent}).encode(), NOW, "Asia/Shanghai"))
    assert why.startswith("logical_date: 2024-02-2")
    assert why.endswith(f"for the {day} give {day}T00:00:00+00:00")
    for name in RANGE:
        ends = {"from_date": "2024-02-01T00:00:00Z", "to_date": "2024-03-01T00:00:00Z", name: sent}
        why = str(refusal(json.dumps(ends).encode(), NOW, "Asia/Shanghai", RANGE))
        assert why.startswith(f"{name}: ")
        assert why.endswith(f"for the {day} give {day}T00:00:00+00:00")


@pytest.mark.parametrize("sent", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "9999-12-31T16:00:00Z"])
def test_an_instant_beyond_all_days_is_refused(sent: str) -> None:
    from dayspring.refusals import refusal

    why = str(refusal(json.dumps({"logical_date": sent}).encode(), NOW, "Asia/Shanghai"))
    assert "is beyond the days that there are" in why


def test_whether_a_day_has_begun_is_told_by_the_clocks_of_the_jobs_zone() -> None:
    from dayspring.refusals import RANGE, refusal

    body = b'{"logical_date": "2024-03-05T00:00:00Z"}'
    assert refusal(body, datetime(2024, 3, 4, 16, tzinfo=UTC), "Asia/Shanghai") is None
    why = refusal(body, datetime(2024, 3, 4, 15, 59, tzinfo=UTC), "Asia/Shanghai")
    assert "the business day is 2024-03-04 in Asia/Shanghai" in str(why)
    assert refusal(body, datetime(2024, 3, 5, 4, tzinfo=UTC), "America/New_York") is not None
    # Of a backfill's range the days that are not over are left out by Airflow.
    assert refusal(b'{"to_date": "2124-01-01T00:00:00Z"}', NOW, "Asia/Shanghai", RANGE) is None


@pytest.mark.parametrize("dates", [("logical_date",), ("from_date", "to_date")])
def test_no_day_after_the_schedules_end_has_a_run(dates: tuple[str, ...]) -> None:
    from dayspring.refusals import refusal

    def asked(day: str) -> str | None:
        return refusal(json.dumps({dates[-1]: f"{day}T00:00:00Z"}).encode(), NOW, "UTC", dates, Day.parse("2024-02-28"))

    assert asked("2024-02-28") is None
    assert str(asked("2024-02-29")).startswith(
        f"{dates[-1]}: 2024-02-29 is after 2024-02-28, with which the schedule ends"
    )


def test_what_a_run_cannot_be_asked_for_is_named_with_what_is_nearest() -> None:
    from dayspring.refusals import RANGE, refusal

    told = refusal(b'{"logical_date": "2024-03-04T00:00:00Z", "conf": {"epoch": 2}}', NOW, "UTC")
    assert str(told).startswith("conf: 'epoch' (is 'epochs' meant?) is none of experiments, epochs, ")
    assert str(refusal(b'{"dag_run_conf": {"x": 1}}', NOW, "UTC", RANGE)).startswith("dag_run_conf: 'x' is none of")
    assert refusal(b'{"logical_date": "2024-03-04", "conf": {"epochs": 2}}', NOW, "UTC") is None
    assert refusal(b'{"logical_date": "2024-03-04", "conf": null}', NOW, "UTC") is None


def test_where_the_settings_cannot_be_read_the_first_task_is_to_judge() -> None:
    from dayspring.refusals import labelled, refusal

    body = b'{"logical_date": "2024-02-27T10:00:00Z"}'
    assert refusal(body, NOW, None) is None
    assert labelled(body, None) == body


def asked(
    path: str, body: bytes, method: str = "POST", answers: int | None = None
) -> tuple[list[bytes], list[dict[str, Any]]]:
    """What reached the app behind, and what was answered; the body comes in two parts."""
    from dayspring.refusals import DaysAtTheDoor

    parts = [
        {"type": "http.request", "body": body[:5], "more_body": True},
        {"type": "http.request", "body": body[5:], "more_body": False},
    ]
    reached: list[bytes] = []
    answered: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        lengths.append(int(dict(scope["headers"])[b"content-length"]))
        while (message := await receive()).get("more_body"):
            reached.append(message["body"])
        reached.append(message["body"])
        if answers is not None:
            await send({"type": "http.response.start", "status": answers, "headers": []})
            await send({"type": "http.response.body", "body": b"UNIQUE constraint failed"})

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        answered.append(message)

    lengths: list[int] = []
    headers = [(b"host", b"x"), (b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    asyncio.run(DaysAtTheDoor(app)(scope, receive, send))
    assert lengths == [len(b"".join(reached))] * bool(reached)
    assert dict(scope["headers"])[b"content-length"] == str(len(body)).encode()  # another's: left as it was
    return reached, answered


def test_what_is_no_json_is_airflows_to_refuse() -> None:
    for body in (b"logical_date=2024-03-04", b'["2024-03-04"]'):
        reached, answered = asked(TRIGGER, body)
        assert (b"".join(reached), answered) == (body, [])


def test_a_good_request_passes_whole() -> None:
    body = b'{"logical_date": "2024-03-04T00:00:00Z", "conf": {}}'
    reached, answered = asked(TRIGGER, body)
    assert (b"".join(reached), answered) == (body, [])


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (TRIGGER, "2024-03-04 has a run already. To go on with it, clear its failed tasks;"),
        ("/api/v2/backfills", "ads_daily has a backfill under way, and one is made at a time: wait until it has ended"),
    ],
)
def test_what_there_is_already_is_told_in_words(path: str, told: str) -> None:
    body = b'{"dag_id": "ads_daily", "logical_date": "2024-03-04T00:00:00Z"}'
    _, (start, said) = asked(path, body, answers=409)
    assert start["status"] == 409
    assert json.loads(said["body"])["detail"].startswith(told)
    _, (start, said) = asked(path, body, answers=503)
    assert (start["status"], said["body"]) == (503, b"UNIQUE constraint failed")


@pytest.mark.parametrize("path", [TRIGGER, f"{TRIGGER}/", f"/behind/a/proxy{TRIGGER}"])
def test_a_days_beginning_reaches_airflow_as_its_label(path: str) -> None:
    reached, answered = asked(path, b'{"logical_date": "2024-02-26T16:00:00Z", "conf": {}}')
    assert answered == []
    assert json.loads(b"".join(reached)) == {"logical_date": "2024-02-27T00:00:00Z", "conf": {}}


@pytest.mark.parametrize("path", ["/api/v2/backfills", "/api/v2/backfills/dry_run"])
def test_a_backfills_ends_too(path: str) -> None:
    ends = {"dag_id": "ads_daily", "from_date": "2024-02-26T00:00:00+08:00", "to_date": "2024-02-29T00:00:00+08:00"}
    reached, _ = asked(path, json.dumps(ends).encode())
    labels = {"from_date": "2024-02-26T00:00:00Z", "to_date": "2024-02-29T00:00:00Z"}
    assert json.loads(b"".join(reached)) == ends | labels
    for other in ("another", "report_of_daily_things", None):
        body = json.dumps(ends | {"dag_id": other}).encode()
        assert b"".join(asked(path, body)[0]) == body
    reached, (start, told) = asked(path, json.dumps(ends | {"to_date": "2024-02-29T10:00:00Z"}).encode())
    assert (reached, start["status"]) == ([], 400)
    assert json.loads(told["body"])["detail"].endswith("for the 2024-02-29 give 2024-02-29T00:00:00+00:00")


@pytest.mark.parametrize("path", ["/api/v2/dags/another/dagRuns", "/api/v2/dags/ads_daily/dagRuns/list", "/dayspring/"])
def test_other_requests_are_not_looked_at(path: str) -> None:
    reached, answered = asked(path, b'{"logical_date": null}')
    assert (b"".join(reached), answered) == (b'{"logical_date": null}', [])


def test_a_refusal_never_reaches_airflow_and_says_why() -> None:
    reached, (start, body) = asked(TRIGGER, b'{"logical_date": null}')
    assert reached == []
    assert start["status"] == 400
    assert json.loads(body["body"])["detail"].startswith("A run without a logical date has no day")
