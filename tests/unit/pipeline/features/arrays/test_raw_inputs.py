"""What was assembled in raw ids as the inputs of an exported model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from models.schema import Feature, Kind, Side
from pipeline.features.arrays.raw_inputs import model_inputs

FEATURES = (
    Feature("user", Kind.CATEGORICAL, Side.REQUEST, "user"), Feature("study", Kind.DENSE, Side.REQUEST, size=1),
    Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad"), Feature("tags", Kind.BAG, Side.ITEM, "tag", values=2),
    Feature("rank", Kind.DENSE, Side.PAIR, size=2),
)  # fmt: skip
VALUES: dict[str, Any] = {
    "user": np.array([7, 8, 9]), "study": np.array([0.5, 1.0, np.nan]),
    "ad": np.array([70, 80]), "tags": np.array([["a", "b"], ["c", ""]], object),
    "rank": np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]),
}  # fmt: skip
PADDING = {"ad": -1, "tag": "", "user": -1}


def inputs(offsets: list[int], pair_item: list[int]) -> dict[str, Any]:
    items = SimpleNamespace(offsets=np.array(offsets), pair_item=np.array(pair_item, np.int32))
    found: Any = SimpleNamespace(items=items, values=VALUES)
    look: Any = SimpleNamespace(padding=PADDING.__getitem__)
    return model_inputs(FEATURES, found, look)


def test_candidates_stand_in_the_order_of_their_request_and_padding_behind_them() -> None:
    found = inputs([0, 2, 2, 3], [1, 0, 1])
    assert found["user"].tolist() == [7, 8, 9]
    assert found["study"].shape == (3, 1)
    assert found["ad"].tolist() == [[80, 70], [-1, -1], [80, -1]]
    assert found["tags"].tolist() == [[["c", ""], ["a", "b"]], [["", ""], ["", ""]], [["c", ""], ["", ""]]]
    assert found["rank"][0].tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert found["rank"][2, 0].tolist() == [4.0, 5.0]
    assert np.isnan(found["rank"][1]).all()
    assert np.isnan(found["rank"][2, 1]).all()


def test_dense_values_are_float32() -> None:
    found = inputs([0, 1, 2, 3], [0, 0, 0])
    assert {found[name].dtype for name in ("study", "rank")} == {np.dtype(np.float32)}
    assert found["ad"].tolist() == [[70], [70], [70]]
