from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError, DayspringError
from pipeline.serving.connection import connect, masked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:secret@cache:6379/0", "redis://:***@cache:6379/0"),
        ("rediss://app:se%40cret@cache:6380/2", "rediss://app:***@cache:6380/2"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
    ],
)
def test_passwords_are_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(DayspringError, match=r"redis://:\*\*\*@127\.0\.0\.1:1/0 does not answer") as caught:
        connect(tmp_path, "redis://:secret@127.0.0.1:1/0")
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "redis").exists()  # the embedded one is not started beside it


def test_a_url_of_another_kind_is_a_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_REDIS_URL", "http://:secret@cache/")
    with pytest.raises(ConfigError, match="DAYSPRING_REDIS_URL") as caught:
        connect(tmp_path)
    assert "secret" not in str(caught.value)
