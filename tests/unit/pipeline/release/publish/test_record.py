"""What came of a publication is an artefact of its day."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipeline.release.publish.record import record
from tests.unit.pipeline.release.days import FIRST, commit, context


def outcome(status: str, served: str | None) -> Any:
    pointer = SimpleNamespace(release_id=served, version=3) if served is not None else None
    return SimpleNamespace(status=status, reason="why", pointer=pointer)


def test_the_record_says_what_is_served_now(tmp_path: Path) -> None:
    here = context(tmp_path)
    release = commit(here, "release", FIRST, release_id="r1")
    found = record(here, release, outcome("held", "r0"))
    assert found.manifest.extra == {
        "status": "held", "reason": "why", "release_id": "r1", "served": "r0", "version": 3,
    }  # fmt: skip
    assert [each.id for each in found.manifest.inputs] == [release.id]
    nothing = record(here, release, outcome("failed", None))
    assert (nothing.manifest.extra["served"], nothing.manifest.extra["version"]) == (None, None)


def test_a_repeat_with_the_same_result_records_nothing(tmp_path: Path) -> None:
    here = context(tmp_path)
    release = commit(here, "release", FIRST, release_id="r1")
    first = record(here, release, outcome("published", "r1"))
    assert record(here, release, outcome("published", "r1")).id == first.id
    assert record(here, release, outcome("held", "r0")).generation == first.generation + 1
