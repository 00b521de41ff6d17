"""The source of a URL."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.tables import Table
from pipeline.errors import UsageError
from pipeline.sources.base import Source
from pipeline.storage.urls import mask_url


def open_source(url: str, variable: str = "--source", tables: Mapping[str, Table] | None = None) -> Source:
    """The source of a URL: ``sqlite:///FILE``, ``mysql+pymysql://…``, ``hbase://HOST:PORT/``, ``parquet:``, ``files:``.

    Nothing is connected yet. Raises ``UsageError`` naming ``variable``, where the URL came from, for any other.

    Args:
        tables: the job's, for sources that must know the column that holds the day.
    """
    scheme = url.partition(":")[0]
    if scheme == "parquet":
        from pipeline.sources.parquet import ParquetSource

        return ParquetSource(url, variable)
    if scheme == "files":
        from pipeline.sources.files import FileSource

        return FileSource(url, variable, tables or {})
    if scheme == "sqlite":
        from pipeline.sources.sqlite import SqliteSource

        return SqliteSource(url, variable)
    if scheme.partition("+")[0] in ("mysql", "mariadb"):
        from pipeline.sources.mysql import MySqlSource

        return MySqlSource(url, variable)
    if scheme == "hbase":
        from pipeline.sources.hbase.source import HBaseSource

        return HBaseSource(url, variable, tables or {})
    raise UsageError(
        f"{variable}: '{mask_url(url)}' is no source; write sqlite:///FILE, mysql+pymysql://USER:PASSWORD@HOST/DB, "
        "hbase://HOST:PORT/, parquet:FOLDER or files:FOLDER"
    )
