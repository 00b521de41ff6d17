"""Raw ids to indices inside an exported graph: 0 padding, 1 missing or unknown, then the ids in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.export import id_lookup
from models.schema import MISSING_INT, PAD_INT
from pipeline.features.state.bins import bins_of


@pytest.mark.parametrize(
    ("table", "ids", "asked", "found"),
    [
        (id_lookup._IntIds, [70, -5, 2**62], [[PAD_INT, MISSING_INT], [-5, 70], [2**62, 71]],
         [[0, 1], [3, 2], [4, 1]]),
        (id_lookup._StrIds, ["b", "a", "中"], [["", "\x01"], ["a", "b"], ["中", "c"]], [[0, 1], [3, 2], [4, 1]]),
        (id_lookup._IntIds, [], [[PAD_INT, MISSING_INT], [0, 2**63 - 1]], [[0, 1], [1, 1]]),
        (id_lookup._StrIds, [], [["", "x"]], [[0, 1]]),
    ],
)  # fmt: skip
def test_ids_are_found_by_value_in_any_shape(table: Any, ids: list[Any], asked: Any, found: list[Any]) -> None:
    made = table()
    made.set(np.array(ids, np.int64 if table is id_lookup._IntIds else object))
    assert made.look_up(tf.constant(asked, table.dtype)).numpy().tolist() == found


@pytest.mark.parametrize("table", [id_lookup._IntIds, id_lookup._StrIds])
def test_a_map_that_has_grown_shrunk_or_is_another(table: Any) -> None:
    """One exporter writes the models of many days, an older one after a newer one too."""
    kind, ids = (np.int64, [7, 5, 9]) if table is id_lookup._IntIds else (object, ["g", "e", "i"])
    made = table()

    def asked(*known: Any) -> list[int]:
        made.set(np.array(known, kind))
        found: list[int] = made.look_up(tf.constant(ids, table.dtype)).numpy().tolist()
        return found

    assert asked(*ids[:2]) == [2, 3, 1]
    assert asked(*ids) == [2, 3, 4]
    assert asked(ids[0]) == [2, 1, 1]
    assert asked(ids[2], ids[0]) == [3, 1, 2]


def test_a_number_is_the_bin_that_it_reaches() -> None:
    """As it is in training: a limit belongs to the bin above it, and without limits nothing is known."""
    made = id_lookup._Limits()
    numbers = np.array([-1, 0, 4.5, 5, 9, np.nan, np.inf], np.float32)
    assert set(made.bins(tf.constant(numbers)).numpy().tolist()) == {MISSING_INT}
    for limits in ([0, 0, 5], [4.5, 9]):
        made.set(np.array(limits, np.float32))
        assert made.bins(tf.constant(numbers)).numpy().tolist() == bins_of(numbers, np.float32(limits)).tolist()
