"""Airflow connections as the variables by which the pipeline finds its stores.

========================  ======================  ===============================================================
connection                variable                types
========================  ======================  ===============================================================
``dayspring_JOB``         DAYSPRING_JOB_URL       ``mysql``, ``mariadb``: the schema is the database; ``hbase``:
                                                  the schema is a prefix of the tables' names
``dayspring_redis``       DAYSPRING_REDIS_URL     ``redis``: the schema, or ``db`` of the extra, is the number
``dayspring_release``     DAYSPRING_RELEASE_URL   ``aws``: ``bucket``, ``prefix``, ``endpoint_url``,
                                                  ``region_name``, ``aws_session_token`` of the extra
``dayspring_spark``       DAYSPRING_SPARK_MASTER  ``spark``: the host, as ``spark://HOST`` too, and the port
========================  ======================  ===============================================================

What else the extra holds becomes the URL's query. A variable that is set wins over its connection.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException
from airflow.sdk.log import mask_secret


class StoreHook(BaseHook):
    """One store, as the connection ``conn_id`` names it.

    Args:
        variable: the pipeline's variable for it.
    """

    def __init__(self, conn_id: str, variable: str) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.variable = variable

    def settings(self) -> dict[str, str]:
        """The variables to set; none where there is no such connection, or where the variable is set already."""
        if os.environ.get(self.variable):
            return {}
        try:
            return self._settings_from(self.get_connection(self.conn_id))
        except AirflowNotFoundException:
            return {}

    async def asettings(self) -> dict[str, str]:
        """The same, in the triggerer's event loop."""
        if os.environ.get(self.variable):
            return {}
        try:
            return self._settings_from(await self.aget_connection(self.conn_id))
        except AirflowNotFoundException:
            return {}

    def _settings_from(self, connection: Connection) -> dict[str, str]:
        return settings_of(connection, self.variable)


def source_hook(job: str) -> StoreHook:
    """The job's source of rows."""
    return StoreHook(f"dayspring_{job}", f"DAYSPRING_{job.upper()}_URL")


def environment(job: str) -> dict[str, str]:
    """What the connections add to the environment of a stage of ``job``."""
    hooks = (
        source_hook(job),
        StoreHook("dayspring_redis", "DAYSPRING_REDIS_URL"),
        StoreHook("dayspring_release", "DAYSPRING_RELEASE_URL"),
        StoreHook("dayspring_spark", "DAYSPRING_SPARK_MASTER"),
    )
    return {name: value for hook in hooks for name, value in hook.settings().items()}


def settings_of(connection: Connection, variable: str) -> dict[str, str]:
    """The variables that stand for a connection; raises ``AirflowFailException`` for one that cannot be used."""
    make = _MAKERS.get(connection.conn_type)
    if make is None:
        raise AirflowFailException(
            f"connection {connection.conn_id}: of type '{connection.conn_type}'; for {variable} it is one of "
            + ", ".join(_MAKERS)
        )
    if connection.password and (escaped := quote(connection.password, safe="")) != connection.password:
        mask_secret(escaped)  # Airflow masks the password, not the form that it has in a URL
    return make(connection, dict(connection.extra_dejson), variable)


def _mysql(connection: Connection, extra: dict[str, Any], variable: str) -> dict[str, str]:
    files = extra.pop("ssl", {})
    query = {"charset": "utf8mb4"} | extra | {f"ssl_{name}": value for name, value in files.items()}
    return {variable: _url("mysql+pymysql", connection, connection.schema or "", query)}


def _hbase(connection: Connection, extra: dict[str, Any], variable: str) -> dict[str, str]:
    return {variable: _url("hbase", connection, connection.schema or "", extra)}


def _redis(connection: Connection, extra: dict[str, Any], variable: str) -> dict[str, str]:
    scheme = "rediss" if extra.pop("ssl", False) else "redis"
    number = extra.pop("db", None)
    return {variable: _url(scheme, connection, str(connection.schema or number or 0), extra)}


def _aws(connection: Connection, extra: dict[str, Any], variable: str) -> dict[str, str]:
    s3 = extra.get("service_config", {}).get("s3", {})
    bucket = extra.get("bucket") or s3.get("bucket_name")
    if not bucket:
        raise AirflowFailException(f'connection {connection.conn_id}: its extra names no bucket; add "bucket": "NAME"')
    found = {
        variable: f"s3://{bucket}/{extra.get('prefix', 'models')}",
        "AWS_ENDPOINT_URL_S3": s3.get("endpoint_url") or extra.get("endpoint_url"),
        "AWS_ACCESS_KEY_ID": connection.login,
        "AWS_SECRET_ACCESS_KEY": connection.password,
        "AWS_SESSION_TOKEN": extra.get("aws_session_token"),
        "AWS_DEFAULT_REGION": extra.get("region_name"),
    }
    if found["AWS_SESSION_TOKEN"]:
        mask_secret(found["AWS_SESSION_TOKEN"])
    return {name: str(value) for name, value in found.items() if value}


def _spark(connection: Connection, extra: dict[str, Any], variable: str) -> dict[str, str]:
    if not connection.host:
        raise AirflowFailException(f"connection {connection.conn_id}: names no host")
    host = connection.host.removeprefix("spark://")
    return {variable: f"spark://{host}:{connection.port or 7077}"}


_MAKERS: Mapping[str, Callable[[Connection, dict[str, Any], str], dict[str, str]]] = {
    "mysql": _mysql,
    "mariadb": _mysql,
    "hbase": _hbase,
    "redis": _redis,
    "aws": _aws,
    "spark": _spark,
}


def _url(scheme: str, connection: Connection, path: str, query: Mapping[str, Any]) -> str:
    if not connection.host:
        raise AirflowFailException(f"connection {connection.conn_id}: names no host")
    user = quote(connection.login or "", safe="")
    if connection.password:
        user += ":" + quote(connection.password, safe="")
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    place = f"{user}@{host}" if user else host
    port = f":{connection.port}" if connection.port else ""
    options = urlencode(list(_plain(query)))
    return f"{scheme}://{place}{port}/{quote(path, safe='')}" + (f"?{options}" if options else "")


def _plain(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        yield name, str(value).lower() if isinstance(value, bool) else str(value)
