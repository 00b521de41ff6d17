"""An object store in S3, or in any server that speaks its protocol."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore import exceptions
from botocore.config import Config
from s3transfer.exceptions import RetriesExceededError

from pipeline.errors import ConfigError, DayspringError
from pipeline.storage.files import disk_errors, fsync_tree
from pipeline.storage.objects.base import PART_BYTES, checksum_of_file

_CONNECT_SECONDS = 10.0
_SECONDS = 60.0  # for one answer, or for the next piece of one
_ATTEMPTS = 4
_AT_ONCE = 4  # parts that are under way, each in memory
_KEPT_COPIES = 4
_CHECKSUMS = ".checksums.json"
_GONE = ("404", "NoSuchKey", "NotFound")
_CREDENTIALS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile or role)"
_BROKEN = (
    exceptions.ReadTimeoutError, exceptions.ResponseStreamingError, exceptions.IncompleteReadError,
    exceptions.HTTPClientError,
)  # fmt: skip
_ADVICE = {
    "InvalidAccessKeyId": f"it does not know this access key; check {_CREDENTIALS}",
    "XAdminUserNotFound": f"it does not know this access key; check {_CREDENTIALS}",  # versitygw
    "SignatureDoesNotMatch": f"the secret key is wrong; check {_CREDENTIALS}",
    "ExpiredToken": f"the credentials have expired; renew {_CREDENTIALS}",
    "AccessDenied": "these credentials may not do that; grant s3:ListBucket and s3:ListBucketMultipartUploads on the "
    "bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects",
    "XAmzContentSHA256Mismatch": "what arrived is not what was sent; run the same again",
    "BadDigest": "what arrived is not what was sent; run the same again",
    "NoSuchUpload": "the unfinished upload was ended by someone else; run the same again",
}


class S3Store:
    """Objects below ``prefix`` of a bucket, which must exist.

    Every method raises ``DayspringError`` where the server does not answer or refuses, naming it, never a secret.

    Args:
        cache: folder for what ``local`` fetches.
        timeout: seconds to wait for an answer.
    """

    def __init__(self, bucket: str, prefix: str, cache: Path, *, timeout: float = _SECONDS) -> None:
        # An endpoint of one's own rarely has a host name for each bucket.
        own = any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
        session = boto3.session.Session()
        try:
            self._client: Any = session.client(
                "s3", region_name=session.region_name or os.environ.get("AWS_REGION") or "us-east-1",
                config=Config(
                    connect_timeout=min(timeout, _CONNECT_SECONDS), read_timeout=timeout,
                    retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
                    s3={"addressing_style": "path" if own else "auto"},
                ),
            )  # fmt: skip
        except (ValueError, exceptions.BotoCoreError) as error:
            raise ConfigError(f"DAYSPRING_RELEASE_URL: S3 cannot be used: {error}; check the AWS_… settings") from None
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._cache = cache / bucket / prefix

    @classmethod
    def of(cls, url: str, cache: Path, *, timeout: float = _SECONDS) -> S3Store:
        """The store named by ``s3://bucket/prefix``; endpoint and credentials come from the usual ``AWS_…`` settings.

        Raises:
            ConfigError: the URL is not of this form.
        """
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment or "@" in parts.netloc or ":" in parts.netloc)
        prefix = parts.path.strip("/")
        if parts.scheme != "s3" or not parts.netloc or not plain or any(p in (".", "..") for p in prefix.split("/")):
            raise ConfigError(
                "DAYSPRING_RELEASE_URL: not of the form s3://bucket/prefix; the server's address belongs into "
                f"AWS_ENDPOINT_URL_S3, what it asks for into {_CREDENTIALS}"
            )
        return cls(parts.netloc, prefix, cache, timeout=timeout)

    def address(self) -> str:
        server = urlsplit(self._client.meta.endpoint_url)
        port = server.port or (443 if server.scheme == "https" else 80)
        prefix = self._prefix.rstrip("/")
        return f"S3 at {server.hostname}:{port}, bucket '{self._bucket}'" + (f", prefix '{prefix}'" if prefix else "")

    def put(self, key: str, data: bytes) -> None:
        with self._told(f"writing {key}"):
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + key, Body=data, ChecksumSHA256=_base64(hashlib.sha256(data))
            )

    def put_file(self, key: str, path: Path) -> None:
        with self._told(f"writing {key}"), self._transfers() as transfers:
            try:
                transfers.upload(str(path), self._bucket, self._prefix + key, {"ChecksumAlgorithm": "SHA256"}).result()
            except exceptions.ClientError as error:
                # A first answer that was lost on its way is followed by this one.
                if _code(error) != "NoSuchUpload" or not self.holds(key, checksum_of_file(path)):
                    raise

    def get(self, key: str) -> bytes | None:
        with self._told(f"reading {key}"):
            for attempt in count(1):
                try:
                    answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
                    return bytes(answer["Body"].read())
                except exceptions.ClientError as error:
                    if _code(error) in _GONE:
                        return None
                    raise
                except _BROKEN:
                    if attempt == _ATTEMPTS:
                        raise
        raise AssertionError("unreachable")

    def list(self, prefix: str) -> Iterator[str]:
        with self._told(f"listing {prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        for key in sorted(keys):
            if not key.endswith("/"):  # a folder, as some tools put it
                yield key.removeprefix(self._prefix)

    def delete(self, key: str) -> None:
        with self._told(f"deleting {key}"):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def holds(self, key: str, checksum: str) -> bool:
        with self._told(f"looking at {key}"):
            try:
                head = self._client.head_object(Bucket=self._bucket, Key=self._prefix + key, ChecksumMode="ENABLED")
            except exceptions.ClientError as error:
                if _code(error) in _GONE:
                    return False
                raise
            said = head.get("ChecksumSHA256")
            if said is not None:
                return bool(said == _as_s3(checksum))
        staged = self._staging()
        try:
            self._fetch(key, staged / "object")
            return checksum_of_file(staged / "object") == checksum
        finally:
            shutil.rmtree(staged)

    def local(self, prefix: str, checksums: Mapping[str, str]) -> Path:
        target = self._cache / prefix
        if _copied(target) == checksums:
            os.utime(target)
            return target
        staged = self._staging()
        try:
            for name, checksum in checksums.items():
                path = staged / name
                path.parent.mkdir(parents=True, exist_ok=True)
                self._fetch(f"{prefix}/{name}", path)
                if checksum_of_file(path) != checksum:
                    raise DayspringError(
                        f"{self.address()}: {prefix}/{name}: not what was uploaded; publish the newest day again"
                    )
            (staged / _CHECKSUMS).write_text(json.dumps(dict(checksums)))
            fsync_tree(staged)
            target.parent.mkdir(parents=True, exist_ok=True)
            _put_in_place(staged, target, checksums)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        copies = sorted((p for p in target.parent.iterdir() if p != target), key=lambda p: p.stat().st_mtime)
        for old in copies[: max(0, len(copies) - _KEPT_COPIES + 1)]:
            shutil.rmtree(old, ignore_errors=True)
        return target

    def drop_unfinished(self, prefix: str) -> int:
        with self._told(f"ending unfinished uploads of {prefix}"):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            left = [(each["Key"], each["UploadId"]) for page in pages for each in page.get("Uploads", [])]
            for key, upload in left:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
        return len(left)

    def _transfers(self) -> Any:
        """What sends and fetches large files, in parts of which each is tried again."""
        parts = TransferConfig(
            multipart_threshold=PART_BYTES + 1, multipart_chunksize=PART_BYTES, max_concurrency=_AT_ONCE,
            num_download_attempts=_ATTEMPTS, preferred_transfer_client="classic",
        )  # fmt: skip
        return create_transfer_manager(self._client, parts)

    def _fetch(self, key: str, path: Path) -> None:
        with self._told(f"reading {key}"), disk_errors(path), self._transfers() as transfers:
            transfers.download(self._bucket, self._prefix + key, str(path)).result()

    def _staging(self) -> Path:
        folder = self._cache / f".{os.getpid()}.{uuid.uuid4().hex[:8]}.fetching"
        folder.mkdir(parents=True)
        return folder

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        try:
            yield
        except exceptions.ClientError as error:
            raise DayspringError(f"{self.address()}: {doing}: {self._refused(error)}") from None
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
            raise DayspringError(f"{self.address()}: {doing}: no credentials; set {_CREDENTIALS}") from None
        except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError):
            reason = "no answer in time; check the server and the network, then run the same again"
            raise DayspringError(f"{self.address()}: {doing}: {reason}") from None
        except (exceptions.ConnectionError, exceptions.HTTPClientError, RetriesExceededError) as error:
            reason = f"the connection failed ({type(error).__name__}); check AWS_ENDPOINT_URL_S3 and the server, "
            raise DayspringError(f"{self.address()}: {doing}: {reason}then run the same again") from None
        except exceptions.BotoCoreError as error:
            raise DayspringError(f"{self.address()}: {doing}: {type(error).__name__}; run the same again") from None

    def _refused(self, error: Any) -> str:
        code = _code(error)
        if code == "NoSuchBucket":
            return f"there is no such bucket; make it once: aws s3 mb s3://{self._bucket}"
        if code in ("403", "Forbidden"):
            code = "AccessDenied"
        advice = _ADVICE.get(code, "run the same again; if it stays, see the server's log")
        return f"refused with {code}: {advice}"


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _base64(hashed: Any) -> str:
    return base64.b64encode(hashed.digest()).decode()


def _as_s3(checksum: str) -> str:
    """A ``checksum_of`` as S3 writes it."""
    digest, dash, parts = checksum.partition("-")
    return base64.b64encode(bytes.fromhex(digest)).decode() + dash + parts


def _copied(folder: Path) -> dict[str, str] | None:
    path = folder / _CHECKSUMS
    return dict(json.loads(path.read_bytes())) if path.is_file() else None


def _put_in_place(staged: Path, target: Path, checksums: Mapping[str, str]) -> None:
    """One rename; another process may have done the same meanwhile."""
    if _copied(target) == checksums:
        return
    if target.exists():  # a copy of another upload under the same number
        shutil.rmtree(target)
    try:
        staged.replace(target)
    except OSError:
        if _copied(target) != checksums:
            raise
