"""What to do about a damaged artefact depends on what is made of its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.monitoring.audit.remedies import remedy
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import OF_DAYS, OF_EXPERIMENTS

DAY = Day.of(2024, 3, 1)
GENERATION = Path("root/kind/ads/day=2024-03-01/gen=0001")


def advice(kind: str, experiment: str | None = None) -> str:
    return remedy(Ref(kind, "ads", DAY, experiment), GENERATION)


def test_what_came_from_outside_is_never_deleted() -> None:
    assert "delete" not in advice("extract")
    assert advice("extract").endswith("backfill --job ads --from 2024-03-01 --to 2024-03-01 --reprocess")


def test_a_checkpoint_is_tainted_and_trained_again_with_what_follows() -> None:
    assert advice("checkpoint", "din") == (
        "python -m pipeline taint --job ads --experiment din --day 2024-03-01 --reason damaged, then "
        "python -m pipeline rechain --job ads --experiment din"
    )


@pytest.mark.parametrize("kind", ["matured", "accepted", "publish"])
def test_a_record_may_simply_go(kind: str) -> None:
    assert advice(kind).startswith("restore it from a backup, or delete the folder")


def test_what_is_derived_is_made_again() -> None:
    assert advice("features").startswith(f"delete the folder {GENERATION}, then python -m pipeline backfill --job ads")
    assert "--experiment din; the same bits" in advice("test", "din")
    assert "saves time" in advice("snapshot")


def test_every_kind_has_advice() -> None:
    for kind in OF_DAYS:
        assert advice(kind)
    for kind in OF_EXPERIMENTS:
        assert advice(kind, "din")
