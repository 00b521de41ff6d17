"""Profiles joined to rows by their key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from models.schema import MISSING_STR
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.texts import Texts
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


def test_profiles_whose_key_is_text() -> None:
    """All rows count; what is asked for may be texts as the rows of a day hold them, or plain ones."""
    table = pa.table({"id": [f"i{n}" for n in range(40)] + ["i3"], "kind": [f"k{n % 3}" for n in range(40)] + ["last"]})
    profiles = Profiles(table, "id", ["kind"])
    wanted = ["i3", "i39", "nobody", "i1"]
    for keys in (Texts.of(np.array(wanted, object)), np.array(wanted, object)):
        assert np.asarray(profiles.join(keys, "item")["item.kind"]).tolist() == ["k0", "k0", MISSING_STR, "k1"]
