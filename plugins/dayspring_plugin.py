"""Dayspring in Airflow: a page in the navigation and as a tab of each DAG, when runs start and by when they release."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from dayspring import notes
from dayspring.deadlines import ReleaseBy
from dayspring.page.lazy import LazyPage
from dayspring.refusals import DaysAtTheDoor
from dayspring.timetable import BusinessDays

PREFIX = "/dayspring"


class DayspringPlugin(AirflowPlugin):
    """Registers the page, whose app is built when it is first looked at, and what the DAGs and requests for runs need.

    Airflow refuses a timetable or a reference of a deadline that no plugin registers.
    """

    name = "dayspring"
    fastapi_apps: ClassVar[list[Any]] = [{"app": LazyPage(), "url_prefix": PREFIX, "name": "dayspring"}]
    fastapi_root_middlewares: ClassVar[list[Any]] = [
        {"middleware": DaysAtTheDoor, "name": "dayspring: the day that a run is asked for, or why there is none"}
    ]
    timetables: ClassVar[list[Any]] = [BusinessDays]
    deadline_references: ClassVar[list[Any]] = [ReleaseBy]
    listeners: ClassVar[list[Any]] = [notes]
    external_views: ClassVar[list[Any]] = [
        {
            "name": "Dayspring", "href": f"{PREFIX}/", "destination": "nav", "url_route": "dayspring",
            "nav_top_level": True,
        },
        {
            "name": "Chains and measures", "href": f"{PREFIX}/?dag_id={{DAG_ID}}", "destination": "dag",
            "url_route": "chains",
        },
    ]  # fmt: skip
