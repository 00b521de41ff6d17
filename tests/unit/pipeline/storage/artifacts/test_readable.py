from __future__ import annotations

import pytest

from pipeline.errors import CorruptArtifact, UsageError
from pipeline.storage.artifacts.readable import Readable


def damaged(what: str) -> int:
    raise CorruptArtifact(f"{what}: the manifest is damaged")


def test_what_is_damaged_is_left_out_and_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    readable = Readable()
    assert readable(int, "7") == 7
    assert not readable.tell()
    assert [readable(damaged, name) for name in ("a", "b", "a")] == [None, None, None]
    assert readable.damaged == ["a: the manifest is damaged", "b: the manifest is damaged"]
    assert readable.tell()
    assert "DAMAGED, left out: b: the manifest is damaged" in capsys.readouterr().err


def test_other_errors_are_errors() -> None:
    def wrong() -> None:
        raise UsageError("no such day")

    with pytest.raises(UsageError, match="no such day"):
        Readable()(wrong)
