"""Which store a URL names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.storage.objects.open import open_objects


def test_the_store_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYSPRING_RELEASE_URL", raising=False)
    assert open_objects(tmp_path).local("x", {}) == tmp_path / "published" / "x"
    monkeypatch.setenv("DAYSPRING_RELEASE_URL", f"file:{tmp_path / 'elsewhere'}")
    assert open_objects(tmp_path).local("x", {}) == tmp_path / "elsewhere" / "x"
    monkeypatch.setenv("DAYSPRING_RELEASE_URL", f"file://{tmp_path / 'there'}")
    assert open_objects(tmp_path).local("x", {}) == tmp_path / "there" / "x"
    for wrong in (
        "ftp://user:secret@host/x",
        "file:",
        "s3:",
        "s3://",
        "s3://key:secret@host/x",
        "s3://b/../x",
        "s3://b?secret=1",
    ):
        with pytest.raises(ConfigError, match="DAYSPRING_RELEASE_URL") as caught:
            open_objects(tmp_path, wrong)
        assert "secret" not in str(caught.value)
