"""Dayspring in Airflow's UI: a page in the navigation, and the same page as a tab of each DAG."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from dayspring.page.lazy import LazyPage
from dayspring.refusals import RefuseDaysThatCannotBe

PREFIX = "/dayspring"


class DayspringPlugin(AirflowPlugin):
    """Registers the page, whose app is built when it is first looked at, and what is refused at the door."""

    name = "dayspring"
    fastapi_apps: ClassVar[list[Any]] = [{"app": LazyPage(), "url_prefix": PREFIX, "name": "dayspring"}]
    fastapi_root_middlewares: ClassVar[list[Any]] = [
        {"middleware": RefuseDaysThatCannotBe, "name": "dayspring refuses runs that can have no day"}
    ]
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
