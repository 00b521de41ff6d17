"""Profiles joined to rows by their key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from models.schema import MISSING_STR
from pipeline.features.frames.frame import Lists
from pipeline.features.rows.profiles import Profiles


def test_profiles_join_by_key_and_the_first_of_a_key_counts() -> None:
    table = pa.table({"id": [7, 8, 7], "name": ["a", None, "c"], "tags": [[1], [2, 3], [4]]})
    joined: dict[str, Any] = Profiles(table, "id", ["name", "tags"]).join(np.array([8, 9, 7]), "user")
    assert joined["user.name"].tolist() == [MISSING_STR, MISSING_STR, "a"]
    assert isinstance(joined["user.tags"], Lists)
    assert (joined["user.tags"].offsets.tolist(), joined["user.tags"].values.tolist()) == ([0, 2, 2, 3], [2, 3, 1])


def test_profiles_of_nobody() -> None:
    types = {"id": pa.int64(), "age": pa.float64(), "born": pa.date32()}
    table = pa.table({name: pa.array([], kind) for name, kind in types.items()})
    joined: dict[str, Any] = Profiles(table, "id", ["age", "born"]).join(np.array([1, 2]), "user")
    assert np.isnan(joined["user.age"]).all()
    assert np.isnat(joined["user.born"]).all()
