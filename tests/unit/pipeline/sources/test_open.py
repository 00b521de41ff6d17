from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.sources.hbase.source import HBaseSource
from pipeline.sources.open import open_source
from pipeline.sources.parquet import ParquetSource
from pipeline.sources.sqlite import SqliteSource


def test_the_scheme_of_the_url_says_which_store(tmp_path: Path) -> None:
    assert isinstance(open_source(f"parquet:{tmp_path}"), ParquetSource)
    assert isinstance(open_source(f"sqlite:///{tmp_path}/school.db"), SqliteSource)
    assert isinstance(open_source("hbase://localhost:9090/", tables={}), HBaseSource)


def test_any_other_is_told_with_its_variable_and_without_its_password() -> None:
    with pytest.raises(UsageError, match=r"DAYSPRING_ADS_URL: 'postgresql://\*\*\*@host/db' is no source"):
        open_source("postgresql://reader:s3cret@host/db", "DAYSPRING_ADS_URL")
