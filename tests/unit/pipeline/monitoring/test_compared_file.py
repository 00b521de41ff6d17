"""What is kept of comparisons goes through its file unchanged; a damaged file says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.monitoring.compared_file import NAME, ComparedFile
from tests.unit.pipeline.monitoring.kept import compared

FIRST = Day.of(2024, 1, 8)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "ads"
    assert ComparedFile.read(folder) is None
    kept = compared(FIRST, FIRST.next())
    kept.write(folder)
    assert ComparedFile.read(folder) == kept


@pytest.mark.parametrize(
    ("wrong", "where"), [(lambda text: text[:-5], "all of it"), (lambda text: text.replace('"better"', "3"), "verdict")]
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, wrong: object, where: str) -> None:
    compared(FIRST).write(tmp_path)
    path = tmp_path / NAME
    path.write_text(wrong(path.read_text()))  # type: ignore[operator]
    with pytest.raises(CorruptArtifact, match=rf"{path}: damaged \(.*{where}\); delete it, the next report writes it"):
        ComparedFile.read(tmp_path)


def test_what_cannot_be_read_is_named_and_what_is_not_there_is_none(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(CorruptArtifact, match=rf"{tmp_path / NAME}: cannot be read \(Is a directory\); delete it"):
        ComparedFile.read(tmp_path)
    (tmp_path / "file").touch()
    assert ComparedFile.read(tmp_path / "file" / "ads") is None
