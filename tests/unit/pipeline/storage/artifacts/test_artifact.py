"""Names of artefacts: text and back."""

from __future__ import annotations

import pytest

from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.storage.artifacts.artifact import Ref, parse_id

DAY = Day.of(2024, 3, 1)
REF = Ref("features", "ads", DAY)
CHECKPOINT = Ref("checkpoint", "ads", DAY, "din")


@pytest.mark.parametrize("name", ["", "a/b", "..", ".x", "day=2024-01-01", "a b"])
def test_names_that_are_no_folders(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a folder"):
        Ref("kind", "ads", DAY, name)


def test_ids_and_back() -> None:
    for ref in (REF, CHECKPOINT):
        assert parse_id(f"{ref}/gen=0012") == (ref, 12)
    for text in ("", "a/b", "a/b/day=2024-01-01", "a/b/c/d/day=2024-01-01/gen=0001", "a/b/day=2024-01-01/gen=1"):
        with pytest.raises(UsageError, match="is not an artefact"):
            parse_id(text)
