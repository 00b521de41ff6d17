"""What stages say of their artefacts: a test names what it is about, the rest is as of an ordinary day."""

from __future__ import annotations

from typing import Any

from pipeline.days import Day
from pipeline.evaluation.records import GateRecord, TestRecord
from pipeline.features.records import MapsRecord
from pipeline.release.records import CheckRecord, ReleaseRecord
from pipeline.storage.artifacts.record import Record
from pipeline.training.records import CheckpointRecord, ExportRecord

BEFORE = Day.of(2024, 2, 28)
CHECKPOINT = f"checkpoint/tiny/a/day={BEFORE}/gen=0001"
EXPORT = f"export/tiny/a/day={BEFORE}/gen=0001"

_ORDINARY: dict[str, Record] = {
    each.kind: each
    for each in (
        MapsRecord(sizes={}, sizes_before={}, new_ids={}),
        CheckpointRecord(parent_day=None, trained_days=1, learning_rate=0.001, batches=10, sizes={}, loss=0.5),
        ExportRecord(checkpoint=CHECKPOINT, golden_rows=5),
        TestRecord(checkpoint=CHECKPOINT, checkpoint_day=BEFORE, values={}, reasons={}, counts={}, groups={}),
        GateRecord(verdict="promote", reasons=[], checkpoint=CHECKPOINT, incumbent=None),
        CheckRecord(verdict="ok", reasons=[], export=EXPORT, checkpoint=CHECKPOINT),
        ReleaseRecord(release_id="r1", experiment="a", checkpoint=CHECKPOINT, checkpoint_day=BEFORE, age_days=1,
                      export=EXPORT),
    )
}  # fmt: skip


def said(kind: str, **about: Any) -> dict[str, Any]:
    """``extra`` of a manifest of the kind."""
    return {**(_ORDINARY[kind].written() if kind in _ORDINARY else {}), **about}
