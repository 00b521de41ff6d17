"""The days that runs are asked for, by the form or by REST: written as labels, or refused with what to give instead.

Airflow would take any instant for a logical date, also one that names no day. A form that is filled in east or west of
UTC sends the day's beginning there: it becomes the day's label before Airflow sees it, so that a day has one run. A run
without a logical date would fail, and one of the future wait until its time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from dayspring.settings import known_zone_of
from pipeline.days import Day
from pipeline.errors import UsageError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_TRIGGER = re.compile(r".*/api/v2/dags/([a-z][a-z0-9_]*)_daily/dagRuns/?")
_BACKFILL = re.compile(r".*/api/v2/backfills(/dry_run)?/?")
_DAG = re.compile(r"([a-z][a-z0-9_]*)_daily")
RUN = ("logical_date",)
RANGE = ("from_date", "to_date")
_LONGEST = 1_000_000


class DaysAtTheDoor:
    """ASGI middleware of the API server; what asks for no run of a day passes through unchanged."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not _asks_for_days(scope["path"]):
            await self._app(scope, receive, send)
            return
        received = [await receive()]
        while received[-1].get("more_body") and sum(len(each.get("body", b"")) for each in received) < _LONGEST:
            received.append(await receive())
        body = b"".join(each.get("body", b"") for each in received)
        asked = _mapping(body)
        job = _job(scope["path"], asked)
        if job is None:
            await self._app(scope, _again(received, receive), send)
            return
        dates, zone = RUN if _TRIGGER.fullmatch(scope["path"]) else RANGE, known_zone_of(job)
        why = refusal(body, datetime.now(UTC), zone, dates)
        if why is not None:
            await _refuse(send, why)
            return
        written = labelled(body, zone, dates)
        if written != body:
            length = (b"content-length", str(len(written)).encode())
            scope = {**scope, "headers": [*(each for each in scope["headers"] if each[0].lower() != length[0]), length]}
            received = [{"type": "http.request", "body": written, "more_body": False}]
        await self._app(scope, _again(received, receive), send)


def refusal(body: bytes, now: datetime, zone: str | None = None, dates: tuple[str, ...] = RUN) -> str | None:
    """Why no run is made of this request; ``None`` where there is no reason, or Airflow is to judge it.

    Args:
        zone: of the job; ``None`` where its settings cannot be read: the run's first task is then to judge the day.
        dates: the fields of the request that name days.
    """
    asked = _mapping(body)
    if asked is None:
        return None
    if dates == RUN and not asked.get("logical_date"):
        return "A run without a logical date has no day; give the day's date, 00:00 UTC, as the logical date"
    if zone is None:
        return None
    for name in dates:
        given = _instant(asked.get(name))
        if given is None:
            continue
        try:
            day = Day.of_logical_date(given, zone)
            # A backfill leaves out by itself the days of its range that are not over.
            if dates == RUN:
                day.guard_begun(zone, now)
        except UsageError as error:
            return f"{name}: {error}"
    return None


def labelled(body: bytes, zone: str | None, dates: tuple[str, ...] = RUN) -> bytes:
    """The request with every date that names a day by its beginning in ``zone`` as the day's label, 00:00 UTC."""
    asked = _mapping(body)
    if asked is None or zone is None:
        return body
    written = dict(asked)
    for name in dates:
        given = _instant(asked.get(name))
        if given is not None and given != (label := Day.of_logical_date(given, zone).label):
            written[name] = label.isoformat().replace("+00:00", "Z")
    return json.dumps(written).encode() if written != asked else body


def _asks_for_days(path: str) -> bool:
    return bool(_TRIGGER.fullmatch(path) or _BACKFILL.fullmatch(path))


def _job(path: str, asked: dict[str, Any] | None) -> str | None:
    """The job whose day is asked for; ``None`` where it is none of a DAG of ours."""
    if found := _TRIGGER.fullmatch(path):
        return found[1]
    named = _DAG.fullmatch(str((asked or {}).get("dag_id")))
    return named[1] if named else None


def _mapping(body: bytes) -> dict[str, Any] | None:
    """The request's JSON; ``None`` for what is none, which Airflow refuses."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _instant(given: object) -> datetime | None:
    """As Airflow reads it, where it does; a date without a zone is of UTC."""
    # Imported here: only the API server, which has it loaded, ever comes here.
    from pydantic import TypeAdapter, ValidationError

    try:
        found = TypeAdapter(datetime | None).validate_python(given)
    except ValidationError:
        return None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _again(received: list[Message], receive: Receive) -> Receive:
    """What was received, and then what is."""

    async def again() -> Message:
        return received.pop(0) if received else await receive()

    return again


async def _refuse(send: Send, why: str) -> None:
    answer = json.dumps({"detail": why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
