"""What several features declare over one bag is worked out once, each by its own settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.serving.released import lived, offline


def test_each_feature_is_by_its_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    likely = lessons.BAGS["likely"]
    halved = {**likely, "bag_counter": {**likely["bag_counter"], "scale": 2.0}}
    arrays, _, _ = offline(lived(tmp_path, monkeypatch, lessons.bagged(halved=halved), [{}, {}, {}]))
    places = arrays.layout.pair_dense

    def values(name: str) -> np.ndarray:
        return np.asarray(arrays.pair_dense)[:, places[name].start : places[name].stop]

    np.testing.assert_array_equal(values("halved"), values("likely") / 2)
    assert values("svd").shape == (len(arrays.pair_item), 2)
    distinct = {values(name).tobytes() for name in lessons.BAGS}
    assert len(distinct) == len(lessons.BAGS)
