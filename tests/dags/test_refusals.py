"""Runs by hand that can have no day are refused at the door; everything else passes through as it came."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

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

    assert told in str(refusal(body, NOW))


@pytest.mark.parametrize(
    "body", [b'{"logical_date": "2024-03-04T00:00:00Z"}', b'{"logical_date": "no date"}', b"no JSON", b"[]", b""]
)
def test_what_airflow_is_to_judge(body: bytes) -> None:
    from dayspring.refusals import refusal

    assert refusal(body, NOW) is None


def asked(path: str, body: bytes, method: str = "POST") -> tuple[list[bytes], list[dict[str, Any]]]:
    """What reached the app behind, and what was answered; the body comes in two parts."""
    from dayspring.refusals import RefuseDaysThatCannotBe

    parts = [
        {"type": "http.request", "body": body[:5], "more_body": True},
        {"type": "http.request", "body": body[5:], "more_body": False},
    ]
    reached: list[bytes] = []
    answered: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive()).get("more_body"):
            reached.append(message["body"])
        reached.append(message["body"])

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        answered.append(message)

    scope = {"type": "http", "method": method, "path": path}
    asyncio.run(RefuseDaysThatCannotBe(app)(scope, receive, send))
    return reached, answered


def test_a_good_request_passes_whole() -> None:
    body = b'{"logical_date": "2024-03-04T00:00:00Z", "conf": {}}'
    reached, answered = asked(TRIGGER, body)
    assert (b"".join(reached), answered) == (body, [])


@pytest.mark.parametrize("path", ["/api/v2/dags/another/dagRuns", "/api/v2/dags/ads_daily/dagRuns/list", "/dayspring/"])
def test_other_requests_are_not_looked_at(path: str) -> None:
    reached, answered = asked(path, b'{"logical_date": null}')
    assert (b"".join(reached), answered) == (b'{"logical_date": null}', [])


def test_a_refusal_never_reaches_airflow_and_says_why() -> None:
    reached, (start, body) = asked(TRIGGER, b'{"logical_date": null}')
    assert reached == []
    assert start["status"] == 400
    assert json.loads(body["body"])["detail"].startswith("A run without a logical date has no day")
