"""What a release says of bags, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.release.contents.parts import decoded
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.serving.released import lived, released


def test_bags_by_context_and_by_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = released(lived(tmp_path, monkeypatch, lessons.bagged(), [{}, {}, {}]))
    yesterday = DAY.previous().ordinal
    # Two days of the standard homework: in base chapter 1, 11 and 12 of 501 alone and 12, 11, 21 of 502 together.
    one = decoded(parts.of("bags.chapters+sections")["1"])
    halved = 0.5 ** (1 / 30)
    assert one["context"] == [yesterday, [3 * halved + 3]]
    cells = dict(zip(one["values"], one["decayed"], strict=True))
    assert cells == {11: [2 * halved + 2], 12: [2 * halved + 2], 21: [halved + 1]}
    own = decoded(parts.of("own_bags.teacher+chapters+sections")["501"])
    assert own == {
        "days": [yesterday - 1, yesterday - 1, yesterday, yesterday], "contexts": [1, 1, 1, 1],
        "values": [[11], [12], [11], [12]],
    }  # fmt: skip
