"""The section of a job of impressions: what its table must be, and what cannot act."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.pipeline.small_job import LOG, config


def log(**label: Any) -> dict[str, Any]:
    columns = {**LOG["columns"], "label": {"type": "int", "required": True, "allowed": [0, 1], **label}}
    return {"log": {**LOG, "columns": columns}}


@pytest.mark.parametrize(
    "label", [{"type": "float"}, {"required": False}, {"allowed": None}, {"allowed": [0, 1, 2]}, {"allowed": ["0", 1]}]
)
def test_a_label_can_be_nothing_but_zero_or_one(label: dict[str, Any]) -> None:
    config(log())
    config(log(allowed=[1]))
    with pytest.raises(ValueError, match=r"impressions\.label: tables\.log\.columns\.label must be declared as"):
        config(log(**label))


def test_frames_are_of_the_tables_that_are_named() -> None:
    section = config(log()).request
    assert section.frames == {"row": "log"}
    assert (section.label_columns, section.event_tables) == ({"log": "label"}, {"log"})
    ads = {**log(), "ads": {"source": "ads", "dated": False, "key": ["ad"], "columns": {"ad": {"type": "int"}}}}
    with_items = config(ads, impressions={
        "rows": "log", "user": "user", "item": "ad", "label": "label", "items": {"table": "ads", "key": "ad"},
    })  # fmt: skip
    assert with_items.request.frames == {"row": "log", "item": "ads"}


def test_a_loss_over_candidates_learns_nothing_of_one() -> None:
    experiment = config(log(), experiments={"pooled": {"model": "pooled", "loss": "softmax"}}).experiments["pooled"]
    with pytest.raises(ValueError, match=r"experiments\.pooled\.loss: softmax compares the candidates"):
        config(log()).request.check_experiment("pooled", experiment)
