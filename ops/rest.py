"""A small client of Airflow's REST API, on the standard library."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from ops.deployment import USER, Deployment

# What the answers say of SQLite's one writer being another; some hide the reason itself.
_BUSY = ("locked", "Database error")


class ApiError(Exception):
    """The API refused; ``status`` is the HTTP status, 0 where nothing answered."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Calls to the deployment's own Airflow as its only user."""

    def __init__(self, deployment: Deployment) -> None:
        self._base = deployment.url
        self._password = deployment.password
        self._token = ""

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, query=query)

    def post(self, path: str, body: dict[str, Any], *, retry: bool = True) -> Any:
        """With ``retry`` off, a refusal because SQLite is busy is raised: for calls that leave traces when refused."""
        return self._call("POST", path, body, retry=retry)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("PATCH", path, body)

    def put(self, path: str) -> Any:
        return self._call("PUT", path, {})

    def health(self) -> dict[str, str]:
        """Status by component; empty where nothing answers yet."""
        try:
            answer = self._send("GET", "/api/v2/monitor/health", None, token="")
        except ApiError:
            return {}
        return {name: state.get("status") or "missing" for name, state in answer.items()}

    def runs(self, dag: str, **query: Any) -> list[dict[str, Any]]:
        """All runs of a DAG, earliest day first."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.get(f"/dags/{dag}/dagRuns", limit=100, offset=len(found), order_by="logical_date", **query)
            found += page["dag_runs"]
            if not page["dag_runs"] or len(found) >= page["total_entries"]:
                return found

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        quoted = urllib.parse.quote(run, safe="")
        found: list[dict[str, Any]] = self.get(f"/dags/{dag}/dagRuns/{quoted}/taskInstances", limit=200)[
            "task_instances"
        ]
        return found

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, Any] | None = None,
        *,
        retry: bool = True,
    ) -> Any:
        address = f"/api/v2{path}"
        if query:
            address += "?" + urllib.parse.urlencode(query, doseq=True)
        # SQLite serves one writer at a time: 503 and "database is locked" pass when it is asked again.
        for attempt in range(8):
            try:
                return self._send(method, address, body, self._token or self._login())
            except ApiError as error:
                if error.status == 401 and attempt < 2:
                    self._token = ""
                    continue
                busy = error.status == 503 or (error.status >= 500 and any(word in str(error) for word in _BUSY))
                if not busy or not retry or attempt == 7:
                    raise
                time.sleep(0.5 * (attempt + 1))
        raise AssertionError("unreachable")

    def _login(self) -> str:
        answer = self._send("POST", "/auth/token", {"username": USER, "password": self._password}, token="")
        self._token = answer["access_token"]
        return self._token

    def _send(self, method: str, address: str, body: dict[str, Any] | None, token: str) -> Any:
        request = urllib.request.Request(self._base + address, method=method)
        request.add_header("Accept", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        # No proxy: the address is this machine's own.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, data, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, f"{method} {address}: {error.code} {error.read().decode()[:600]}") from None
        except (urllib.error.URLError, OSError) as error:
            raise ApiError(0, f"{method} {self._base}{address}: {error}") from None
        return json.loads(text) if text else None
