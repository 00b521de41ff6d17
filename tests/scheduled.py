"""Waiting for what a real scheduler does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ops.rest import Api, ApiError


def wait_for(what: str, seen: Callable[[], bool], patience: float = 240) -> None:
    """Looks once a second until ``seen``; fails after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while not seen():
        assert time.monotonic() < deadline, f"waited {patience:.0f} s for {what}"
        time.sleep(1)


def asset_events(api: Api) -> list[dict[str, Any]]:
    """All events of assets, once Airflow can tell them.

    It answers 500 as long as a run that one of them started is queued (seen with 3.3.2): the run has no start yet.
    """
    found: list[dict[str, Any]] = []

    def told() -> bool:
        try:
            found[:] = api.get("/assets/events", limit=100)["asset_events"]
        except ApiError as error:
            if error.status != 500:
                raise
            return False
        return True

    wait_for("the events of the assets", told, 120)
    return found
