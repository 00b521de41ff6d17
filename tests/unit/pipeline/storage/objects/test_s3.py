"""Objects in S3, as far as no server is needed: where they are, what is asked, what a refusal says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.stub import Stubber

from pipeline.errors import ConfigError, DayspringError
from pipeline.storage.objects.s3 import S3Store, _as_s3


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_ENDPOINT_URL_S3": "http://objects:9000",
        "AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return S3Store.of("s3://bucket/deep/prefix/", tmp_path)


@pytest.fixture
def server(store: S3Store) -> Iterator[Stubber]:
    with Stubber(store._client) as stub:
        yield stub


def test_it_says_where_it_is_and_no_secret(store: S3Store) -> None:
    assert store.address() == "S3 at objects:9000, bucket 'bucket', prefix 'deep/prefix'"


@pytest.mark.parametrize(
    "url", ["http://bucket/x", "s3:///x", "s3://key:secret@bucket/x", "s3://bucket:9000/x", "s3://b/../x", "s3://b?secret"]
)
def test_a_url_of_another_form_is_refused_without_its_secret(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="not of the form s3://bucket/prefix") as caught:
        S3Store.of(url, tmp_path)
    assert "secret" not in str(caught.value).replace("AWS_SECRET", "")


def test_keys_are_below_the_prefix_in_order_and_without_folders(store: S3Store, server: Stubber) -> None:
    keys = ["deep/prefix/m/2/b", "deep/prefix/m/", "deep/prefix/m/10/a"]
    server.add_response(
        "list_objects_v2", {"Contents": [{"Key": key} for key in keys]}, {"Bucket": "bucket", "Prefix": "deep/prefix/m"}
    )
    assert list(store.list("m")) == ["m/10/a", "m/2/b"]


def test_what_is_not_there_is_nothing(store: S3Store, server: Stubber) -> None:
    server.add_client_error("get_object", "NoSuchKey", expected_params={"Bucket": "bucket", "Key": "deep/prefix/m/a"})
    assert store.get("m/a") is None
    server.add_client_error("head_object", "404")
    assert not store.holds("m/a", "00" * 32)


def test_an_object_is_told_by_its_checksum_without_fetching_it(store: S3Store, server: Stubber) -> None:
    for told, held in (("EjQ=-2", True), ("EjU=-2", False)):
        server.add_response("head_object", {"ChecksumSHA256": told})
        assert store.holds("m/a", "1234-2") is held


def test_checksums_are_written_as_s3_writes_them() -> None:
    assert _as_s3("1234") == "EjQ="
    assert _as_s3("1234-17") == "EjQ=-17"


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("NoSuchBucket", "there is no such bucket; make it once: aws s3 mb s3://bucket"),
        ("403", "refused with AccessDenied: these credentials may not do that"),
        ("SignatureDoesNotMatch", "refused with SignatureDoesNotMatch: the secret key is wrong"),
        ("Teapot", "refused with Teapot: run the same again"),
    ],
)
def test_a_refusal_says_what_to_do(store: S3Store, server: Stubber, code: str, advice: str) -> None:
    server.add_client_error("delete_object", code)
    with pytest.raises(DayspringError) as caught:
        store.delete("m/a")
    assert str(caught.value).startswith(f"{store.address()}: deleting m/a: {advice}")
    assert "hunter2" not in str(caught.value)
