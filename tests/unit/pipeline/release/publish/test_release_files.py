from __future__ import annotations

from pathlib import Path

from pipeline.days import Day
from pipeline.release.publish.release_files import Championship, ReleaseFiles

DAY = Day.of(2024, 3, 4)


def test_promotions_by_hand_are_told_from_successions_and_by_experiment(tmp_path: Path) -> None:
    files = ReleaseFiles.of(tmp_path, "ads")
    assert files.promoted("a") == []
    files.add_champion(Championship("b", DAY, "promote"))
    files.add_champion(Championship("a", DAY.next(), "superiority"))
    files.add_champion(Championship("a", DAY.plus(2), "promote"))
    assert files.promoted("a") == [DAY.plus(2)]
    assert files.promoted("b") == [DAY]
