"""Columns that are not as they were, and wild values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.school_year import JOB
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore
from tests.unit.pipeline.monitoring.overview.drawn import FIRST, LAST, ONE, drawn


def test_changed_columns_and_wild_values_of_the_newest_days(root: Path) -> None:
    store = ArtifactStore(root)

    def amend(ref: Ref, extra: dict[str, Any]) -> None:
        artifact = store.current(ref)
        assert artifact is not None
        with store.draft(ref) as draft:
            draft.commit(key=f"{extra}", digest="", inputs=[], rows=artifact.manifest.rows,
                         extra={**artifact.manifest.extra, **extra})  # fmt: skip

    assert drawn(root)["columns"] == {"day": str(FIRST.plus(LAST)), "standing": [], "changes": []}
    for day in (LAST - 1, LAST):
        gone = day == LAST
        counts = {"read": 90, "quarantined": 0, "kept": 90, "missing": {"tag": 90 * gone},
                  "missing_columns": ["tag"] * gone}  # fmt: skip
        amend(Ref("validated", JOB, FIRST.plus(day)), {"counts": {"clicks": counts}})
    wild = {"mastery": {"wild": 1, "known": 90, "furthest": 3.4e38, "anew": False}}
    amend(Ref("checkpoint", JOB, FIRST.plus(LAST), ONE), {"wild_values": wild, "growth": {"tables": {"city": [0, 4]}}})
    last = FIRST.plus(LAST)
    expected = {
        "day": str(last),
        "standing": [f"clicks: no value since {last} in tag"],
        "changes": [{
            "day": str(last),
            "texts": [
                "clicks: the source no longer has tag", "wild values bounded: mastery 1 of 90 (as far as 3.4e+38)",
                f"{ONE} began with tables city (4)",
            ],
        }],
    }  # fmt: skip
    assert drawn(root)["columns"] == expected
    # Again from what the first look left for the next process.
    assert drawn(root)["columns"] == expected
