"""Servers that are not there, taken for running."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.services.base import Service
from ops.services.stack import Stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Four servers that are not there, taken for running."""
    monkeypatch.setattr(Service, "is_running", lambda self: True)
    for name in ("mariadb", "redis", "s3", "hbase"):
        (tmp_path / name).mkdir()
    return Stack(tmp_path)
