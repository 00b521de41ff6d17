from __future__ import annotations

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.ids.fingerprints import MISSING
from pipeline.features.state import keys
from pipeline.features.state.counters import CounterTable
from pipeline.features.state.keys import id_columns, ids_of, in_order, updated

DAY = Day.of(2024, 3, 1)


def test_rows_come_in_order_of_their_keys_and_within_one_as_they_were() -> None:
    ordered, rows = in_order((np.array([9, 4, MISSING, 9, 4]),))
    assert (ordered.tolist(), rows.tolist()) == ([4, 4, 9, 9], [1, 4, 0, 3])


def test_the_ids_of_a_key_are_kept_beside_it_where_there_are_several() -> None:
    one, two = np.array([3, 8]), np.array([5, 5])
    assert id_columns((one,)) == {}
    table = Keyed(np.array([1, 2]), id_columns((one, two)))
    assert [each.tolist() for each in ids_of(table, 2)] == [[3, 8], [5, 5]]
    assert ids_of(table, 1)[0].tolist() == [1, 2]


def test_two_keys_that_cannot_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "key_of", lambda *codes: codes[0] * 0 + 77)
    with pytest.raises(DataError, match=r"the ids of codes \(3, 5\) from those of \(8, 5\): both have one key"):
        in_order((np.array([3, 8]), np.array([5, 5])))
    first = CounterTable.empty(2, ()).apply((np.array([3]), np.array([5])), np.int8([1]), DAY)
    with pytest.raises(DataError, match=r"the ids of codes \(8, 5\) from those of \(3, 5\)"):
        first.apply((np.array([8]), np.array([5])), np.int8([1]), DAY.next())


def test_a_row_of_the_same_ids_takes_the_place_of_the_earlier_one() -> None:
    ids = id_columns((np.array([3]), np.array([5])))
    table = Layered.of(Keyed(np.array([77]), {"value": np.array([1]), **ids}))
    again = updated(table, Keyed(np.array([77]), {"value": np.array([2]), **ids}), 2)
    assert again.at(np.array([77]), ["value"])["value"].tolist() == [2]
