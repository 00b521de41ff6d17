from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.sources.open import open_source


@pytest.mark.parametrize("url", ["/data/school.db", "http://u:pw@host/x", "", "postgresql://u:pw@h/db"])
def test_another_scheme_is_wrong_use_and_names_the_variable(url: str) -> None:
    with pytest.raises(UsageError, match="DAYSPRING_ADS_URL") as failed:
        open_source(url, "DAYSPRING_ADS_URL")
    assert "pw" not in str(failed.value)


@pytest.mark.parametrize("url", ["parquet:", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_url_that_names_nothing(url: str) -> None:
    with pytest.raises(UsageError, match="DAYSPRING_ADS_URL"):
        open_source(url, "DAYSPRING_ADS_URL")
