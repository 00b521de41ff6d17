"""Sources: where a job's tables are read from, by URL."""

from __future__ import annotations

from pipeline.errors import UsageError
from pipeline.sources.base import Reading, Source, mask_url

__all__ = ["Reading", "Source", "mask_url", "open_source"]


def open_source(url: str, variable: str = "--source") -> Source:
    """The source of a URL: ``sqlite:///FILE``, ``mysql+pymysql://…`` or ``parquet:FOLDER``.

    Nothing is connected yet. Raises ``UsageError`` naming ``variable``, where the URL came from, for any other.
    """
    scheme = url.partition(":")[0]
    if scheme == "parquet":
        from pipeline.sources.parquet import ParquetSource

        return ParquetSource(url, variable)
    if scheme == "sqlite" or scheme.partition("+")[0] in ("mysql", "mariadb"):
        from pipeline.sources.sql import SqlSource

        return SqlSource(url, variable)
    raise UsageError(
        f"{variable}: '{mask_url(url)}' is no source; write sqlite:///FILE, mysql+pymysql://USER:PASSWORD@HOST/DB "
        "or parquet:FOLDER"
    )
