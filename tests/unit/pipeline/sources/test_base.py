from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.sources import mask_url, open_source


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("mysql+pymysql://reader:s3cret@db:3306/school", "mysql+pymysql://reader:***@db:3306/school"),
        ("mysql+pymysql://reader:a@b:c/d@db/school", "mysql+pymysql://reader:***@db/school"),
        ("mysql+pymysql://reader:s@db/school?password=x&charset=utf8", "mysql+pymysql://reader:***@db/school?password=***&charset=utf8"),
        ("mysql+pymysql://reader@db/school", "mysql+pymysql://reader@db/school"),
        ("sqlite:////data/school.db", "sqlite:////data/school.db"),
        ("parquet:/data/ads", "parquet:/data/ads"),
    ],
)  # fmt: skip
def test_a_password_is_masked(url: str, masked: str) -> None:
    assert mask_url(url) == masked


@pytest.mark.parametrize("url", ["/data/school.db", "http://u:pw@host/x", "", "postgresql://u:pw@h/db"])
def test_another_scheme_is_wrong_use_and_names_the_variable(url: str) -> None:
    with pytest.raises(UsageError, match="DAYSPRING_ADS_URL") as failed:
        open_source(url, "DAYSPRING_ADS_URL")
    assert "pw" not in str(failed.value)


@pytest.mark.parametrize("url", ["parquet:", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_url_that_names_nothing(url: str) -> None:
    with pytest.raises(UsageError, match="DAYSPRING_ADS_URL"):
        open_source(url, "DAYSPRING_ADS_URL")
