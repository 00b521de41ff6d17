"""What Dayspring needs of an object store, whether a folder or S3, and the checksums that both compare by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

PART_BYTES = 8 << 20
"""Larger files go to S3 in parts of this size, and their checksum is made of the parts' checksums."""


class ObjectStore(Protocol):
    """Objects by key (``a/b/c``). An object appears whole or not at all."""

    def put(self, key: str, data: bytes) -> None: ...

    def put_file(self, key: str, path: Path) -> None:
        """Uploads a file; repeated after an interruption, it begins anew."""
        ...

    def get(self, key: str) -> bytes | None: ...

    def list(self, prefix: str) -> Iterator[str]: ...

    def delete(self, key: str) -> None: ...

    def holds(self, key: str, checksum: str) -> bool:
        """Whether the object is there with this ``checksum_of``."""
        ...

    def local(self, prefix: str, checksums: Mapping[str, str]) -> Path:
        """A folder of this machine with the objects under ``prefix``; a remote store fetches them first.

        Args:
            checksums: ``checksum_of`` each by its name below the prefix; what a remote store fetches is compared.
        """
        ...

    def drop_unfinished(self, prefix: str) -> int:
        """Ends uploads under ``prefix`` that nobody goes on with; how many."""
        ...

    def address(self) -> str:
        """Where the store is, for messages."""
        ...


def checksum_of(data: BinaryIO) -> str:
    """SHA-256 in hexadecimal; of more than ``PART_BYTES``, that of the parts' SHA-256s and their number, as S3 has it.

    >>> import io
    >>> checksum_of(io.BytesIO(b"abc"))
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    """
    digests = [hashlib.sha256(piece).digest() for piece in iter(lambda: data.read(PART_BYTES), b"")]
    if len(digests) <= 1:
        return (digests[0] if digests else hashlib.sha256().digest()).hex()
    return f"{hashlib.sha256(b''.join(digests)).hexdigest()}-{len(digests)}"


def checksum_of_file(path: Path) -> str:
    """``checksum_of`` a file."""
    with path.open("rb") as file:
        return checksum_of(file)
