"""Checksums of files as S3 makes them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.storage.objects.base import PART_BYTES, checksum_of_file


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 3])
def test_checksums_are_those_that_s3_makes_of_parts(tmp_path: Path, size: int) -> None:
    data = b"x" * size
    parts = [data[at : at + PART_BYTES] for at in range(0, size, PART_BYTES)]
    whole = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    expected = f"{whole}-{len(parts)}" if len(parts) > 1 else hashlib.sha256(data).hexdigest()
    (tmp_path / "f").write_bytes(data)
    assert checksum_of_file(tmp_path / "f") == expected
