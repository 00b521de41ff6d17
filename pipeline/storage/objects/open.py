"""An object store by its URL."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.storage.objects.base import ObjectStore
from pipeline.storage.objects.folder import FolderStore


def open_objects(root: Path, url: str | None = None) -> ObjectStore:
    """The store named by ``DAYSPRING_RELEASE_URL`` (``file:FOLDER`` or ``s3://bucket/prefix``), else in the root.

    Raises:
        ConfigError: the URL is of another kind.
    """
    url = url or os.environ.get("DAYSPRING_RELEASE_URL") or f"file:{root / 'published'}"
    scheme, _, rest = url.partition(":")
    if scheme == "s3":
        from pipeline.storage.objects.s3 import S3Store

        return S3Store.of(url, root / "fetched")
    if scheme != "file" or not rest:
        raise ConfigError(
            f"DAYSPRING_RELEASE_URL: '{scheme}:…' is not supported; write file:FOLDER or s3://bucket/prefix"
        )
    return FolderStore(Path("/" + rest.lstrip("/") if rest.startswith("//") else rest))
