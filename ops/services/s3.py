"""An S3 server over a folder: versitygw."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from ops.services.base import HOST, TOOLS, Service, listening

BUCKET = "dayspring"
PREFIX = "models"


class S3Server(Service):
    """A ``versitygw`` of its own with the bucket ``dayspring``."""

    name = "s3"

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def access_key(self) -> str:
        return self.secret("access_key")

    @property
    def secret_key(self) -> str:
        return self.secret("secret_key")

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}/{PREFIX}"

    def environment(self, space: str = "") -> dict[str, str]:
        return {
            "DAYSPRING_RELEASE_URL": f"s3://{BUCKET}/{space or PREFIX}",
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def lacking(self) -> str | None:
        if _program():
            return None
        return (
            "versitygw is not installed; it needs Go (apt-get install golang-go, or https://go.dev/dl): `make services`"
        )

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)

    def commands(self) -> Mapping[str, Sequence[str]]:
        program = _program()
        assert program is not None
        return {self.name: [program, "--port", f"{HOST}:{self.port}", "--quiet", "posix", str(self.data)]}

    def process_environment(self) -> dict[str, str]:
        keys = {"ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key}
        return super().process_environment() | keys

    def trouble(self) -> str | None:
        return None if listening(self.port) else f"nothing listens on port {self.port}"

    def provide(self) -> None:
        self.make_bucket(BUCKET)

    def make_bucket(self, bucket: str) -> None:
        client = self.client()
        try:
            client.create_bucket(Bucket=bucket)
        except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            return
        finally:
            client.close()

    def client(self) -> Any:
        """A boto3 client with the server's own keys."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(connect_timeout=5, read_timeout=30, s3={"addressing_style": "path"}),
        )  # fmt: skip


def _program() -> str | None:
    own = TOOLS / "bin" / "versitygw"
    return str(own) if own.is_file() else shutil.which("versitygw")
