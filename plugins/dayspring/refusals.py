"""The days that runs are asked for, by the form or by REST: written as labels, or refused with what to give instead.

Airflow would take any instant for a logical date, also one that names no day. A form that is filled in east or west of
UTC sends the day's beginning there: it becomes the day's label before Airflow sees it, so that a day has one run. A run
without a logical date would fail, one of the future wait until its time, and one after the schedule's end be green
without a task, a day that later ones then take for done. What Airflow answers where a day has a run already, or a
backfill is under way, is said in words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from dayspring.params import FIELDS
from dayspring.settings import known_zone_of, schedule_end
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
_CONF = ("conf", "dag_run_conf")
_CONFLICT = 409
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
        if job is None or asked is None:
            await self._app(scope, _again(received, receive), send)
            return
        dates, zone = RUN if _TRIGGER.fullmatch(scope["path"]) else RANGE, known_zone_of(job)
        why = refusal(body, datetime.now(UTC), zone, dates, _last_day())
        if why is not None:
            await _refuse(send, why)
            return
        written = labelled(body, zone, dates)
        if written != body:
            length = (b"content-length", str(len(written)).encode())
            scope = {**scope, "headers": [*(each for each in scope["headers"] if each[0].lower() != length[0]), length]}
            received = [{"type": "http.request", "body": written, "more_body": False}]
        await self._app(scope, _again(received, receive), _in_words(send, _conflict(job, json.loads(written), dates)))


def refusal(
    body: bytes, now: datetime, zone: str | None = None, dates: tuple[str, ...] = RUN, last: Day | None = None
) -> str | None:
    """Why no run is made of this request; ``None`` where there is no reason, or Airflow is to judge it.

    Args:
        zone: of the job; ``None`` where its settings cannot be read: the run's first task is then to judge the day.
        dates: the fields of the request that name days.
        last: the schedule's last day, after which no task would run.
    """
    asked = _mapping(body)
    if asked is None:
        return None
    if dates == RUN and not asked.get("logical_date"):
        return "A run without a logical date has no day; give the day's date, 00:00 UTC, as the logical date"
    if (unknown := _unknown(asked)) is not None:
        return unknown
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
        if last is not None and day > last:
            return (
                f"{name}: {day} is after {last}, with which the schedule ends: its run would be green without a task. "
                f"Start Airflow with a later DAYSPRING_SCHEDULE_END (`DAYSPRING_SCHEDULE_END={day} make airflow`), or "
                "without one"
            )
    return None


def _unknown(asked: dict[str, Any]) -> str | None:
    """What a run is asked for that is no field of its form, in words."""
    # Imported here: every component of Airflow imports this module, the API server alone comes here.
    from models.options import meant

    for name in _CONF:
        for key in asked.get(name) or {} if isinstance(asked.get(name), dict) else {}:
            if key not in FIELDS:
                return f"{name}: '{key}'{meant(key, FIELDS)} is none of {', '.join(FIELDS)}"
    return None


def _last_day() -> Day | None:
    """The schedule's last day; ``None`` too where the setting is none, which the DAG says as it is loaded."""
    try:
        return schedule_end()
    except UsageError:
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


def _conflict(job: str, asked: dict[str, Any], dates: tuple[str, ...]) -> str:
    """What to do where there is a run, or a backfill, already."""
    if dates == RANGE:
        return (
            f"{job}_daily has a backfill under way, and one is made at a time: wait until it has ended, or cancel it "
            f"(in the UI at the top of the DAG; PUT /api/v2/backfills/ID/cancel), and ask again"
        )
    return (
        f"{str(asked.get('logical_date'))[:10]} has a run already. To go on with it, clear its failed tasks; to read a "
        "corrected source, clear `extract` of a day that validation refused. To ask for something else (read again, "
        "train again, accept), delete that run, which removes no artefact, and trigger the day again"
    )


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


def _in_words(send: Send, conflict: str) -> Send:
    """Answers as they come, but for a conflict, of which Airflow tells the database's error."""
    refused = False

    async def told(message: Message) -> None:
        nonlocal refused
        if message["type"] == "http.response.start" and message["status"] == _CONFLICT:
            refused = True
            await _refuse(send, conflict, _CONFLICT)
        elif not refused:
            await send(message)

    return told


async def _refuse(send: Send, why: str, status: int = 400) -> None:
    answer = json.dumps({"detail": why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
