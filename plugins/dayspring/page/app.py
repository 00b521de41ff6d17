"""The app: every address needs the UI's login, and shows only jobs whose DAG the user may read."""

from __future__ import annotations

import html
import logging
import os
import re
import shlex
from pathlib import Path
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse, Response

from dayspring.hooks import environment
from dayspring.page import render
from dayspring.page.runs import runs_of
from dayspring.settings import known_zone_of
from pipeline.commands import PROJECT, VARIABLE, beginning, shown
from pipeline.config.load import conf_folder, job_names
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.job import default_root
from pipeline.monitoring.overview.picture import Overview

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_LOG = logging.getLogger(__name__)
_LONGEST = 1000
User = Annotated[BaseUser, Depends(get_user)]


def build() -> FastAPI:
    """The app, over the artefacts and settings that this process's environment names."""
    # No documentation pages: they would be open to anyone and load scripts from elsewhere.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)])
    overview = Overview(default_root().absolute())
    app.add_exception_handler(HTTPException, _refused)

    @app.get("/", response_class=HTMLResponse)
    def show(request: Request, user: User, job: str | None = None, dag_id: str | None = None) -> HTMLResponse:
        jobs = [name for name in overview.jobs(job_names()) if _may_read(user, name)]
        chosen = job if job is not None else _job_of(dag_id, jobs)
        if chosen is not None and chosen not in jobs:
            raise HTTPException(404, f"no job '{chosen}' that you may read; there are: {', '.join(jobs) or 'none'}")
        data = {**_about(overview.root, request), "jobs": jobs}
        if chosen is not None:
            written = {"picture": _written(overview, chosen)}
        else:
            written = {"pictures": f"[{','.join(_written(overview, name) for name in jobs)}]"}
        text, headers = render.page(f"Dayspring: {chosen or 'all jobs'}", data, **written)
        return HTMLResponse(text, headers=headers)

    @app.get("/report/{job}/{day}", response_class=HTMLResponse)
    def report(job: str, day: str, user: User) -> HTMLResponse:
        path = _report_path(overview.root, job, day)
        if path is None or job not in overview.jobs(job_names()) or not _may_read(user, job):
            raise HTTPException(404, f"no report of '{day}' for a job '{job}' that you may read")
        # A report that was cut or overwritten is shown as far as it can be.
        text, headers = render.report(path.read_text(encoding="utf-8", errors="replace"), job, day)
        return HTMLResponse(text, headers=headers)

    return app


async def _refused(request: Request, error: Exception) -> Response:
    """Whoever comes by the page's address without the UI's login is told where that is."""
    assert isinstance(error, HTTPException)
    if error.status_code == 401 and "text/html" in request.headers.get("accept", ""):
        home = html.escape(f"{_airflow(request)}/")
        text = f'<p>Not logged in. <a href="{home}">Log in to Airflow</a>, then open this page again.</p>'
        return HTMLResponse(text, status_code=401, headers=error.headers)
    return await http_exception_handler(request, error)


def _may_read(user: BaseUser, job: str) -> bool:
    return get_auth_manager().is_authorized_dag(method="GET", details=DagDetails(id=dag_of(job)), user=user)


def dag_of(job: str) -> str:
    return f"{job}_daily"


def _job_of(dag_id: str | None, jobs: list[str]) -> str | None:
    """The job that a DAG belongs to; ``None`` for one of all jobs, such as the maintenance."""
    return next((job for job in jobs if dag_id is not None and dag_id.startswith(f"{job}_")), None)


def _about(root: Path, request: Request) -> dict[str, Any]:
    """Where things are: for links into Airflow's UI and for commands to copy."""
    return {
        "airflow": _airflow(request),
        "root": str(root),
        "conf": str(conf_folder()),
        "pipeline": beginning(),
        "demo": None if os.environ.get(VARIABLE) else f"cd {shlex.quote(str(PROJECT))} && make demo",
    }


def _airflow(request: Request) -> str:
    """What the addresses of Airflow's own pages begin with."""
    return str(request.scope.get("root_path", "")).removesuffix("/dayspring")


def _written(overview: Overview, job: str) -> str:
    """The picture of a job as JSON; where it cannot be drawn, what is wrong: the other jobs are drawn all the same."""
    settings = _settings(job)
    begins = {"pipeline": beginning(settings)}
    try:
        return render.as_json(shown({**_picture(overview, job), **begins}, settings))
    except Exception as error:
        _LOG.exception("the picture of job '%s' cannot be drawn", job)
        broken = {"job": job, "broken": f"{type(error).__name__}: {error}"[:_LONGEST]}
        return render.as_json(shown({**broken, **begins}, settings))


def _settings(job: str) -> dict[str, str]:
    """The settings of the job's tasks: what connections add to the environment is theirs too."""
    try:
        return {**os.environ, **environment(job)}
    except Exception:
        _LOG.exception("the connections of job '%s' cannot be read", job)
        return dict(os.environ)


def _picture(overview: Overview, job: str) -> dict[str, Any]:
    picture = overview.picture(job)
    # Labels are the same in every zone; only a run by hand may be named otherwise.
    known = runs_of(dag_of(job), known_zone_of(job) or "UTC")
    first = Day.parse(picture["first"]) if picture["first"] is not None else None
    numbered: dict[str, Any] = {"problem": known.get("problem")}
    for part in ("runs", "tasks"):
        by_day = ((Day.parse(day) - first, value) for day, value in known[part].items()) if first is not None else ()
        numbered[part] = {str(number): value for number, value in by_day if 0 <= number < picture["count"]}
    return {**picture, "dag_id": dag_of(job), "runs": numbered}


def _report_path(root: Path, job: str, day: str) -> Path | None:
    """The report's file; ``None`` for names that are no job and no day, and where there is none."""
    if not _NAME.fullmatch(job):
        return None
    try:
        path = root / "reports" / job / f"{Day.parse(day)}.html"
    except UsageError:
        return None
    inside = path.resolve().is_relative_to((root / "reports").resolve())
    return path if inside and path.is_file() else None
