"""Faults of the S3 server: told clearly, no version loadable half way, an interrupted upload can be repeated."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ops.services.s3 import S3Server
from pipeline.errors import DayspringError
from pipeline.release.publish.models import LOADABLE, Models
from pipeline.storage.objects import s3
from pipeline.storage.objects.base import PART_BYTES, checksum_of_file
from pipeline.storage.objects.s3 import S3Store
from tests.integration.releases import Bench, artifact_of, pointer_to
from tests.proxy import Proxy
from tests.services import Bucket

VARIABLES = "variables/variables.data-00000-of-00001"
PARTS = 4


@pytest.fixture
def environment(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    return bucket.environment


@pytest.fixture
def proxy(s3_server: S3Server, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Between the pipeline and the server from now on."""
    with Proxy("127.0.0.1", s3_server.port) as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{between.port}")
        yield between


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A SavedModel whose variables take three parts and a half, and go after the words of its features."""
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / LOADABLE).write_bytes(b"graph")
    (folder / "assets").mkdir()
    (folder / "assets" / "words").write_bytes(os.urandom(1_000_000))
    (folder / VARIABLES).write_bytes(os.urandom(PART_BYTES * (PARTS - 1) + PART_BYTES // 2))
    return folder


def models(tmp_path: Path, bucket: Bucket, *, timeout: float = 20) -> Models:
    return Models(S3Store.of(bucket.url, tmp_path / "fetched", timeout=timeout), "ads")


def fails_for_good_at(store: S3Store, part: int, proxy: Proxy) -> None:
    """The server is gone in the middle of the upload's n-th part, and stays away."""

    def cut(params: Mapping[str, Any], **_: Any) -> None:
        if params["PartNumber"] == part:
            proxy.refuse()
            proxy.cut_after_sent(PART_BYTES // 3)

    store._client.meta.events.register("before-parameter-build.s3.UploadPart", cut)


@pytest.mark.parametrize("part", [1, 3])
def test_an_upload_cut_in_the_middle_is_no_version_and_goes_on_with_the_file_that_is_missing(
    tmp_path: Path, s3_server: S3Server, bucket: Bucket, model: Path, proxy: Proxy, part: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    broken = S3Store.of(bucket.url, tmp_path / "fetched", timeout=20)
    fails_for_good_at(broken, part, proxy)
    with pytest.raises(DayspringError, match=rf"S3 at 127\.0\.0\.1:{proxy.port}.*writing ads/models.*variables"):
        Models(broken, "ads").upload(model, day=20240301, export="e1")
    missing = (model / VARIABLES).stat().st_size
    with Proxy("127.0.0.1", s3_server.port) as repaired:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{repaired.port}")
        there = models(tmp_path, bucket)
        assert there.versions() == []
        with pytest.raises(DayspringError, match=r"is not whole: saved_model\.pb is missing"):
            there.local(pointer_to(there, 2024030101))
        assert there.upload(model, day=20240301, export="e1") == 2024030101
        assert missing <= repaired.sent < missing + 100_000
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server.endpoint)
    there = models(tmp_path, bucket)
    assert there.versions() == [2024030101]
    assert there.verified(2024030101)
    fetched = there.local(pointer_to(there, 2024030101))
    assert checksum_of_file(fetched / VARIABLES) == checksum_of_file(model / VARIABLES)


def test_parts_of_another_file_are_not_taken_for_this_one(
    tmp_path: Path, bucket: Bucket, model: Path, proxy: Proxy
) -> None:
    broken = S3Store.of(bucket.url, tmp_path / "fetched", timeout=20)
    fails_for_good_at(broken, 4, proxy)
    with pytest.raises(DayspringError):
        Models(broken, "ads").upload(model, day=20240301, export="e1")
    proxy.refuse(False)
    (model / VARIABLES).write_bytes(os.urandom(PART_BYTES * 2 + 5))  # exported again: the same content, other bytes
    there = models(tmp_path, bucket)
    assert there.upload(model, day=20240301, export="e1") == 2024030101
    assert there.verified(2024030101)
    fetched = there.local(pointer_to(there, 2024030101))
    assert checksum_of_file(fetched / VARIABLES) == checksum_of_file(model / VARIABLES)


def test_connections_cut_now_and_then_are_made_again(tmp_path: Path, bucket: Bucket, model: Path, proxy: Proxy) -> None:
    there = models(tmp_path, bucket)
    for size in (PART_BYTES // 2, PART_BYTES * 2):
        proxy.cut_after_sent(size)
        assert there.upload(model, day=20240301, export=f"e{size}") > 0
    version = there.versions()[-1]
    proxy.cut_after(PART_BYTES // 2)
    assert checksum_of_file(there.local(pointer_to(there, version)) / VARIABLES) == checksum_of_file(model / VARIABLES)


def test_unfinished_uploads_end_with_the_next_prune(
    tmp_path: Path, s3_server: S3Server, bucket: Bucket, model: Path, proxy: Proxy
) -> None:
    store = S3Store.of(bucket.url, tmp_path / "fetched", timeout=20)
    fails_for_good_at(store, 2, proxy)
    with pytest.raises(DayspringError):
        Models(store, "ads").upload(model, day=20240301, export="e1")
    proxy.refuse(False)
    there = models(tmp_path, bucket)
    assert len(s3_server.client().list_multipart_uploads(Bucket=bucket.name)["Uploads"]) == 1
    there.prune(set(), 5)
    assert S3Store.of(bucket.url, tmp_path / "fetched").drop_unfinished("") == 0
    assert there.upload(model, day=20240301, export="e1") == 2024030101


def test_a_publish_that_s3_refuses_half_way_leaves_everything_as_it_was(
    tmp_path: Path, bucket: Bucket, redis_url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, redis_url=redis_url, release_url=bucket.url)
    first = bench.publisher().publish(artifact_of(1)).pointer
    real = S3Store.put_file

    def refused(store: S3Store, key: str, path: Path) -> None:
        if key.endswith(LOADABLE):
            proxy.refuse()
            proxy.cut()
        real(store, key, path)

    monkeypatch.setattr(S3Store, "put_file", refused)
    with pytest.raises(DayspringError, match="the connection failed"):
        bench.publisher().publish(artifact_of(2))
    monkeypatch.undo()
    proxy.refuse(False)
    assert bench.generations.current() == first
    assert first is not None
    assert bench.models.versions() == [first.version]
    assert bench.models.pointer() == first.to_json()
    assert bench.publisher().publish(artifact_of(2)).status == "published"
    assert len(bench.models.versions()) == 2
    bench.client.close()


def test_a_wrong_secret_is_not_shown(
    tmp_path: Path, bucket: Bucket, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-s3cret")
    with pytest.raises(DayspringError, match=r"S3 at 127\.0\.0\.1:\d+.*secret key is wrong") as caught:
        models(tmp_path, bucket).versions()
    told = str(caught.value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    with pytest.raises(DayspringError, match="does not know this access key") as caught:
        models(tmp_path, bucket).versions()
    told += str(caught.value)
    for secret in ("wrong-s3cret", environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_ACCESS_KEY_ID"]):
        assert secret not in told


def test_no_credentials(
    tmp_path: Path, bucket: Bucket, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(DayspringError, match="no credentials; set AWS_ACCESS_KEY_ID"):
        models(tmp_path, bucket).versions()


def test_a_missing_bucket_says_how_to_make_it(tmp_path: Path, environment: Mapping[str, str]) -> None:
    store = S3Store.of("s3://not-there/models", tmp_path / "fetched")
    with pytest.raises(DayspringError, match=r"bucket 'not-there'.*aws s3 mb s3://not-there"):
        Models(store, "ads").upload(tmp_path, day=20240301, export="e1")


class Guarded(S3Server):
    """With users beside its own."""

    def commands(self) -> Mapping[str, Sequence[str]]:
        users = self.folder / "users"
        users.mkdir(exist_ok=True)
        return {name: [*line[:-2], "--iam-dir", str(users), *line[-2:]] for name, line in super().commands().items()}


def test_a_user_who_may_not(tmp_path: Path, own_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = own_server(Guarded)
    program = server.commands()["s3"][0]
    subprocess.run(
        [program, "admin", "--access", server.access_key, "--secret", server.secret_key, "--endpoint-url",
         server.endpoint, "create-user", "--access", "guest", "--secret", "guest-s3cret", "--role", "user"],
        check=True, capture_output=True,
    )  # fmt: skip
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "guest")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guest-s3cret")
    there = Models(S3Store.of(server.url, tmp_path / "fetched"), "ads")
    for call in (there.versions, there.check, lambda: there.verified(1)):
        with pytest.raises(DayspringError, match=r"AccessDenied.*grant s3:ListBucket") as caught:
            call()
        assert "s3cret" not in str(caught.value)


def test_a_server_that_is_down(
    tmp_path: Path, bucket: Bucket, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    with pytest.raises(DayspringError, match=rf"S3 at 127\.0\.0\.1:{port}, bucket .*the connection failed"):
        models(tmp_path, bucket).versions()


def test_a_server_that_does_not_answer_in_time(
    tmp_path: Path, bucket: Bucket, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_ATTEMPTS", 2)
    proxy.slow_down(3)
    with pytest.raises(DayspringError, match="no answer in time"):
        models(tmp_path, bucket, timeout=0.3).versions()


def test_a_model_that_is_damaged_in_the_store_is_never_handed_out(
    tmp_path: Path, bucket: Bucket, model: Path, environment: Mapping[str, str]
) -> None:
    store = S3Store.of(bucket.url, tmp_path / "fetched")
    there = Models(store, "ads")
    version = there.upload(model, day=20240301, export="e1")
    store.put(f"ads/models/{version}/{VARIABLES}", b"other")
    with pytest.raises(DayspringError, match=f"{VARIABLES}: not what was uploaded"):
        there.local(pointer_to(there, version))
    assert not list((tmp_path / "fetched").rglob(LOADABLE))
    assert not list((tmp_path / "fetched").rglob("*.fetching"))


def test_a_fetched_model_is_fetched_once_and_again_when_it_is_another(
    tmp_path: Path, bucket: Bucket, model: Path, proxy: Proxy
) -> None:
    there = models(tmp_path, bucket)
    version = there.upload(model, day=20240301, export="e1")
    first = there.local(pointer_to(there, version))
    passed = proxy.passed
    assert there.local(pointer_to(there, version)) == first
    assert proxy.passed - passed < 20_000
    store = S3Store.of(bucket.url, tmp_path / "fetched")
    for key in list(store.list("ads/")):
        store.delete(key)
    (model / LOADABLE).write_bytes(b"another graph")
    assert there.upload(model, day=20240301, export="e2") == version
    assert (there.local(pointer_to(there, version)) / LOADABLE).read_bytes() == b"another graph"
