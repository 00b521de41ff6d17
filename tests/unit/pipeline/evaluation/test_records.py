"""Records of tests and gates that the version before wrote, read and written again."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.evaluation.records import GateRecord, TestRecord

CHECKPOINT = "checkpoint/ads/din/day=2024-03-03/gen=0001"
TEST = {
    "checkpoint": CHECKPOINT, "checkpoint_day": "2024-03-03", "values": {"requests": 744, "auc": 0.82, "gauc": None},
    "reasons": {"gauc": "one class"}, "counts": {"not_covered": 57},
    "groups": {"known": {"requests": 546, "auc": 0.84}},
}  # fmt: skip
GATE: dict[str, Any] = {
    "verdict": "promote", "reasons": ["not worse"],
    "intervals": [{"measure": "auc", "difference": 0.0118, "low": 0.008, "high": 0.0157}],
    "checkpoint": CHECKPOINT, "incumbent": None,
}  # fmt: skip


def test_every_key_stays_and_none_is_new() -> None:
    assert TestRecord.model_validate(TEST).written() == TEST
    assert GateRecord.model_validate(GATE).written() == GATE
    doubted = {**GATE, "verdict": "inconclusive", "rise": "auc 1.0 is too good to be believed"}
    assert GateRecord.model_validate(doubted).written() == doubted


def test_a_verdict_that_no_gate_gives_is_damage() -> None:
    with pytest.raises(ValidationError, match="verdict"):
        GateRecord.model_validate({**GATE, "verdict": "half"})
