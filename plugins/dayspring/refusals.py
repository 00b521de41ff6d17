"""Runs by hand that can have no day are refused when they are asked for, by the form or by REST.

Airflow would take a run without a logical date, which then fails, and keep one of the future waiting until its time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_TRIGGER = re.compile(r"/api/v2/dags/[a-z][a-z0-9_]*_daily/dagRuns/?")
_LONGEST = 1_000_000


class RefuseDaysThatCannotBe:
    """ASGI middleware of the API server; whatever it does not refuse passes through unchanged."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not _TRIGGER.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        received = [await receive()]
        while received[-1].get("more_body") and sum(len(each.get("body", b"")) for each in received) < _LONGEST:
            received.append(await receive())
        why = refusal(b"".join(each.get("body", b"") for each in received), datetime.now(UTC))
        if why is None:

            async def again() -> Message:
                return received.pop(0) if received else await receive()

            await self._app(scope, again, send)
            return
        answer = json.dumps({"detail": why}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def refusal(body: bytes, now: datetime) -> str | None:
    """Why no run is made of this request; ``None`` where Airflow is to judge it."""
    try:
        asked = json.loads(body)
        given = asked.get("logical_date")
        date = datetime.fromisoformat(given) if given else None
    except (ValueError, TypeError, AttributeError):
        return None
    if date is None:
        return "A run without a logical date has no day; give the day's date, 00:00 UTC, as the logical date"
    if (date if date.tzinfo else date.replace(tzinfo=UTC)) > now:
        return f"{date.date()} is in the future; give the date of a day that has begun"
    return None
