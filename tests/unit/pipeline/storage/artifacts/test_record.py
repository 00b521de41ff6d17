"""What a manifest says beside its common fields: typed, and told by name where it is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field

from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.manifest import Count, DayText, Manifest
from pipeline.storage.artifacts.record import Finite, Measure, Record, is_none

DAY = Day.of(2024, 2, 29)


class Rows(BaseModel):
    model_config = ConfigDict(strict=True)

    read: Count


class Told(Record):
    kind: ClassVar = "told"

    counts: dict[str, Rows]
    day: DayText | None = None
    loss: Finite | None = None
    values: dict[str, Measure] = Field(default_factory=dict)
    why: str | None = Field(default=None, exclude_if=is_none)


def artifact(extra: dict[str, Any]) -> Artifact:
    ref = Ref("told", "ads", DAY)
    manifest = Manifest(f"{ref}/gen=0001", "told", "ads", DAY, None, 1, "k", "d", extra=extra)
    return Artifact(ref, 1, Path(str(ref)) / "gen=0001", manifest)


def test_text_and_back() -> None:
    extra = {
        "counts": {"log": {"read": 3}}, "day": "2024-02-28", "loss": 0.5,
        "values": {"auc": 0.75, "users": 4, "gauc": None},
    }  # fmt: skip
    said = Told.of(artifact(extra))
    assert (said.counts["log"].read, said.day, said.loss) == (3, Day.of(2024, 2, 28), 0.5)
    assert said.values == {"auc": 0.75, "users": 4, "gauc": None}
    assert isinstance(said.values["users"], int)
    assert said.written() == extra
    assert said.model_copy(update={"why": "by hand"}).written() == {**extra, "why": "by hand"}


def test_what_a_later_version_says_more_is_passed_over() -> None:
    assert Told.of(artifact({"counts": {}, "mood": "good"})) == Told(counts={})


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({}, "extra.counts is missing"),
        ({"counts": {"homework": "many"}}, "extra.counts.homework is damaged ('many')"),
        ({"counts": {"homework": {}}}, "extra.counts.homework.read is missing"),
        ({"counts": {"homework": {"read": -1}}}, "extra.counts.homework.read is damaged (-1)"),
        ({"counts": {"homework": {"read": True}}}, "extra.counts.homework.read is damaged (True)"),
        ({"counts": {}, "day": "2024-02-30"}, "extra.day is damaged ('2024-02-30')"),
        ({"counts": {}, "loss": float("nan")}, "extra.loss is damaged (nan)"),
        ({"counts": {}, "loss": "2.5"}, "extra.loss is damaged ('2.5')"),
        ({"counts": {}, "values": {"auc": "high"}}, "extra.values.auc is damaged ('high')"),
        ({"counts": {}, "why": "x" * 9, "values": 3}, "extra.values is damaged (3)"),
    ],
)
def test_damage_is_told_with_the_file_the_field_and_the_value(extra: dict[str, Any], told: str) -> None:
    with pytest.raises(CorruptArtifact) as raised:
        Told.of(artifact(extra))
    folder = Path(f"told/ads/day={DAY}/gen=0001")
    assert str(raised.value) == (
        f"{folder / 'manifest.json'}: the manifest's {told}; restore the file from a backup, or delete the folder "
        f"{folder} and run the day again"
    )
