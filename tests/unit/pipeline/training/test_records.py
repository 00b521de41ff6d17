"""Records of checkpoints and exports that the version before wrote, read and written again."""

from __future__ import annotations

from typing import Any

from pipeline.days import Day
from pipeline.training.records import CheckpointRecord, ExportRecord, Fitted

CHECKPOINT: dict[str, Any] = {
    "parent": "checkpoint/ads/din/day=2024-03-03/gen=0001", "parent_day": "2024-03-03", "trained_days": 3,
    "learning_rate": 0.001, "batches": 109, "sizes": {"ad": 4670}, "loss": 0.59825,
}  # fmt: skip
EXPORT = {"checkpoint": CHECKPOINT["parent"], "golden_rows": 516, "checksums": {"model/saved_model.pb": "4f8042f3"}}


def test_every_key_stays_and_none_is_new() -> None:
    found = CheckpointRecord.model_validate(CHECKPOINT)
    assert found.parent_day == Day.of(2024, 3, 3)
    assert found.written() == CHECKPOINT
    assert ExportRecord.model_validate(EXPORT).written() == EXPORT


def test_what_only_some_checkpoints_say() -> None:
    more = {
        "base_rate": 0.25, "overrides": {"epochs": 2},
        "wild_values": {"price": {"wild": 3, "known": 200, "furthest": -1e30, "anew": False}},
    }  # fmt: skip
    found = CheckpointRecord.model_validate({**CHECKPOINT, **more})
    assert found.wild_values is not None
    assert (found.base_rate, found.wild_values["price"].known) == (0.25, 200)
    assert found.written() == {**CHECKPOINT, **more}


def test_the_first_of_a_chain_has_no_parent_and_one_without_rows_no_loss() -> None:
    first = {**CHECKPOINT, "parent": None, "parent_day": None, "loss": None}
    assert CheckpointRecord.model_validate(first).written() == first


def test_fitted_weights_are_told_in_words_and_stored_as_they_are() -> None:
    said = {
        "days": 4, "weights": {"click": {"a": 0.25, "b": 0.875}, "view": {"a": 0.5, "b": 0.5}},
    }  # fmt: skip
    found = CheckpointRecord.model_validate({**CHECKPOINT, "fitted": said})
    assert found.written() == {**CHECKPOINT, "fitted": said}
    assert found.fitted is not None
    assert found.fitted.in_words == "weighs click 0.25 a + 0.88 b, view 0.50 a + 0.50 b"
    one = Fitted(days=1, weights={"label": {"a": 0.5, "b": 0.5}})
    assert one.in_words == "weighs 0.50 a + 0.50 b"
    assert one.model_copy(update={"days": 0}).in_words == "the mean of its members, which no day has judged yet"
