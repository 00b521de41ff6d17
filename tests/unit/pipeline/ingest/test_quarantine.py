from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from pipeline.config.tables import Column
from pipeline.ingest.quarantine import QUARANTINE, Faults, quarantined

COLUMNS = {"user": Column(type="int", source="who"), "label": Column(type="int")}
RAW = pa.table({"who": ["x", "7", "y"], "label": ["1", "2", "3"]})


def test_the_first_fault_of_a_row_stays() -> None:
    faults = Faults.none(3)
    faults.add(np.array([True, False, False]), "user", "not a whole number")
    faults.add(np.array([True, True, False]), "label", "not an allowed value")
    assert faults.bad.tolist() == [True, True, False]
    assert [faults.columns[each] for each in faults.column[:2]] == ["user", "label"]


def test_what_is_said_of_a_part_is_said_of_the_whole() -> None:
    faults = Faults.none(4)
    faults.part(2, 4).add(np.array([False, True]), "user", "missing")
    assert faults.bad.tolist() == [False, False, False, True]
    assert faults.reasons == ["", "missing"]


def test_bad_rows_are_found_among_those_held_by_their_numbers() -> None:
    faults = Faults.none(9)
    faults.add(np.arange(9) == 8, "user", "not a whole number")
    faults.add(np.arange(9) == 4, "label", "not an allowed value")
    found = quarantined("log", COLUMNS, RAW, faults, np.array([2, 4, 8]))
    assert [(row["reason"], row["column"], row["value"]) for row in found.to_pylist()] == [
        ("not a whole number", "user", "y"), ("not an allowed value", "label", "2"),
    ]  # fmt: skip
    assert json.loads(found["row"][0].as_py()) == {"who": "y", "label": "3"}


def test_without_bad_rows_the_quarantine_is_empty() -> None:
    found = quarantined("log", COLUMNS, RAW, Faults.none(3), np.arange(3))
    assert found.num_rows == 0
    assert found.schema == QUARANTINE
