from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.urls import mask_url, secrets_of


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("mysql+pymysql://reader:s3cret@db:3306/school", "mysql+pymysql://reader:***@db:3306/school"),
        ("mysql+pymysql://reader:a@b:c/d@db/school", "mysql+pymysql://reader:***@db/school"),
        ("mysql+pymysql://rd@srv:s3cret@db/school", "mysql+pymysql://rd@srv:***@db/school"),
        ("mysql+pymysql://reader:s@db/school?password=x&charset=utf8",
         "mysql+pymysql://reader:***@db/school?password=***&charset=utf8"),
        ("mysql+pymysql://reader@db/school", "mysql+pymysql://reader@db/school"),
        ("mysql+pymysql//reader:s3cret@db/school", "mysql+pymysql//reader:***@db/school"),
        ("mysql+pymysql:/:s3cret@db/school", "mysql+pymysql:/***@db/school"),
        ("redis://:secret@cache:6379/0", "redis://:***@cache:6379/0"),
        ("redis://:se/cr?e#t@cache:6379/0", "redis://:***@cache:6379/0"),
        ("redis://secret@cache:6379/0", "redis://***@cache:6379/0"),
        ("redis:/:secret@cache:6379/0", "redis:/***@cache:6379/0"),
        (":secret@cache:6379/0", "***@cache:6379/0"),
        ("rediss://app:se%40cret@cache:6380/2", "rediss://app:***@cache:6380/2"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("rediss://cache/0?password=secret&ssl_ca_certs=/etc/ca.pem",
         "rediss://cache/0?password=***&ssl_ca_certs=/etc/ca.pem"),
        ("hbase://gateway:9090/prefix", "hbase://gateway:9090/prefix"),
        ("sqlite:////data/a:b@c/school.db", "sqlite:////data/a:b@c/school.db"),
        ("parquet:/data/ads@home", "parquet:/data/ads@home"),
    ],
)  # fmt: skip
def test_a_password_is_masked(url: str, masked: str) -> None:
    assert mask_url(url) == masked


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("mysql+pymysql://reader:s%40cret@db/school", {"s%40cret", "s@cret"}),
        ("mysql+pymysql://rd@srv:s3cret@db/school", {"s3cret"}),
        ("mysql+pymysql://reader@db/school?password=x", {"x"}),
        ("redis://secret@cache", {"secret"}),
        ("redis://cache:6379/0", set()),
        ("sqlite:////data/a:b@c/school.db", set()),
    ],
)
def test_what_a_drivers_message_must_not_hold(url: str, secrets: set[str]) -> None:
    assert secrets_of(url) == secrets


@given(
    scheme=st.sampled_from(["mysql+pymysql://", "redis://", "rediss://", "mysql+pymysql//", "redis:/", ""]),
    user=st.text("abcdef@", max_size=5),
    password=st.text("@/#?:%ab", max_size=8).map(lambda text: f"s3cret{text}"),
)
def test_no_password_is_left_in_any_form_of_url(scheme: str, user: str, password: str) -> None:
    url = f"{scheme}{user}:{password}@host:1/x"
    assert "s3cret" not in mask_url(url)
    assert any("s3cret" in secret for secret in secrets_of(url))
